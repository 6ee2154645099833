//! A shell in the guest, and one command in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sdk_communicator::Exit;

use crate::error::AttemptError;
use crate::http::Client;
use crate::wsman::{
    End, Envelope, Input, Received, Request, State, command_id, received, shell_id,
};

/// How long the service may take for what it does at once.
const PROMPT: Duration = Duration::from_secs(60);
/// How long the service waits for output until it says that there is none.
const WAIT: Duration = Duration::from_secs(20);
/// How long a broken connection is made again while a command runs.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time between such tries.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the end of a shell may take.
const FAREWELL: Duration = Duration::from_secs(10);
/// What every WinRM service takes and sends, in bytes.
pub(crate) const SMALLEST_ENVELOPE: u32 = 153_600;

/// A shell; it is deleted, and its command ended, when this is dropped.
pub(crate) struct Shell {
    client: Arc<Client>,
    id: String,
    /// The command, once there is one that has not ended.
    command: Option<String>,
    answer_bytes: u32,
}

impl Shell {
    /// Makes a shell. A new one has the environment as it is now, with what installers changed.
    pub(crate) async fn open(client: Arc<Client>, answer_bytes: u32) -> Result<Self, AttemptError> {
        let answer = ask(&client, &Request::CreateShell, PROMPT, answer_bytes).await?;
        let id = shell_id(&answer)?;
        Ok(Self {
            client,
            id,
            command: None,
            answer_bytes,
        })
    }

    /// Starts `line` with `cmd.exe`.
    pub(crate) async fn start(&mut self, line: &str, input: Input) -> Result<(), AttemptError> {
        let shell = self.id.as_str();
        let request = Request::Command { shell, line, input };
        let answer = ask(&self.client, &request, PROMPT, self.answer_bytes).await?;
        self.command = Some(command_id(&answer)?);
        Ok(())
    }

    fn command(&self) -> &str {
        self.command.as_deref().unwrap_or_default()
    }

    /// Sends input to the command.
    pub(crate) async fn send(&self, data: &[u8], end: End) -> Result<(), AttemptError> {
        let request = Request::Send {
            shell: &self.id,
            command: self.command(),
            data,
            end,
        };
        let answer = ask(&self.client, &request, PROMPT, SMALLEST_ENVELOPE).await;
        answer.map(drop)
    }

    /// Waits for output or the end of the command. A connection that breaks is made again for a
    /// while; output that was on the way then is lost, the way the command ended never is.
    ///
    /// # Errors
    ///
    /// How the command ended when that cannot be known any more.
    pub(crate) async fn receive(&self) -> Result<Received, Exit> {
        let mut broken: Option<Instant> = None;
        loop {
            let request = Request::Receive {
                shell: &self.id,
                command: self.command(),
            };
            let answer = ask(&self.client, &request, WAIT, self.answer_bytes).await;
            let error = match answer.and_then(|answer| received(&answer)) {
                Ok(received) => return Ok(received),
                Err(AttemptError::Fault(fault)) if fault.is_timeout() => {
                    broken = None;
                    continue;
                }
                Err(AttemptError::Fault(fault)) if fault.is_shell_gone() => {
                    let text = "the guest does not know the command any more; it has restarted";
                    return Err(Exit::Disconnected(text.to_owned()));
                }
                Err(error) => error,
            };
            let since = broken.get_or_insert_with(Instant::now).elapsed();
            if !error.is_connection() || since > PATIENCE {
                return Err(Exit::Disconnected(error.to_string()));
            }
            tracing::info!(%error, "winrm connection broke while a command runs, trying again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Notes that the command has ended, so that it is not ended again.
    pub(crate) fn ended(&mut self) {
        self.command = None;
    }

    /// Ends the shell. A failure is logged: the guest removes shells by itself in time.
    pub(crate) async fn close(mut self) {
        let id = std::mem::take(&mut self.id);
        let command = self.command.take();
        farewell(&self.client, &id, command.as_deref()).await;
    }
}

/// How a received state reads as the end of a command.
pub(crate) fn exit(state: State) -> Option<Exit> {
    match state {
        State::Running => None,
        State::Done(Some(code)) => Some(Exit::Code(code)),
        State::Done(None) => Some(Exit::Disconnected(
            "the guest says that the command ended, but not how".to_owned(),
        )),
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let id = std::mem::take(&mut self.id);
        let command = self.command.take();
        let client = Arc::clone(&self.client);
        let runtime = tokio::runtime::Handle::try_current();
        if let (false, Ok(runtime)) = (id.is_empty(), runtime) {
            // It was given up in the middle: what runs in the guest must end too. The task has a
            // limit of its own.
            drop(runtime.spawn(async move { farewell(&client, &id, command.as_deref()).await }));
        }
    }
}

async fn farewell(client: &Client, shell: &str, command: Option<&str>) {
    let work = async {
        if let Some(command) = command {
            let request = Request::Terminate { shell, command };
            ask(client, &request, FAREWELL, SMALLEST_ENVELOPE).await?;
        }
        let request = Request::DeleteShell { shell };
        ask(client, &request, FAREWELL, SMALLEST_ENVELOPE).await
    };
    match tokio::time::timeout(FAREWELL, work).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "winrm shell not deleted"),
        Err(_) => tracing::debug!("winrm shell not deleted in time"),
    }
}

/// Sends one request.
pub(crate) async fn ask(
    client: &Client,
    request: &Request<'_>,
    limit: Duration,
    answer_bytes: u32,
) -> Result<String, AttemptError> {
    let address = client.addresses().address().await;
    let address = address.map_err(|error| AttemptError::NoAddress(error.to_string()))?;
    let to = format!("{}://{address}/wsman", client.settings().scheme());
    let envelope = Envelope {
        to: &to,
        limit,
        answer_bytes,
    };
    client.call(&envelope.write(request), limit).await
}
