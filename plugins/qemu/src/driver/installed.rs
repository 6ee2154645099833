//! The programs that are installed here.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use kiln_sdk::HOST_VARIABLES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::machine::kill_group;
use super::output::Tail;
use super::{Driver, DriverError, Ended, Machine, Service, Version};
use crate::config::Accelerator;

/// Time for an answer to a question such as the version.
const QUESTION_LIMIT: Duration = Duration::from_secs(30);
/// Time for a service to become ready.
const READY_LIMIT: Duration = Duration::from_secs(60);
const READY_POLL: Duration = Duration::from_millis(10);

/// The programs that are installed here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Installed;

impl Driver for Installed {
    async fn version(&self, program: &str) -> Result<Version, DriverError> {
        let mut command = program_command(program)?;
        command.arg("-version");
        let answer = answer(program, command, &["-version".to_owned()], b"").await?;
        Version::parse(&answer).ok_or_else(|| DriverError::Version {
            program: program.to_owned(),
            answer,
        })
    }

    /// Starts QEMU without a machine and lets it quit: only that shows whether the kernel, the
    /// permissions and the architecture agree.
    async fn accelerates(&self, program: &str, accelerator: Accelerator) -> bool {
        let machine = format!("none,accel={}", accelerator.name());
        let arguments = [
            "-nodefaults",
            "-display",
            "none",
            "-monitor",
            "stdio",
            "-machine",
            &machine,
        ]
        .map(str::to_owned);
        let Ok(mut command) = program_command(program) else {
            return false;
        };
        command.args(&arguments);
        let result = answer(program, command, &arguments, b"quit\n").await;
        if let Err(error) = &result {
            tracing::info!(accelerator = accelerator.name(), %error, "an accelerator does not work");
        }
        result.is_ok()
    }

    async fn image_tool(
        &self,
        arguments: &[String],
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<String, DriverError> {
        let program = "qemu-img";
        tracing::debug!(program, ?arguments, "running a program");
        let mut child = program_command(program)?
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| DriverError::Spawn {
                program: program.to_owned(),
                source,
            })?;
        let tail = Tail::default();
        let stderr = child.stderr.take().expect("stderr is piped");
        let mut stdout = child.stdout.take().expect("stdout is piped");
        let printed = async {
            let (mut text, mut buffer) = (String::new(), [0; 4096]);
            while let Ok(count @ 1..) = stdout.read(&mut buffer).await {
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
                if let Some(percent) = percent(&text) {
                    progress(percent);
                }
            }
            text
        };
        let (text, (), status) = tokio::join!(
            printed,
            tail.clone().follow(stderr, program.to_owned()),
            child.wait()
        );
        let status = status.map_err(|source| DriverError::Spawn {
            program: program.to_owned(),
            source,
        })?;
        if status.success() {
            return Ok(text);
        }
        Err(failed(program, arguments, status, tail.text()))
    }

    async fn start(&self, service: &Service) -> Result<Machine, DriverError> {
        let program = service.program.clone();
        tracing::debug!(program, arguments = ?service.arguments, "starting a program");
        let mut child = program_command(&program)?
            .args(&service.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|source| DriverError::Spawn {
                program: program.clone(),
                source,
            })?;
        // Not killed when this process ends: with `-on-error=abort` the machine stays.
        let tail = Tail::default();
        let pid = child.id();
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        tokio::spawn(Tail::default().follow(stdout, program.clone()));
        let followed = tokio::spawn(tail.clone().follow(stderr, program.clone()));
        let kill = CancellationToken::new();
        let (tell, ended) = watch::channel(None);
        let killed = kill.clone();
        tokio::spawn(async move {
            let end = watched(child, &killed).await;
            // The last words have to be there before the end is told.
            if tokio::time::timeout(Duration::from_secs(1), followed)
                .await
                .is_err()
            {
                tracing::debug!("a descendant of an ended program keeps its output open");
            }
            tell.send_replace(Some(end));
        });
        let machine = Machine::new(pid, ended, kill, tail);
        ready(service, &machine).await?;
        Ok(machine)
    }
}

/// Waits for the end of `child`; kills it and its group when told to.
async fn watched(mut child: Child, kill: &CancellationToken) -> Ended {
    let pid = child.id();
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.cancelled() => {
            kill_group(pid);
            child.wait().await
        }
    };
    status.map_or(Ended::Signal(9), ended)
}

