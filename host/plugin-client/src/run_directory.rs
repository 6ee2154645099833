//! The private folder of one run.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use crate::error::ClientError;
use crate::isolation::{Duty, Isolation};
use crate::journal::Journal;
use crate::private_folder::{
    EVIDENCE, Parents, PrivateFolder, SOCKET_PREFIX, file_error, make_private, socket_folder,
    take_lock,
};
use crate::reclaim::{Leftover, reclaim_entries};
use crate::registry::Registry;
use crate::settings::Settings;

const JOURNAL: &str = "journal.jsonl";
/// Says where the sockets of the run are.
const SOCKETS: &str = "sockets";
/// Says that the folder shall stay after the run.
const KEPT: &str = "kept";
/// How long the folder of a run stays for what is kept in it.
const KEPT_FOR: Duration = Duration::from_secs(14 * 24 * 3600);
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
    /// Identity of the run, as templates and scripts know it.
    run_uuid: String,
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
            run_uuid: settings.facts.run_uuid.clone(),
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

    /// The folder that folders for sockets are made in.
    pub(crate) fn socket_parent(&self) -> &Path {
        &self.socket_folder
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
            run_uuid: self.run_uuid.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

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
            source: String::new(),
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
