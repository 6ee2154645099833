//! Things that would outlive a crash.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

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
    /// A folder with everything in it. A relative path or one with `..` goes on record as the place
    /// that it leads to now.
    #[must_use]
    pub fn directory(path: &Path) -> Self {
        Self::of(DIRECTORY, place(path).display().to_string())
    }

    /// One file; its path as with [`Resource::directory`].
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self::of(FILE, place(path).display().to_string())
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

/// Where `path` leads: absolute and without `..`, which [`crate::reclaim`] refuses. What leads
/// nowhere that is certain stays as it is, for what is not certain must not be removed later.
fn place(path: &Path) -> PathBuf {
    let Ok(whole) = std::path::absolute(path) else {
        return path.to_owned();
    };
    match straight(&whole) {
        // Behind a folder that is yet to be made, the name stands for something that is there.
        Some(straight) if is_there(&straight) && !is_there(&whole) => whole,
        Some(straight) => straight,
        None => whole,
    }
}

/// An absolute path without `..`. What is a link on the way to a `..` is followed, as the system
/// does; the last name never is. `None` when the last name is `..`, or a folder cannot be looked at.
fn straight(path: &Path) -> Option<PathBuf> {
    path.file_name()?;
    let mut straight = PathBuf::new();
    for part in path.components() {
        if part != Component::ParentDir {
            straight.push(part);
            continue;
        }
        match straight.canonicalize() {
            Ok(real) => straight = real,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(_) => return None,
        }
        straight.pop();
    }
    Some(straight)
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `path` below a folder that has the folder `real/deep`, the link `link` to it, and the file
    /// `file`, becomes `expected`, below the same folder.
    fn check(path: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("real/deep")).unwrap();
        std::os::unix::fs::symlink("real/deep", root.join("link")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        let expected = root.join(expected).display().to_string();
        assert_eq!(Resource::file(&root.join(path)).id, expected, "{path}");
        assert_eq!(Resource::directory(&root.join(path)).id, expected, "{path}");
    }

    #[test]
    fn a_path_goes_on_record_without_the_folders_it_leaves_again() {
        check("real/../out", "out");
        check("real/deep/../../a/b/../out", "a/out");
        check("none/../out", "out");
        check("link/../out", "real/out");
        check("link/out", "link/out");
        check("real/../link", "link");
    }

    #[test]
    fn what_is_not_certain_stays_as_it_was_written() {
        check("none/..", "none/..");
        check("real/deep/..", "real/deep/..");
        check("none/../file", "none/../file");
    }

    #[test]
    fn a_relative_path_goes_on_record_from_the_root() {
        let working = std::env::current_dir().unwrap();
        let expected = working.join("out").display().to_string();
        assert_eq!(Resource::file(Path::new("out")).id, expected);
        let above = working.parent().unwrap().join("out").display().to_string();
        assert_eq!(Resource::file(Path::new("../out")).id, above);
    }
}
