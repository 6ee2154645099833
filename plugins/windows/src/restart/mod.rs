//! The `windows-restart` provisioner: restarts the machine and waits until it is back.
//!
//! Windows says "yes" to a restart long before it stops, and answers for a while after. So after
//! the command the machine is watched until it is gone, then until it answers, and, when the
//! command is the default one, until it tells another time of its last start than before.

use std::sync::Arc;
use std::time::Duration;

use kiln_sdk::communicator::{Captured, Command, Exit, capture};
use kiln_sdk::winrm::powershell;
use kiln_sdk::{
    BuildInfo, Communicator, Config, Failure, Prepared, Provisioner, RunContext, Value, run_remote,
};
use tokio::time::Instant;

/// What restarts a machine when the template does not say it.
const RESTART: &str = r#"shutdown /r /f /t 0 /c "packer restart""#;
/// Asks for another restart, which tells whether one is under way.
const PROBE: &str = r#"shutdown /r /f /t 60 /c "packer restart test""#;
/// Takes the question back.
const ABORT: &str = "shutdown /a";
/// Ends of the restart command that are success: done, or one is under way already.
const ACCEPTED: [u32; 3] = [0, 1115, 1190];
/// Answers to [`PROBE`] while the machine goes down.
const UNDER_WAY: [u32; 3] = [1115, 1190, 1717];
/// What the check has to print.
const BACK: &str = "restarted.";
/// Time between looks at a machine that goes down.
const DOWN_PAUSE: Duration = Duration::from_secs(1);
/// Time between looks at a machine that comes up.
const UP_PAUSE: Duration = Duration::from_secs(2);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(30);

/// Keys that exist while Windows wants another restart.
///
/// # Source
///
/// Packer's defaults of `registry_keys`.
const KEYS: [&str; 3] = [
    r"HKLM:SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"HKLM:SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\PackagesPending",
    r"HKLM:SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootInProgress",
];

/// Restarts a Windows machine and waits until it is back.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct RestartConfig {
    /// What restarts the machine; default `shutdown /r /f /t 0 /c "packer restart"`.
    pub(crate) restart_command: String,
    /// What tells that the machine is back: it has to print a text with `restarted.`.
    pub(crate) restart_check_command: String,
    /// How long the restart may take.
    #[config(default = "5m")]
    pub(crate) restart_timeout: Duration,
    /// Whether to wait until none of `registry_keys` exists.
    pub(crate) check_registry: bool,
    /// Keys that exist while Windows is not done yet; default: those of pending updates.
    pub(crate) registry_keys: Vec<String>,
}

/// The provisioner.
pub(crate) struct WindowsRestart;

impl Provisioner for WindowsRestart {
    type Config = RestartConfig;

    fn prepare(&self, config: &mut RestartConfig, _build: &BuildInfo) -> Prepared {
        let or = |text: &mut String, default: &str| {
            if text.is_empty() {
                default.clone_into(text);
            }
        };
        or(&mut config.restart_command, RESTART);
        let check = "Write-Output ('{0} restarted.' -f [System.Net.Dns]::GetHostName())";
        or(
            &mut config.restart_check_command,
            &powershell::command(check),
        );
        if config.registry_keys.is_empty() {
            config.registry_keys = KEYS.map(str::to_owned).to_vec();
        }
        Prepared::default()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: RestartConfig,
        machine: Arc<dyn Communicator>,
        _generated: Value,
    ) -> Result<(), Failure> {
        let restart = Restart {
            cx: &cx,
            config: &config,
            machine: machine.as_ref(),
        };
        let work = async {
            let before = restart.started().await;
            cx.say("Restarting Machine").await;
            restart.command().await?;
            cx.say("Waiting for machine to restart...").await;
            let deadline = Instant::now() + config.restart_timeout;
            restart.wait(before.as_deref(), deadline).await?;
            cx.say("Machine successfully restarted, moving on").await;
            Ok(())
        };
        cx.until_cancelled(work).await?
    }
}

struct Restart<'a> {
    cx: &'a RunContext,
    config: &'a RestartConfig,
    machine: &'a dyn Communicator,
}

