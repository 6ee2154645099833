//! How many files a process may have open.
//!
//! A build takes about ten descriptors, and the usual limit of 1,024 is for programs that use
//! `select`, which knows no higher ones. Kiln raises its own limit; what it starts gets the one that
//! the user has, since scripts may run such programs, or close every descriptor there could be.

use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

/// What the limit was.
static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// Raises the limit of this process as far as the system allows. Call it once, at the start.
pub fn raise_open_files() {
    // Elsewhere nobody could give plugins the old limit again.
    if !cfg!(target_os = "linux") {
        return;
    }
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        maximum: before.maximum,
    };
    if before.current != before.maximum && setrlimit(Resource::Nofile, raised).is_ok() {
        let is_first = BEFORE.set(before).is_ok();
        debug_assert!(is_first, "it is called once");
    }
}

/// Gives a process that was just started the limit that this one had; `process` is its id.
pub fn restore_open_files(process: Option<u32>) {
    let process = process.and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some((before, process)) = BEFORE.get().zip(process)
        && let Err(error) = limit(process, *before)
    {
        tracing::debug!(%error, "cannot give a program the user's limit of open files");
    }
}

#[cfg(target_os = "linux")]
fn limit(process: Pid, files: Rlimit) -> rustix::io::Result<()> {
    rustix::process::prlimit(Some(process), Resource::Nofile, files).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn limit(_process: Pid, _files: Rlimit) -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOSYS)
}
