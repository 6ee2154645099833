//! What a process may touch: a plugin that did not come with kiln is started through here.
//!
//! Here are the [`Policy`], its enforcement by the kernel (Landlock for files, a filter of system
//! calls for the network and for what no plugin needs), and [`exec`], which confines the calling
//! process and becomes the program. Not here: which plugin gets which policy, and limits of memory,
//! which the host watches.
//!
//! # Source
//!
//! `landlock(7)`, `seccomp(2)`; Linux 5.13 and later has the first, the host says what is missing.

mod files;
mod policy;
#[cfg(target_os = "linux")]
mod system_calls;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

pub use files::Files;
pub use policy::{Network, Policy, Signals};

/// A process could not be confined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfineError {
    /// The policy is not one.
    #[error("the policy cannot be read: {0}")]
    Policy(#[from] serde_json::Error),
    /// The kernel refused the rules about files.
    #[error("the kernel refuses the rules about files: {0}")]
    Files(String),
    /// The kernel refused the filter of system calls.
    #[error("the kernel refuses the filter of system calls: {0}")]
    SystemCalls(String),
    /// The limit of open files or of core dumps was refused.
    #[error("the kernel refuses a limit: {0}")]
    Limit(#[from] rustix::io::Errno),
    /// The program could not be started.
    #[error("cannot start `{}`: {source}", program.display())]
    Exec {
        /// The program.
        program: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What the kernel can enforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// Rules about files.
    pub files: Files,
    /// Filters of system calls.
    pub system_calls: bool,
}

/// What this kernel can enforce.
#[must_use]
pub fn support() -> Support {
    Support {
        files: files::support(),
        system_calls: cfg!(target_os = "linux"),
    }
}

/// Confines the calling thread and everything it starts, for good. What the kernel cannot enforce is
/// left out.
///
/// # Errors
///
/// When the kernel refuses what it can do. The thread may be confined in part then: it should end.
pub fn enter(policy: &Policy) -> Result<(), ConfineError> {
    limit_core_dumps()?;
    files::restrict(policy)?;
    #[cfg(target_os = "linux")]
    system_calls::restrict(policy.network)?;
    Ok(())
}

/// Confines the calling process by the policy, which is JSON or `@` and a file with that, and becomes the program with these arguments.
/// Returns only when that failed.
#[must_use]
pub fn exec(policy: &str, program: OsString, arguments: Vec<OsString>) -> ConfineError {
    // A session of its own has no terminal that somebody else types into. Who leads a group already
    // cannot have one, and has a filter of system calls against that as well.
    let _group = rustix::process::setsid();
    let confined = read(policy).and_then(|policy| enter(&policy));
    if let Err(error) = confined {
        return error;
    }
    let source = Command::new(&program).args(arguments).exec();
    ConfineError::Exec {
        program: program.into(),
        source,
    }
}

/// The policy, or what the file that is named behind `@` holds: an argument has 128 KiB at most.
fn read(policy: &str) -> Result<Policy, ConfineError> {
    match policy.strip_prefix('@') {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(serde_json::Error::io)?;
            Ok(serde_json::from_str(&text)?)
        }
        None => Ok(serde_json::from_str(policy)?),
    }
}

/// A core dump would hold the secrets that the plugin was told.
fn limit_core_dumps() -> Result<(), ConfineError> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    Ok(setrlimit(Resource::Core, none)?)
}
