//! The private folder of one run.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use host_eval::Value;
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use crate::error::ClientError;
use crate::isolation::{Duty, Isolation};
use crate::journal::{Journal, Owner};
use crate::reclaim::{Leftover, reclaim_entries};
use crate::registry::Registry;
use crate::settings::Settings;

const LOCK: &str = "lock";
const JOURNAL: &str = "journal.jsonl";
/// Says where the sockets of the run are.
const SOCKETS: &str = "sockets";
/// Says that the folder shall stay after the run.
const KEPT: &str = "kept";
/// How long the folder of a run stays for what is kept in it.
const KEPT_FOR: Duration = Duration::from_secs(14 * 24 * 3600);
/// Has a folder for each plugin process that kept something of a failure.
const EVIDENCE: &str = "evidence";
/// Folders of runs that are just being made.
const NEW_PREFIX: &str = ".new-";
/// A folder that was being made this long ago was never finished.
const NEW_LIMIT: Duration = Duration::from_secs(60);
/// Private files are beside the sockets when their usual folder has a longer path than this, so
/// that sockets of programs the plugin starts find room as well.
const PRIVATE_LIMIT: usize = 75;
/// How long leftovers of dead plugins may take to be removed at the end of a run.
const BACKGROUND_LIMIT: Duration = Duration::from_secs(300);

/// The private folder of one run: journal, log, evidence, private files of its plugins.
///
/// A lock in it shows that the run is alive; it goes with the process, however that ends.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    journal: Journal,
    cache_folder: PathBuf,
    socket_folder: PathBuf,
    isolation: Isolation,
    sockets: Mutex<Option<TempDir>>,
    last_private: AtomicU64,
    kept: AtomicBool,
    background: TaskTracker,
    _lock: File,
}

