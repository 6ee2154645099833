//! Things that would outlive a crash.

use std::collections::BTreeMap;
use std::path::Path;

use crate::link::HostLink;
use crate::process::ProcessIdentity;

/// Kind of a process: `id` is `pid:start-time`.
pub const PROCESS: &str = "process";
/// Kind of a file: `id` is the absolute path.
pub const FILE: &str = "file";
/// Kind of a folder: `id` is the absolute path.
pub const DIRECTORY: &str = "directory";
/// Kind of a port that is kept for somebody: `id` is the port.
pub const PORT_LEASE: &str = "port-lease";

/// Something a component is about to create and would leave behind if it died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// `process`, `file`, `directory` and `port-lease` are reclaimed by the SDK; other kinds by the
    /// plugin's own code.
    pub kind: String,
    /// For files the absolute path, for a process `pid:start-time`, else the plugin's own.
    pub id: String,
    /// What is needed to remove it.
    pub reclaim: BTreeMap<String, String>,
}

impl Resource {
    /// A folder with everything in it.
    #[must_use]
    pub fn directory(path: &Path) -> Self {
        Self::of(DIRECTORY, path.display().to_string())
    }

    /// One file.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self::of(FILE, path.display().to_string())
    }

    /// The running process `pid`; `None` when it does not run. Its group is ended with it when it
    /// leads one. A process can be announced only after it was started: start it stopped or idle,
    /// and let it create nothing before that.
    #[must_use]
    pub fn process(pid: u32) -> Option<Self> {
        ProcessIdentity::of(pid).map(|identity| Self::of(PROCESS, identity.to_string()))
    }

    /// A port that is kept for somebody by means of the file `lease`.
    #[must_use]
    pub fn port_lease(port: u16, lease: &Path) -> Self {
        Self::of(PORT_LEASE, port.to_string())
            .with(crate::reclaim::LEASE_FILE, lease.display().to_string())
    }

    /// A thing of the plugin's own kind.
    #[must_use]
    pub fn of(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
            reclaim: BTreeMap::new(),
        }
    }

    /// The same, with something that is needed to remove it. No secrets: it is written to disk.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.reclaim.insert(key.into(), value.into());
        self
    }
}

/// A resource that the host has on record. Call [`Held::release`] once it is gone, or when it has
/// become part of the artifact.
#[derive(Debug)]
pub struct Held {
    pub(crate) number: u64,
    pub(crate) link: HostLink,
}

impl Held {
    /// Takes the resource off the record.
    pub async fn release(self) {
        self.link.release(self.number).await;
    }
}
