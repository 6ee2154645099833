//! The machine behind a WinRM service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sdk_communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use tokio::sync::mpsc;

use crate::connect::reach;
use crate::error::AttemptError;
use crate::exec;
use crate::http::Client;
use crate::shell::{SMALLEST_ENVELOPE, Shell, ask};
use crate::transfer::Transfer;
use crate::wsman::{Request, envelope_limit};

/// How long a guest that answers may refuse a shell: logins fail while it starts, and shells that
/// were ended are counted for a while.
const REFUSALS: Duration = Duration::from_secs(30);
/// Time between tries.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the service may take to tell its limits.
const PROMPT: Duration = Duration::from_secs(30);
/// The largest envelope that is sent, in bytes, however large a guest's are.
const LARGEST_ENVELOPE: u32 = 4 * 1024 * 1024;

/// A machine reached by WinRM. Clones are the same machine.
///
/// A connection that broke is made again by itself when the next operation starts; operations that
/// were under way fail.
#[derive(Clone)]
pub struct WinRmCommunicator {
    inner: Arc<Inner>,
}

struct Inner {
    client: Arc<Client>,
    /// The largest envelope the guest takes, in bytes; zero until it was asked.
    envelope: AtomicU32,
}

impl std::fmt::Debug for WinRmCommunicator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WinRmCommunicator")
            .field("settings", self.inner.client.settings())
            .finish_non_exhaustive()
    }
}

impl WinRmCommunicator {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        let inner = Inner {
            client,
            envelope: AtomicU32::new(0),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// A shell; waits for a guest that restarts.
    pub(crate) async fn shell(&self) -> Result<Shell, CommunicatorError> {
        let client = &self.inner.client;
        let begun = Instant::now();
        loop {
            let answer_bytes = self.known_envelope();
            let error = match Shell::open(Arc::clone(client), answer_bytes).await {
                Ok(shell) => return Ok(shell),
                Err(error) => error,
            };
            let limit = match &error {
                error if error.is_connection() => client.settings().way_back(),
                AttemptError::Login(_) | AttemptError::Fault(_) | AttemptError::Status { .. } => {
                    REFUSALS
                }
                _ => Duration::ZERO,
            };
            if begun.elapsed() + PAUSE >= limit {
                return Err(CommunicatorError::Unreachable {
                    seen: error.to_string(),
                });
            }
            tracing::info!(%error, "winrm shell not opened, trying again");
            client.disconnect();
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn known_envelope(&self) -> u32 {
        match self.inner.envelope.load(Ordering::Relaxed) {
            0 => SMALLEST_ENVELOPE,
            known => known,
        }
    }

    /// The largest envelope the guest takes, in bytes; it is asked once.
    pub(crate) async fn envelope(&self) -> u32 {
        if self.inner.envelope.load(Ordering::Relaxed) == 0 {
            let request = Request::GetConfig;
            let answer = ask(&self.inner.client, &request, PROMPT, SMALLEST_ENVELOPE).await;
            let limit = match answer.and_then(|answer| envelope_limit(&answer)) {
                Ok(limit) => limit.clamp(SMALLEST_ENVELOPE / 4, LARGEST_ENVELOPE),
                Err(error) => {
                    // Only administrators may ask; the smallest limit is always right.
                    tracing::debug!(%error, "the limit of envelopes is not known");
                    SMALLEST_ENVELOPE
                }
            };
            self.inner.envelope.store(limit, Ordering::Relaxed);
        }
        self.known_envelope()
    }

    fn transfer(&self) -> Transfer<'_> {
        Transfer { machine: self }
    }
}

#[async_trait]
impl Communicator for WinRmCommunicator {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        let shell = self.shell().await?;
        let ran = exec::run(shell, &command.command, command.stdin, output).await;
        ran.map_err(|error| CommunicatorError::Refused {
            operation: "start of a command".to_owned(),
            message: error.to_string(),
        })
    }

    async fn upload(&self, target: FileTarget, source: Reader) -> Result<u64, CommunicatorError> {
        self.transfer().upload(target, source).await
    }

    async fn download(&self, path: &str, sink: Writer) -> Result<u64, CommunicatorError> {
        self.transfer().download(path, sink).await
    }

    async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        self.transfer().upload_tree(path, entries).await
    }

    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        self.transfer().download_tree(path, exclude).await
    }

    async fn reconnect(&self, limit: Option<Duration>) -> Result<(), CommunicatorError> {
        let client = &self.inner.client;
        client.disconnect();
        let limit = limit.unwrap_or(client.settings().way_back());
        let reached = reach(client, limit, &()).await;
        reached.map_err(|error| CommunicatorError::Unreachable {
            seen: crate::chain(&error),
        })
    }

    async fn forward(&self, host: &str, port: u16) -> Result<(Reader, Writer), CommunicatorError> {
        Err(CommunicatorError::Unsupported {
            operation: format!("forwarding to {host}:{port}"),
            communicator: "winrm".to_owned(),
        })
    }
}
