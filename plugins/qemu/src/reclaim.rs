//! Ends processes that a dead build left behind.

use std::path::Path;
use std::time::Duration;

use kiln_sdk::ProcessIdentity;
use kiln_sdk::{Failure, Resource};

/// Kind of a file with the number of a process that has the file's path among its arguments.
pub(crate) const PIDFILE: &str = "qemu-pidfile";

/// How long a process that was started just before the crash may take to write its number.
const LIMIT: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(50);

/// Ends the process whose number is in the file `resource` names.
///
/// A number may have been given to another process since, so the process must also have the path
/// of the file among its arguments, as QEMU and swtpm were started.
///
/// # Errors
///
/// When the process does not end.
pub(crate) async fn reclaim_process(resource: Resource) -> Result<(), Failure> {
    let pidfile = Path::new(&resource.id);
    let Some(identity) = owner(pidfile).await else {
        return Ok(());
    };
    identity.end().await.map_err(|error| {
        Failure::new(format!(
            "cannot end the process of `{}`: {error}",
            pidfile.display()
        ))
    })?;
    match tokio::fs::remove_file(pidfile).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::new(format!(
            "cannot remove `{}`: {error}",
            pidfile.display()
        ))),
        _ => Ok(()),
    }
}

async fn owner(pidfile: &Path) -> Option<ProcessIdentity> {
    let number = async {
        loop {
            if let Ok(text) = tokio::fs::read_to_string(pidfile).await
                && let Ok(pid) = text.trim().parse::<u32>()
            {
                return pid;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let pid = tokio::time::timeout(LIMIT, number).await.ok()?;
    let identity = ProcessIdentity::of(pid)?;
    let arguments = tokio::fs::read(format!("/proc/{pid}/cmdline")).await.ok()?;
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    arguments
        .contains(&pidfile.display().to_string())
        .then_some(identity)
}

#[cfg(test)]
mod tests {
    use rustix::process::{Pid, Signal, kill_process_group};

    use super::*;

    async fn check(has_path: bool) -> bool {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pidfile = folder.path().join("qemu.pid");
        let name = if has_path {
            pidfile.display().to_string()
        } else {
            "other".to_owned()
        };
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", "sleep 600; true", &name])
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let pid = child.id().expect("it runs");
        std::fs::write(&pidfile, format!("{pid}\n")).expect("written");
        let resource = Resource::of(PIDFILE, pidfile.display().to_string());
        reclaim_process(resource).await.expect("it is reclaimed");
        let ended = child.try_wait().expect("it can be asked").is_some();
        let group = Pid::from_raw(i32::try_from(pid).expect("a number")).expect("above zero");
        if !ended {
            kill_process_group(group, Signal::KILL).expect("it runs");
        }
        child.wait().await.expect("it ends");
        ended
    }

    #[tokio::test]
    async fn ends_the_process_that_has_the_file_among_its_arguments() {
        assert!(check(true).await);
    }

    #[tokio::test]
    async fn leaves_another_process_of_that_number_alone() {
        assert!(!check(false).await);
    }

    #[tokio::test]
    async fn nothing_there_is_nothing_to_do() {
        let resource = Resource::of(PIDFILE, "/nonexistent/qemu.pid");
        reclaim_process(resource).await.expect("nothing to do");
    }
}
