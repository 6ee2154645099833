//! Where a benchmark works: a folder in memory, and nothing left of it and of what it started,
//! also when it is stopped.
//!
//! A signal that asks the program to end kills everything below it and removes the folder; folders
//! of benchmarks that were killed outright are removed by the next one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_parent_process_death_signal};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::measure::family;

/// What the names of the folders begin with.
const PREFIX: &str = "kb-";
/// The longest that killed processes may take to be gone.
const LIMIT: Duration = Duration::from_secs(10);
/// Held by whoever ends the program, until its end.
static ENDING: Mutex<()> = Mutex::new(());

/// A folder for one benchmark; removed when dropped.
pub struct Place {
    folder: TempDir,
    /// Locked as long as the folder is used.
    _lock: File,
}

impl Place {
    /// A new folder, in memory where that is possible: a disk that writes back earlier files would
    /// decide. From now on the program ends cleanly when it is told to, or when its parent ends.
    ///
    /// # Errors
    ///
    /// When there is no room for it.
    pub fn new(name: &str) -> Result<Self> {
        remove_abandoned();
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{name}-"))
            .tempdir_in(parent())?;
        let lock = File::open(folder.path())?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .context("cannot lock a new folder")?;
        end_when_told(folder.path())?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Waits for a clean end that is under way; the program ends in it. Otherwise gives what keeps one
/// from beginning.
pub fn wait_for_end() -> MutexGuard<'static, ()> {
    ENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parent() -> PathBuf {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => memory.to_owned(),
        false => std::env::temp_dir(),
    }
}

/// Removes the folders whose benchmark no longer runs.
pub fn remove_abandoned() {
    let entries = std::fs::read_dir(parent());
    for entry in entries.into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let Ok(folder) = File::open(&path) else {
            continue;
        };
        if ours && flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // What cannot be removed is somebody else's.
            drop(std::fs::remove_dir_all(path));
        }
    }
}

/// Has this program told to end when its parent ends, for a benchmark that is a part of another.
///
/// # Errors
///
/// When the parent has ended already.
pub fn end_with_parent() -> Result<()> {
    let parent = rustix::process::getppid();
    set_parent_process_death_signal(Some(Signal::TERM))?;
    ensure!(
        rustix::process::getppid() == parent,
        "the benchmark this is a part of has ended"
    );
    Ok(())
}

/// Starts the thread that ends the program when it is told to.
fn end_when_told(folder: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let mut signals = Vec::new();
    {
        let _entered = runtime.enter();
        for kind in [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ] {
            signals.push((kind.as_raw_value(), signal(kind)?));
        }
    }
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        let number = runtime.block_on(async {
            let told = signals.iter_mut().map(|(number, signal)| {
                Box::pin(async {
                    signal.recv().await;
                    *number
                })
            });
            futures::future::select_all(told).await.0
        });
        end(&folder, number);
    });
    Ok(())
}

/// Ends everything below this program, removes the folder, and ends the program.
#[expect(clippy::exit, reason = "the main thread may wait for what was killed")]
fn end(folder: &Path, number: i32) {
    let _for_ever = wait_for_end();
    let begun = Instant::now();
    loop {
        let own = std::process::id();
        let below: Vec<u32> = family(own).into_iter().filter(|id| *id != own).collect();
        for id in &below {
            let id = i32::try_from(*id).ok().and_then(Pid::from_raw);
            // One that is gone already is as good.
            let _gone = id.map(|id| kill_process(id, Signal::KILL));
        }
        // Nobody else waits for children any more.
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
        let removed = match std::fs::remove_dir_all(folder) {
            Ok(()) => true,
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if (below.is_empty() && removed) || begun.elapsed() > LIMIT {
            exit(128 + number);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
