//! What can go wrong with the programs.

use std::io;

use super::package;

/// A program failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DriverError {
    /// It is not installed.
    #[error("`{program}` is not installed or not in PATH{}", remedy(program))]
    Missing {
        /// The executable.
        program: String,
    },
    /// It cannot be run.
    #[error("cannot run `{program}`")]
    Spawn {
        /// The executable.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It ended with a failure.
    #[error("`{program} {arguments}` ended with {status}{}", quoted(stderr))]
    Failed {
        /// The executable.
        program: String,
        /// Its arguments, joined with spaces.
        arguments: String,
        /// Its exit status or signal.
        status: String,
        /// The last lines of its standard error.
        stderr: String,
    },
    /// QEMU does not tell its version.
    #[error("`{program} -version` tells no version{}", quoted(answer))]
    Version {
        /// The executable.
        program: String,
        /// What it answered.
        answer: String,
    },
    /// A service ended while it started.
    #[error(
        "`{program}` failed to start: it ended with {status}{}{}",
        quoted(stderr),
        advice(stderr)
    )]
    Start {
        /// The executable.
        program: String,
        /// Its exit status or signal.
        status: String,
        /// The last lines of its standard error.
        stderr: String,
    },
    /// A service does not become ready.
    #[error("`{program}` was not ready after {seconds} s{}", quoted(stderr))]
    NotReady {
        /// The executable.
        program: String,
        /// The limit.
        seconds: u64,
        /// The last lines of its standard error.
        stderr: String,
    },
    /// The disk is full.
    #[error(
        "no space left on the disk of `{place}`; make room there or set `output_directory` to a larger disk"
    )]
    DiskFull {
        /// What was being written.
        place: String,
    },
}

impl DriverError {
    /// Whether QEMU was still closing the image when `qemu-img` wanted it.
    pub(crate) fn is_locked_image(&self) -> bool {
        matches!(self, Self::Failed { stderr, .. } if stderr.contains("Failed to get shared \"write\" lock"))
    }

    /// The same, told apart when the disk was full while `place` was written.
    pub(crate) fn on(self, place: &str) -> Self {
        match &self {
            Self::Failed { stderr, .. } if stderr.contains("No space left on device") => {
                Self::DiskFull {
                    place: place.to_owned(),
                }
            }
            _ => self,
        }
    }
}

fn remedy(program: &str) -> String {
    package(program).map_or_else(String::new, |package| {
        format!("; on Debian and Ubuntu the package `{package}` has it")
    })
}

fn quoted(stderr: &str) -> String {
    if stderr.trim().is_empty() {
        String::new()
    } else {
        format!(":\n{}", stderr.trim_end())
    }
}

/// What usually helps against well-known complaints.
pub(crate) fn advice(stderr: &str) -> &'static str {
    let complaint = stderr.to_ascii_lowercase();
    if complaint.contains("gtk") || complaint.contains("cannot open display") {
        "\nSet `headless = true` when there is no screen to open a window on."
    } else if complaint.contains("kvm") {
        "\nSet `accelerator = \"tcg\"` when KVM cannot be used here."
    } else if complaint.contains("could not set up host forwarding rule") {
        "\nAnother program took the port; set `host_port_min` and `host_port_max` to free ones."
    } else {
        ""
    }
}
