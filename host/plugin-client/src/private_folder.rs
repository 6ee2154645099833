//! The folders of one plugin process, and those that sockets lie in.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use host_eval::Value;
use rustix::fs::{FlockOperation, OFlags, flock};
use tempfile::TempDir;

use crate::error::ClientError;
use crate::isolation::{Duty, Isolation};
use crate::journal::Owner;

/// The lock of a folder, which shows that it is used.
const LOCK: &str = "lock";
/// Has a folder for each plugin process that kept something of a failure.
pub(crate) const EVIDENCE: &str = "evidence";
/// What the names of folders for sockets begin with.
pub(crate) const SOCKET_PREFIX: &str = "kiln-";
/// The most bytes of one file of evidence that are kept.
const EVIDENCE_LIMIT: u64 = 64 << 20;

/// A short-lived folder for sockets, mode 0700; `parent` is made when it is missing.
pub(crate) fn socket_folder(parent: &Path) -> Result<TempDir, ClientError> {
    if !parent.is_dir() {
        make_private(parent, Parents::Make)?;
    }
    tempfile::Builder::new()
        .prefix(SOCKET_PREFIX)
        .rand_bytes(8)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(|source| file_error("create a folder in", parent, source))
}

/// A folder for sockets that belongs to no run. A lock in it shows that it is used.
#[derive(Debug)]
pub(crate) struct LockedFolder {
    folder: TempDir,
    _lock: Option<File>,
}

impl LockedFolder {
    /// A new one in `parent`.
    pub(crate) fn inside(parent: &Path) -> Result<Self, ClientError> {
        let folder = socket_folder(parent)?;
        let lock = take_lock(folder.path())
            .map_err(|error| file_error("lock folder", folder.path(), error))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes those in `parent` whose processes are gone.
    pub(crate) fn remove_dead(parent: &Path) {
        let own = rustix::process::geteuid().as_raw();
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let is_named = entry
                .file_name()
                .to_string_lossy()
                .starts_with(SOCKET_PREFIX);
            let path = entry.path();
            let is_ours = entry
                .metadata()
                .is_ok_and(|facts| facts.is_dir() && facts.uid() == own);
            if !is_named || !is_ours || !path.join(LOCK).is_file() {
                continue;
            }
            if let Ok(Some(_lock)) = take_lock(&path)
                && let Err(error) = std::fs::remove_dir_all(&path)
            {
                tracing::warn!(path = %path.display(), %error, "cannot remove a folder of sockets");
            }
        }
    }
}

/// The folders of one plugin process, mode 0700; they are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct PrivateFolder {
    /// For sockets; short.
    pub(crate) sockets: PathBuf,
    /// For files.
    pub(crate) files: PathBuf,
    /// Where the evidence goes that a plugin left in a folder `evidence` among its files.
    pub(crate) evidence: Option<PathBuf>,
    /// What the process may do besides, when it is confined.
    pub(crate) isolation: Isolation,
    /// Identity of the run, which scripts that a plugin starts may ask for; empty for none.
    pub(crate) run_uuid: String,
    /// What it is started for.
    pub(crate) duty: Duty,
    /// What it may change besides.
    pub(crate) writable: Vec<PathBuf>,
}

impl PrivateFolder {
    /// Folders inside `parent`, for a process that belongs to no run and only describes itself.
    pub(crate) fn inside(parent: &Path, isolation: &Isolation) -> Self {
        Self {
            sockets: parent.to_path_buf(),
            files: parent.to_path_buf(),
            evidence: None,
            isolation: isolation.clone(),
            run_uuid: String::new(),
            duty: Duty::Describe,
            writable: Vec::new(),
        }
    }

    /// The same for a process that may change what the configuration names.
    pub(crate) fn named_by(mut self, configuration: &Value) -> Self {
        self.writable.extend(self.isolation.named(configuration));
        self
    }

    /// The same for a process that removes what an earlier one left.
    pub(crate) fn for_reclaiming(mut self) -> Self {
        self.duty = Duty::Reclaim;
        self
    }

    /// The command that starts a plugin here, without its environment.
    pub(crate) fn command(&self, owner: &Owner) -> tokio::process::Command {
        let private = Some(self.files.as_path());
        self.isolation
            .command(owner, self.duty, &self.opened(), private)
    }