impl RunDirectory {
    /// Makes the folder of a new run.
    ///
    /// # Errors
    ///
    /// [`ClientError::File`] when that is not possible.
    pub fn create(settings: &Settings) -> Result<Arc<Self>, ClientError> {
        let parent = &settings.run_folder;
        make_private(parent, Parents::Make)?;
        let seconds = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let id = format!("{}-{:08x}", seconds.as_secs(), rand::random::<u32>());
        let unfinished = parent.join(format!("{NEW_PREFIX}{id}"));
        make_private(&unfinished, Parents::AreThere)?;
        let lock = take_lock(&unfinished)
            .and_then(|lock| lock.ok_or_else(|| io::ErrorKind::WouldBlock.into()))
            .map_err(|source| file_error("lock folder", &unfinished, source))?;
        let path = parent.join(id);
        std::fs::rename(&unfinished, &path)
            .map_err(|source| file_error("create folder", &path, source))?;
        Ok(Arc::new(Self {
            journal: Journal::new(path.join(JOURNAL)),
            path,
            cache_folder: settings.cache_folder.clone(),
            socket_folder: settings.socket_folder.clone(),
            isolation: settings.isolation.clone(),
            sockets: Mutex::new(None),
            last_private: AtomicU64::new(0),
            kept: AtomicBool::new(false),
            background: TaskTracker::new(),
            _lock: lock,
        }))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resources of the run.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Lets the folder stay after the run, for the log or the evidence in it.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// What plugins kept of machines whose builds failed; `None` when there is nothing.
    #[must_use]
    pub fn evidence(&self) -> Option<PathBuf> {
        let folder = self.path.join(EVIDENCE);
        folder.is_dir().then_some(folder)
    }

    /// Ends the run: removes what its plugins left behind, then the folder, unless it is kept or
    /// something could not be removed. Gives what was left behind. Call it when every session has
    /// been stopped.
    pub async fn finish(self: &Arc<Self>, registry: &Registry) -> Vec<Leftover> {
        self.background.close();
        if tokio::time::timeout(BACKGROUND_LIMIT, self.background.wait())
            .await
            .is_err()
        {
            tracing::warn!("leftovers of a dead plugin are still being removed");
        }
        let leftovers = reclaim_entries(registry, self, &self.journal).await;
        drop(
            self.sockets
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        if self.evidence().is_some() {
            self.keep();
        }
        let done = if self.kept.load(Ordering::Relaxed) {
            std::fs::write(self.path.join(KEPT), "")
        } else if self.journal.unreleased().is_empty() {
            std::fs::remove_dir_all(&self.path)
        } else {
            Ok(())
        };
        if let Err(error) = done {
            tracing::warn!(path = %self.path.display(), %error, "cannot clear the run's folder");
        }
        leftovers
    }

    /// Folder that outlives runs.
    pub(crate) fn cache_folder(&self) -> &Path {
        &self.cache_folder
    }

    /// Work that has to end before the run is over.
    pub(crate) fn background(&self) -> &TaskTracker {
        &self.background
    }

    /// Folders for one plugin process.
    pub(crate) fn private_folder(&self) -> Result<PrivateFolder, ClientError> {
        let number = self.last_private.fetch_add(1, Ordering::Relaxed) + 1;
        let sockets = self.sockets()?.join(number.to_string());
        make_private(&sockets, Parents::AreThere)?;
        let files = self.path.join(format!("p{number}"));
        let files = if files.as_os_str().len() > PRIVATE_LIMIT {
            sockets.join("files")
        } else {
            files
        };
        let evidence = Some(self.path.join(EVIDENCE).join(number.to_string()));
        let folder = PrivateFolder {
            sockets,
            files,
            evidence,
            isolation: self.isolation.clone(),
            duty: Duty::Work,
            writable: vec![self.cache_folder.clone()],
        };
        make_private(&folder.files, Parents::AreThere)?;
        Ok(folder)
    }

    fn sockets(&self) -> Result<PathBuf, ClientError> {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &*sockets {
            return Ok(folder.path().to_path_buf());
        }
        let folder = socket_folder(&self.socket_folder)?;
        let path = folder.path().to_path_buf();
        let note = self.path.join(SOCKETS);
        std::fs::write(&note, path.to_string_lossy().as_bytes())
            .map_err(|source| file_error("write", &note, source))?;
        *sockets = Some(folder);
        Ok(path)
    }
}

/// A short-lived folder for sockets, mode 0700.
pub(crate) fn socket_folder(parent: &Path) -> Result<TempDir, ClientError> {
    tempfile::Builder::new()
        .prefix(SOCKET_PREFIX)
        .rand_bytes(8)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(|source| file_error("create a folder in", parent, source))
}

const SOCKET_PREFIX: &str = "kiln-";

/// The folders of one plugin process, mode 0700; they are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct PrivateFolder {
    /// For sockets; short.
    pub(crate) sockets: PathBuf,
    /// For files.
    pub(crate) files: PathBuf,
    /// Where the evidence goes that a plugin left in a folder `evidence` among its files.
    evidence: Option<PathBuf>,
    /// What the process may do besides, when it is confined.
    pub(crate) isolation: Isolation,
    duty: Duty,
    writable: Vec<PathBuf>,
}

impl PrivateFolder {
    /// Folders inside `parent`, for a process that belongs to no run and only describes itself.
    pub(crate) fn inside(parent: &Path, isolation: &Isolation) -> Self {
        Self {
            sockets: parent.to_path_buf(),
            files: parent.to_path_buf(),
            evidence: None,
            isolation: isolation.clone(),
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
        let own = [self.sockets.as_path(), &self.files];
        let all: Vec<&Path> = own
            .into_iter()
            .chain(self.writable.iter().map(PathBuf::as_path))
            .collect();
        self.isolation.command(owner, self.duty, &all)
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
            std::fs::copy(entry.path(), place.join(entry.file_name()))?;
        }
        Ok(())
    }
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

/// The folder of a run that is dead, locked so that nobody else works on it.
pub(crate) struct DeadRun {
    path: PathBuf,
    _lock: File,
}

impl DeadRun {
    /// Every dead run in `run_folder`.
    pub(crate) fn all(run_folder: &Path) -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(run_folder) else {
            return Vec::new();
        };
        let mut dead: Vec<_> = entries
            .flatten()
            .filter(|entry| !is_being_made(entry))
            .filter_map(|entry| {
                let path = entry.path();
                let lock = take_lock(&path).ok()??;
                Some(Self { path, _lock: lock })
            })
            .collect();
        dead.sort_by(|one, other| one.path.cmp(&other.path));
        dead
    }

