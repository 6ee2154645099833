//! A command whose output is wanted as a whole.

use tokio::sync::mpsc;

use crate::{Command, Communicator, CommunicatorError, Exit, Output};

/// The most that is kept of each stream, in bytes; the rest is dropped.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// A command that ended, and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// How it ended.
    pub exit: Exit,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error; likewise.
    pub stderr: String,
    /// Whether there was more than is kept.
    pub truncated: bool,
}

/// Runs `command` on `machine` and keeps what it prints, up to 4 MiB of each stream.
///
/// # Errors
///
/// Those of [`Communicator::exec`].
pub async fn capture(
    machine: &dyn Communicator,
    command: Command,
) -> Result<Captured, CommunicatorError> {
    let (sender, mut receiver) = mpsc::channel(64);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut truncated = false;
    let collect = async {
        while let Some(output) = receiver.recv().await {
            let (kept, bytes) = match &output {
                Output::Stdout(bytes) => (&mut stdout, bytes),
                Output::Stderr(bytes) => (&mut stderr, bytes),
            };
            let room = KEPT_BYTES - kept.len();
            truncated |= bytes.len() > room;
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    };
    let (exit, ()) = tokio::join!(machine.exec(command, sender), collect);
    Ok(Captured {
        exit: exit?,
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        truncated,
    })
}
