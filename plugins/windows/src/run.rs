//! How a script is started, tried again, and its end judged.

use std::path::Path;
use std::time::{Duration, Instant};

use kiln_sdk::communicator::{Command, CommunicatorError, Exit, FileTarget};
use kiln_sdk::{Communicator, Failure, RunContext, run_remote};

/// What Packer reports as exit status when the connection ended before the script did.
const DISCONNECTED: i64 = 2_300_218;
/// Time between tries to start a script.
const PAUSE: Duration = Duration::from_secs(2);

/// Writes `bytes` to `path` in the machine.
///
/// # Errors
///
/// When they are not all there.
pub(crate) async fn upload(
    machine: &dyn Communicator,
    path: &str,
    bytes: Vec<u8>,
) -> Result<(), Failure> {
    let target = FileTarget {
        path: path.to_owned(),
        mode: 0o644,
        size: Some(bytes.len() as u64),
    };
    let uploaded = machine.upload(target, Box::new(std::io::Cursor::new(bytes)));
    uploaded.await.map(drop).map_err(|error| {
        let lasting = matches!(error, CommunicatorError::Unsupported { .. });
        let failure = Failure::from_error(&error);
        // What a communicator can never do is no reason to try again.
        if lasting {
            failure.on("remote_path")
        } else {
            failure
        }
    })
}

/// Does `attempt`, which uploads a script and runs it, again and again until the script has run or
/// `limit` is over. A machine that is restarting refuses either.
///
/// # Errors
///
/// The last failure.
pub(crate) async fn start<W>(
    cx: &RunContext,
    limit: Duration,
    attempt: impl Fn() -> W,
) -> Result<Exit, Failure>
where
    W: Future<Output = Result<Exit, Failure>> + Send,
{
    let begun = Instant::now();
    loop {
        let failure = match cx.until_cancelled(attempt()).await? {
            Ok(exit) => return Ok(exit),
            Err(failure) => failure,
        };
        // What an option is to blame for does not pass.
        let lasting = failure.cancelled || !failure.diagnostics.is_empty();
        if lasting || begun.elapsed() + PAUSE >= limit {
            return Err(failure);
        }
        tracing::warn!(error = %failure, "script not started, trying again");
        cx.until_cancelled(tokio::time::sleep(PAUSE)).await?;
    }
}

/// Runs `command` and shows what it prints.
///
/// # Errors
///
/// When it could not be started.
pub(crate) async fn command(
    cx: &RunContext,
    machine: &dyn Communicator,
    command: &str,
) -> Result<Exit, Failure> {
    run_remote(cx, machine, Command::new(command)).await
}

/// Decides whether the way a script ended is success.
///
/// # Errors
///
/// When it is not.
pub(crate) fn judge(exit: Exit, allowed: &[i64]) -> Result<(), Failure> {
    let codes: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    let codes = codes.join(" ");
    // A status of Windows may be written as a signed number.
    let is_allowed = |status: u32| {
        allowed.contains(&i64::from(status)) || allowed.contains(&i64::from(status.cast_signed()))
    };
    if exit.status().is_some_and(is_allowed) {
        return Ok(());
    }
    match exit {
        Exit::Code(code) => Err(Failure::new(format!(
            "Script exited with non-zero exit status: {code}. Allowed exit codes are: [{codes}]"
        ))),
        Exit::Disconnected(_) if allowed.contains(&DISCONNECTED) => Ok(()),
        Exit::Disconnected(seen) => Err(Failure::new(format!(
            "Script disconnected unexpectedly ({seen}). To restart the machine, use the \
             `windows-restart` provisioner"
        ))),
        Exit::Signal(signal) => Err(Failure::new(format!("Script was ended by signal {signal}"))),
    }
}

/// Path of a script in the machine: a `path` that ends with a separator is a folder.
pub(crate) fn place(path: &str, script: &Path) -> String {
    if !path.ends_with(['/', '\\']) {
        return path.to_owned();
    }
    let name = script.file_name().unwrap_or_default();
    format!("{path}{}", name.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kiln_sdk::communicator::Exit;

    use super::{judge, place};

    fn check(exit: Exit, allowed: &[i64], expected: Result<(), &str>) {
        let found = judge(exit, allowed).map_err(|failure| failure.message);
        match expected {
            Ok(()) => assert_eq!(found, Ok(())),
            Err(start) => assert!(found.unwrap_err().starts_with(start)),
        }
    }

    #[test]
    fn only_allowed_ends_are_success() {
        check(Exit::Code(0), &[0], Ok(()));
        check(Exit::Code(3010), &[0, 3010], Ok(()));
        check(Exit::Code(u32::MAX), &[-1], Ok(()));
        let text = "Script exited with non-zero exit status: 2. Allowed exit codes are: [0 3]";
        check(Exit::Code(2), &[0, 3], Err(text));
        let gone = || Exit::Disconnected("gone".to_owned());
        check(gone(), &[0], Err("Script disconnected unexpectedly (gone)"));
        check(gone(), &[2_300_218], Ok(()));
        let killed = || Exit::Signal("KILL".to_owned());
        check(killed(), &[0], Err("Script was ended by signal KILL"));
        check(killed(), &[137], Ok(()));
    }

    #[test]
    fn a_path_that_ends_with_a_separator_is_a_folder() {
        let script = Path::new("/here/a.ps1");
        assert_eq!(place("c:/t/", script), "c:/t/a.ps1");
        assert_eq!(place("c:\\t\\", script), "c:\\t\\a.ps1");
        assert_eq!(place("c:/t/x.ps1", script), "c:/t/x.ps1");
    }
}
