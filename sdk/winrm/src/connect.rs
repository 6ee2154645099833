//! Waiting for a guest's WinRM service and logging in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sdk_communicator::{Exit, Output};
use sdk_component::RunContext;
use sdk_ssh::AddressSource;
use tokio_util::sync::CancellationToken;

use crate::communicator::WinRmCommunicator;
use crate::error::AttemptError;
use crate::exec;
use crate::http::Client;
use crate::powershell;
use crate::settings::Settings;
use crate::shell::{SMALLEST_ENVELOPE, Shell};

/// What the guest has to print to show that commands run.
const SIGN_OF_LIFE: &str = "WinRM connected.";
/// After so many refused logins the person is told, because waiting may be in vain.
const REFUSALS: u32 = 3;

/// Is told lines for the person building.
#[async_trait]
pub trait Observer: Send + Sync {
    /// Says a line.
    async fn line(&self, text: String);
}

#[async_trait]
impl Observer for RunContext {
    async fn line(&self, text: String) {
        self.say(text).await;
    }
}

/// Nobody is told.
#[async_trait]
impl Observer for () {
    async fn line(&self, _text: String) {}
}

/// There is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The time is up.
    #[error("Timeout waiting for WinRM: no connection to {to} within {} s: {seen}", limit.as_secs())]
    Timeout {
        /// Where to.
        to: String,
        /// The limit, `winrm_timeout`.
        limit: Duration,
        /// What was seen.
        seen: String,
    },
    /// Nothing can be tried.
    #[error("{0}")]
    Unusable(AttemptError),
    /// The run was cancelled.
    #[error("cancelled while waiting for WinRM")]
    Cancelled,
}

impl ConnectError {
    /// The option that is most likely to be wrong; `None` when it is not known, and for the end
    /// after a cancellation.
    #[must_use]
    pub fn option(&self) -> Option<&'static str> {
        match self {
            Self::Timeout { .. } => Some("winrm_timeout"),
            Self::Unusable(AttemptError::Login(_)) => Some("winrm_username"),
            Self::Unusable(_) | Self::Cancelled => None,
        }
    }
}

/// What a row of attempts saw.
#[derive(Default)]
struct History {
    kinds: Vec<(&'static str, u32)>,
    last: Option<AttemptError>,
}

impl History {
    fn add(&mut self, error: AttemptError) {
        let kind = error.kind();
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((kind, 1)),
        }
        self.last = Some(error);
    }

    fn refusals(&self) -> u32 {
        let refused = self.kinds.iter().find(|(kind, _)| *kind == "login refused");
        refused.map_or(0, |(_, count)| *count)
    }
}

impl std::fmt::Display for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(last) = &self.last else {
            return f.write_str("no attempt was finished");
        };
        for (index, (kind, count)) in self.kinds.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{kind} {count} times")?;
        }
        write!(f, "; last: {last}")
    }
}

/// Waits for the guest's WinRM service, logs in, runs a first command, and returns the machine.
///
/// # Errors
///
/// [`ConnectError`], whose text says what was seen.
///
/// # Source
///
/// Packer's lines, which scripts wait for, and its first command.
pub async fn connect(
    settings: Settings,
    addresses: Arc<dyn AddressSource>,
    cancel: &CancellationToken,
    observer: &dyn Observer,
) -> Result<WinRmCommunicator, ConnectError> {
    let (limit, pause) = (settings.limit, settings.pause);
    let known = addresses.address().await.ok();
    let client = Client::new(settings, addresses).map_err(ConnectError::Unusable)?;
    let client = Arc::new(client);
    let work = async {
        if let Some(address) = known {
            let text = format!("Using WinRM communicator to connect: {}", address.host);
            observer.line(text).await;
        }
        let text = "Waiting for WinRM to become available...".to_owned();
        observer.line(text).await;
        reach(&client, limit, observer).await?;
        if !pause.is_zero() {
            let text = sdk_config::format_duration(pause);
            observer
                .line(format!("Pausing {text} before connecting..."))
                .await;
            client.disconnect();
            tokio::time::sleep(pause).await;
            reach(&client, limit, observer).await?;
        }
        observer.line(SIGN_OF_LIFE.to_owned()).await;
        observer.line("Connected to WinRM!".to_owned()).await;
        Ok(WinRmCommunicator::new(Arc::clone(&client)))
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ConnectError::Cancelled),
        result = work => result,
    }
}

/// Tries until a command runs or the time is up.
pub(crate) async fn reach(
    client: &Arc<Client>,
    limit: Duration,
    observer: &dyn Observer,
) -> Result<(), ConnectError> {
    let begun = Instant::now();
    let mut history = History::default();
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        match tokio::time::timeout(left, greet(client)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => {
                tracing::debug!(%error, "winrm attempt failed");
                let pause = error.pause();
                history.add(error);
                if history.refusals() == REFUSALS
                    && let Some(AttemptError::Login(failure)) = &history.last
                {
                    observer.line(format!("Still trying: {failure}")).await;
                }
                // An attempt that fails at once is faster than any time limit around it.
                let left = limit.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    return Err(timeout(client, limit, &history).await);
                }
                tokio::time::sleep(pause.min(left)).await;
            }
            Err(_) => return Err(timeout(client, limit, &history).await),
        }
    }
}

async fn timeout(client: &Client, limit: Duration, history: &History) -> ConnectError {
    let address = client.addresses().address().await;
    ConnectError::Timeout {
        to: address.map_or("the machine".to_owned(), |address| address.to_string()),
        limit,
        seen: history.to_string(),
    }
}

/// Runs a command that says hello.
async fn greet(client: &Arc<Client>) -> Result<(), AttemptError> {
    let shell = Shell::open(Arc::clone(client), SMALLEST_ENVELOPE).await?;
    let line = powershell::command(&format!("Write-Output '{SIGN_OF_LIFE}'"));
    let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
    let collect = async {
        let mut text = String::new();
        while let Some(output) = receiver.recv().await {
            if let Output::Stdout(bytes) = output {
                text.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
        text
    };
    let (exit, text) = tokio::join!(exec::run(shell, &line, None, sender), collect);
    match exit? {
        Exit::Code(_) if text.contains(SIGN_OF_LIFE) => Ok(()),
        Exit::Disconnected(seen) => Err(AttemptError::Closed(seen)),
        exit => Err(AttemptError::Protocol(format!(
            "the first command, a PowerShell, ended with {exit:?} and printed `{}`",
            text.trim()
        ))),
    }
}