impl Restart<'_> {
    /// When the machine was started, as it says itself; nothing when it does not, or when a command
    /// of the template restarts, which may do so in ways of its own.
    async fn started(&self) -> Option<String> {
        if self.config.restart_command != RESTART {
            return None;
        }
        let script = "Write-Output ('start ' + \
                      (Get-WmiObject Win32_OperatingSystem).LastBootUpTime)";
        let captured = self.look(&powershell::command(script)).await?;
        let line = captured
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("start "))?;
        let time = line.trim();
        (!time.is_empty()).then(|| time.to_owned())
    }

    async fn command(&self) -> Result<(), Failure> {
        let command = Command::new(&self.config.restart_command);
        match run_remote(self.cx, self.machine, command).await? {
            Exit::Code(code) if ACCEPTED.contains(&code) => Ok(()),
            // It was fast.
            Exit::Disconnected(_) => Ok(()),
            Exit::Code(code) => Err(Failure::new(format!(
                "Restart script exited with non-zero exit status: {code}"
            ))),
            Exit::Signal(signal) => Err(Failure::new(format!(
                "Restart script was ended by signal {signal}"
            ))),
        }
    }

    /// Runs `command` without showing what it prints; nothing when it could not be run in time.
    async fn look(&self, command: &str) -> Option<Captured> {
        let run = capture(self.machine, Command::new(command));
        match tokio::time::timeout(LOOK, run).await {
            Ok(Ok(captured)) if !matches!(captured.exit, Exit::Disconnected(_)) => Some(captured),
            Ok(Ok(captured)) => {
                tracing::debug!(exit = ?captured.exit, "machine went away");
                None
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "machine does not answer");
                None
            }
            Err(_) => None,
        }
    }

    async fn wait(&self, before: Option<&str>, deadline: Instant) -> Result<(), Failure> {
        let left = || deadline.saturating_duration_since(Instant::now());
        let limit = self.config.restart_timeout.as_secs();
        let gone = tokio::time::timeout(left(), self.until_gone(before));
        gone.await.map_err(|_| {
            Failure::new(format!(
                "Timeout waiting for machine to restart: after {limit} s (`restart_timeout`) it \
                 had not gone down"
            ))
        })?;
        let mut seen = "it did not answer".to_owned();
        loop {
            match tokio::time::timeout(left(), self.is_back(before)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(why)) => seen = why,
                Err(_) => {}
            }
            if left() <= UP_PAUSE {
                return Err(Failure::new(format!(
                    "Timeout waiting for machine to restart. After {limit} s (`restart_timeout`): \
                     {seen}"
                )));
            }
            tracing::debug!(seen, "machine is not back yet");
            tokio::time::sleep(UP_PAUSE).await;
        }
    }

    /// Waits until the machine goes down, or has come back.
    ///
    /// # Source
    ///
    /// Packer asks for a second restart, whose exit code tells about the first one.
    async fn until_gone(&self, before: Option<&str>) {
        loop {
            let Some(captured) = self.look(PROBE).await else {
                return;
            };
            match captured.exit {
                Exit::Code(0) => {
                    // No restart is under way: it is over, or has not begun.
                    self.look(ABORT).await;
                    let now = self.started().await;
                    if before.is_none() || now.as_deref() != before {
                        return;
                    }
                }
                Exit::Code(code) if UNDER_WAY.contains(&code) => {}
                _ => return,
            }
            tokio::time::sleep(DOWN_PAUSE).await;
        }
    }

    /// Whether the machine is back and done.
    async fn is_back(&self, before: Option<&str>) -> Result<(), String> {
        self.machine
            .reconnect(None)
            .await
            .map_err(|error| Failure::from_error(&error).message)?;
        let command = &self.config.restart_check_command;
        let captured = self.look(command).await.ok_or("it went away again")?;
        if !captured.stdout.contains(BACK) {
            return Err(format!(
                "`restart_check_command` printed `{}` without `{BACK}`",
                captured.stdout.trim()
            ));
        }
        if let (Some(before), Some(now)) = (before, self.started().await)
            && now == before
        {
            return Err("it answers, but says that it was not restarted".to_owned());
        }
        for line in captured
            .stdout
            .lines()
            .filter(|line| !line.trim().is_empty())
        {
            self.cx.say(line.trim_end().to_owned()).await;
        }
        self.pending_keys().await
    }

    /// # Errors
    ///
    /// When one of the keys exists.
    async fn pending_keys(&self) -> Result<(), String> {
        if !self.config.check_registry {
            return Ok(());
        }
        for key in &self.config.registry_keys {
            let key = powershell::literal(key);
            let script = format!("if (Test-Path -LiteralPath {key}) {{ Write-Output 'pending' }}");
            let captured = self.look(&powershell::command(&script)).await;
            let captured = captured.ok_or("it went away again")?;
            if captured.stdout.contains("pending") {
                return Err(format!("the registry key {key} still exists"));
            }
        }
        Ok(())
    }
}