    /// The name of the run.
    pub(crate) fn id(&self) -> String {
        self.path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// What it had made.
    pub(crate) fn journal(&self) -> io::Result<Journal> {
        Journal::read(self.path.join(JOURNAL))
    }

    /// Removes the folder, or what is not evidence in it, and the sockets. Call it when nothing is
    /// on record any more.
    pub(crate) fn clear(&self) -> io::Result<()> {
        if let Ok(sockets) = std::fs::read_to_string(self.path.join(SOCKETS)) {
            let sockets = PathBuf::from(sockets);
            let name = sockets
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            // The note is ours, but a folder of another name is never removed on its word.
            if name.starts_with(SOCKET_PREFIX) && sockets.is_dir() {
                std::fs::remove_dir_all(&sockets)?;
            }
        }
        let kept = std::fs::metadata(self.path.join(KEPT)).and_then(|facts| facts.modified());
        let age = kept.ok().map(|since| since.elapsed().unwrap_or_default());
        if age.is_some_and(|age| age < KEPT_FOR) {
            return Ok(());
        }
        std::fs::remove_dir_all(&self.path)
    }
}

fn is_being_made(entry: &std::fs::DirEntry) -> bool {
    let is_new = entry.file_name().to_string_lossy().starts_with(NEW_PREFIX);
    let age = entry.metadata().and_then(|data| data.modified()).ok();
    is_new
        && age
            .and_then(|at| at.elapsed().ok())
            .is_none_or(|age| age < NEW_LIMIT)
}

/// The lock of a run's folder; `None` when its run is alive.
fn take_lock(folder: &Path) -> io::Result<Option<File>> {
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parents {
    Make,
    AreThere,
}

fn make_private(path: &Path, parents: Parents) -> Result<(), ClientError> {
    DirBuilder::new()
        .mode(0o700)
        .recursive(parents == Parents::Make)
        .create(path)
        .and_then(|()| check_private(path))
        .map_err(|source| file_error("create folder", path, source))
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

fn file_error(action: &'static str, path: &Path, source: io::Error) -> ClientError {
    ClientError::File {
        action,
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Owner, Resource};

    fn settings(folder: &Path) -> Settings {
        Settings {
            run_folder: folder.join("runs"),
            socket_folder: folder.to_path_buf(),
            ..Settings::default()
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    }

    #[tokio::test]
    async fn a_clean_run_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let run = RunDirectory::create(&settings).unwrap();
        let private = run.private_folder().unwrap();
        let mode = std::fs::metadata(&private.sockets)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(private.files.is_dir());
        drop(private);
        assert!(run.finish(&Registry::default()).await.is_empty());
        assert!(names(&settings.run_folder).is_empty());
        assert_eq!(names(folder.path()), ["runs"]);
    }

    #[tokio::test]
    async fn a_kept_run_leaves_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let run = RunDirectory::create(&settings).unwrap();
        run.keep();
        run.finish(&Registry::default()).await;
        let path = run.path().to_path_buf();
        drop(run);
        assert!(path.is_dir());
        for dead in DeadRun::all(&settings.run_folder) {
            dead.clear().unwrap();
        }
        assert!(path.is_dir());
    }

    #[tokio::test]
    async fn only_runs_without_a_process_are_dead() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let alive = RunDirectory::create(&settings).unwrap();
        let dying = RunDirectory::create(&settings).unwrap();
        let owner = Owner {
            behind: None,
            confined: None,
            name: "x".into(),
            path: "/x".into(),
        };
        let resource = Resource {
            kind: "file".into(),
            id: "/a".into(),
            reclaim: Default::default(),
        };
        dying.journal().record(owner, resource).await.unwrap();
        let private = dying.private_folder().unwrap();
        let sockets = dying.sockets.lock().unwrap().take().unwrap().keep();
        std::mem::forget(private);
        let id = DeadRun {
            path: dying.path().to_path_buf(),
            _lock: File::open("/").unwrap(),
        }
        .id();
        drop(dying);
        let dead = DeadRun::all(&settings.run_folder);
        assert_eq!(dead.iter().map(DeadRun::id).collect::<Vec<_>>(), [id]);
        assert_eq!(dead[0].journal().unwrap().unreleased().len(), 1);
        dead[0].clear().unwrap();
        assert!(!sockets.exists());
        drop(dead);
        assert!(alive.path().is_dir());
        assert_eq!(names(&settings.run_folder).len(), 1);
    }
}