async fn ready(service: &Service, machine: &Machine) -> Result<(), DriverError> {
    let appeared = async {
        while !service.ready.exists() {
            tokio::time::sleep(READY_POLL).await;
        }
    };
    let end = tokio::select! {
        end = machine.wait() => end,
        () = appeared => return Ok(()),
        () = tokio::time::sleep(READY_LIMIT) => {
            machine.kill().await;
            return Err(DriverError::NotReady {
                program: service.program.clone(),
                seconds: READY_LIMIT.as_secs(),
                stderr: machine.last_words(),
            });
        }
    };
    // A guest may switch itself off before anybody looks.
    if end.is_success() {
        return Ok(());
    }
    Err(DriverError::Start {
        program: service.program.clone(),
        status: end.to_string(),
        stderr: machine.last_words(),
    })
}

/// Asks a program something and returns what it prints.
async fn answer(
    program: &str,
    mut command: Command,
    arguments: &[String],
    input: &[u8],
) -> Result<String, DriverError> {
    let spawn = |source| DriverError::Spawn {
        program: program.to_owned(),
        source,
    };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(spawn)?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let asked = async {
        if let Err(error) = stdin.write_all(input).await {
            tracing::debug!(%error, "a program takes no input");
        }
        drop(stdin);
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(QUESTION_LIMIT, asked)
        .await
        .map_err(|_| spawn(std::io::Error::from(std::io::ErrorKind::TimedOut)))?
        .map_err(spawn)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(failed(program, arguments, output.status, stderr))
}

/// A command that runs `program`, without what the host tells this process only.
fn program_command(program: &str) -> Result<Command, DriverError> {
    let path = which::which(Path::new(program)).map_err(|_| DriverError::Missing {
        program: program.to_owned(),
    })?;
    let mut command = Command::new(path);
    for variable in HOST_VARIABLES {
        command.env_remove(variable);
    }
    Ok(command)
}

fn failed(program: &str, arguments: &[String], status: ExitStatus, stderr: String) -> DriverError {
    DriverError::Failed {
        program: program.to_owned(),
        arguments: arguments.join(" "),
        status: ended(status).to_string(),
        stderr,
    }
}

fn ended(status: ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    match status.code() {
        Some(code) => Ended::Status(code),
        None => Ended::Signal(status.signal().unwrap_or(9)),
    }
}

/// The last whole percentage in the output of `qemu-img convert -p`, for example `(12.34/100%)`.
fn percent(text: &str) -> Option<u64> {
    let start = text.rfind('(')?;
    let number = text[start + 1..].split_once("/100%")?.0.trim();
    number.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_progress_of_a_conversion() {
        assert_eq!(percent("    (0.00/100%)\r    (12.34/100%)\r"), Some(12));
        assert_eq!(percent("    (100.00/100%)\r\n"), Some(100));
        assert_eq!(percent("    (1"), None);
    }

    #[tokio::test]
    async fn a_missing_program_is_named_with_its_package() {
        let error = Installed
            .version("qemu-system-aarch64-not-there")
            .await
            .expect_err("missing");
        assert!(
            error
                .to_string()
                .contains("`qemu-system-aarch64-not-there` is not installed")
        );
        let error = DriverError::Missing {
            program: "qemu-system-x86_64".into(),
        };
        assert_eq!(
            error.to_string(),
            "`qemu-system-x86_64` is not installed or not in PATH; on Debian and Ubuntu the package `qemu-system-x86` has it"
        );
    }

    #[tokio::test]
    async fn an_early_end_is_told_with_the_last_words() {
        let service = Service {
            program: "sh".into(),
            arguments: vec!["-c".into(), "echo no such machine >&2; exit 3".into()],
            ready: "/nonexistent/ready".into(),
        };
        let error = Installed
            .start(&service)
            .await
            .expect_err("it ends at once");
        assert_eq!(
            error.to_string(),
            "`sh` failed to start: it ended with status 3:\nno such machine"
        );
    }

    #[tokio::test]
    async fn a_killed_service_takes_its_group_along() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ready = folder.path().join("ready");
        let service = Service {
            program: "sh".into(),
            arguments: vec![
                "-c".into(),
                format!("sleep 600 & touch {}; wait", ready.display()),
            ],
            ready,
        };
        let machine = Installed.start(&service).await.expect("it starts");
        assert_eq!(machine.ended(), None);
        machine.kill().await;
        assert_eq!(machine.ended(), Some(Ended::Signal(9)));
    }
}