    /// What the process may change besides what every confined plugin may.
    fn opened(&self) -> Vec<&Path> {
        let own = [self.sockets.as_path(), &self.files].into_iter();
        own.chain(self.writable.iter().map(PathBuf::as_path))
            .collect()
    }

    /// Whether the plugin may change what is at `path`.
    pub(crate) fn may_change(&self, owner: &Owner, path: &Path) -> bool {
        self.isolation.may_change(owner, &self.opened(), path)
    }

    /// Puts what the plugin keeps of a failure where it outlives the plugin.
    fn save_evidence(&self) -> io::Result<()> {
        let left = self.files.join(EVIDENCE);
        let Some(place) = &self.evidence else {
            return Ok(());
        };
        if std::fs::read_dir(&left).map_or(true, |mut entries| entries.next().is_none()) {
            return Ok(());
        }
        std::fs::create_dir_all(place)?;
        for entry in std::fs::read_dir(&left)? {
            let entry = entry?;
            copy_evidence(&entry.path(), &place.join(entry.file_name()))?;
        }
        Ok(())
    }
}

/// Copies a file that a plugin left: neither what it links to, nor what never ends.
fn copy_evidence(from: &Path, to: &Path) -> io::Result<()> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(from);
    let file = match opened {
        Ok(file) if file.metadata()?.is_file() => file,
        refused => {
            tracing::warn!(path = %from.display(), ?refused, "evidence that is no file is left out");
            return Ok(());
        }
    };
    let mut new = OpenOptions::new();
    let mut new = new.write(true).create_new(true).mode(0o600).open(to)?;
    let copied = io::copy(&mut file.take(EVIDENCE_LIMIT), &mut new)?;
    if copied == EVIDENCE_LIMIT {
        tracing::warn!(path = %to.display(), "evidence was cut off at {EVIDENCE_LIMIT} bytes");
    }
    Ok(())
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if let Err(error) = self.save_evidence() {
            tracing::warn!(%error, "evidence cannot be kept");
        }
        for path in [&self.files, &self.sockets] {
            match std::fs::remove_dir_all(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::debug!(path = %path.display(), %error, "cannot remove a private folder");
                }
                _ => {}
            }
        }
    }
}

/// The lock of a run's folder; `None` when its run is alive.
pub(crate) fn take_lock(folder: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(folder.join(LOCK))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What becomes of folders above a new one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parents {
    Make,
    AreThere,
}

/// A folder that nobody else looks into.
pub(crate) fn make_private(path: &Path, parents: Parents) -> Result<(), ClientError> {
    DirBuilder::new()
        .mode(0o700)
        .recursive(parents == Parents::Make)
        .create(path)
        .map_err(with_remedy)
        .and_then(|()| check_private(path))
        .map_err(|source| file_error("create folder", path, source))
}

/// A refusal with what can be done about it.
fn with_remedy(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            let remedy = "set XDG_STATE_HOME to a folder that you may write to";
            io::Error::new(error.kind(), format!("{error}; {remedy}"))
        }
        _ => error,
    }
}

/// Refuses a folder that was there before and is not ours alone: what is found in it is trusted.
fn check_private(path: &Path) -> io::Result<()> {
    let facts = std::fs::symlink_metadata(path)?;
    let own = rustix::process::geteuid().as_raw();
    if facts.is_dir() && facts.uid() == own && facts.mode() & 0o022 == 0 {
        return Ok(());
    }
    let reason = "it belongs to somebody else or others may write there; remove it, or set \
                  XDG_STATE_HOME to a folder of your own";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

/// What could not be done with a file or folder.
pub(crate) fn file_error(action: &'static str, path: &Path, source: io::Error) -> ClientError {
    ClientError::File {
        action,
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_dead_processes_are_removed() {
        let parent = tempfile::tempdir().expect("a folder");
        let used = LockedFolder::inside(parent.path()).expect("a folder");
        let dead = LockedFolder::inside(parent.path()).expect("a folder");
        let (path, lock) = (dead.folder.keep(), dead._lock);
        let of_run = socket_folder(parent.path()).expect("a folder");
        LockedFolder::remove_dead(parent.path());
        assert!(path.exists(), "it is locked");
        drop(lock);
        LockedFolder::remove_dead(parent.path());
        assert!(!path.exists());
        assert!(used.path().exists() && of_run.path().exists());
    }
}
