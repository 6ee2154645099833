//! Offering a machine to another process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sdk_communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, tree,
};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use super::exit;
use super::hook::number;
use super::ui::texts;
use crate::transport::{Fault, Service, Session, Stream, Wire};
use crate::transport::{field, lossy_text};

/// Pieces of a command's output that may wait.
const QUEUE: usize = 16;
/// How long a command that prints nothing may still turn out not to have started. kiln's machines
/// say that something failed, not that something began.
const START_GRACE: Duration = Duration::from_secs(2);
/// Permission bits of a file that nothing is said about.
const PLAIN_MODE: u32 = 0o644;
/// What is not permission bits of a plain file in Go's file mode.
const GO_TYPE_BITS: u64 = 0x8f28_0000;

/// Answers calls for a machine.
pub struct MachineService {
    session: Session,
    machine: Arc<dyn Communicator>,
}

impl MachineService {
    /// Calls go to `machine`; its streams are of `session`.
    #[must_use]
    pub fn new(session: Session, machine: Arc<dyn Communicator>) -> Self {
        Self { session, machine }
    }

    async fn stream(&self, argument: &Wire, key: &str) -> Result<Option<Stream>, Fault> {
        let id = number(field(argument, key)).ok_or(Fault::Argument)?;
        if id == 0 {
            return Ok(None);
        }
        let dialed = self.session.dial(id).await;
        dialed
            .map(Some)
            .map_err(|error| Fault::Failed(error.to_string()))
    }

    async fn start(&self, argument: &Wire) -> Result<(), Fault> {
        let command = lossy_text(field(argument, "Command")).ok_or(Fault::Argument)?;
        let stdin = self.stream(argument, "StdinStreamId").await?;
        let running = Running {
            machine: Arc::clone(&self.machine),
            stdout: self.stream(argument, "StdoutStreamId").await?,
            stderr: self.stream(argument, "StderrStreamId").await?,
            response: self.stream(argument, "ResponseStreamId").await?,
        };
        let command = Command {
            command,
            pty: false,
            stdin: stdin.map(|stream| Box::new(stream) as Reader),
        };
        let (started, starts) = oneshot::channel();
        let run = running.run(command, started);
        // A plugin that is gone does not wait for its command.
        let ended = self.session.end().clone();
        drop(tokio::spawn(ended.run_until_cancelled_owned(run)));
        match tokio::time::timeout(START_GRACE, starts).await {
            Ok(Ok(Err(message))) => Err(Fault::Failed(message)),
            _ => Ok(()),
        }
    }

    async fn upload(&self, argument: &Wire) -> Result<(), Fault> {
        let info = field(argument, "FileInfo");
        let mode = field(info, "M").as_u64();
        let plain = mode.is_some_and(|mode| mode & GO_TYPE_BITS == 0);
        let target = FileTarget {
            path: path(argument, "Path")?,
            mode: mode.map_or(PLAIN_MODE, |mode| {
                u32::try_from(mode & 0o777).unwrap_or(PLAIN_MODE)
            }),
            size: field(info, "S").as_u64().filter(|_| plain),
        };
        let stream = self.stream(argument, "ReaderStreamId").await?;
        let source = stream.ok_or(Fault::Argument)?;
        let done = self.machine.upload(target, Box::new(source)).await;
        done.map(drop).map_err(fault)
    }

    async fn download(&self, argument: &Wire) -> Result<(), Fault> {
        let path = path(argument, "Path")?;
        let stream = self.stream(argument, "WriterStreamId").await?;
        let sink = stream.ok_or(Fault::Argument)?;
        let done = self.machine.download(&path, Box::new(sink)).await;
        done.map(drop).map_err(fault)
    }

    async fn upload_tree(&self, argument: &Wire) -> Result<(), Fault> {
        let (source, target) = (path(argument, "Src")?, path(argument, "Dst")?);
        let exclude = texts(field(argument, "Exclude")).ok_or(Fault::Argument)?;
        let options = tree::ReadOptions {
            exclude,
            symlinks: tree::Symlinks::Follow,
        };
        let entries = tree::read_local(&source, options);
        let target = inside(&target, &source);
        let done = self.machine.upload_tree(&target, entries).await;
        done.map(drop).map_err(fault)
    }

    async fn download_tree(&self, argument: &Wire) -> Result<(), Fault> {
        let (source, target) = (path(argument, "Src")?, path(argument, "Dst")?);
        let exclude = texts(field(argument, "Exclude")).ok_or(Fault::Argument)?;
        let folder = folder_of(&source);
        let entries = self.machine.download_tree(folder, &exclude).await;
        // A slash changes nothing here, other than for uploads: only `.` means the contents.
        let target = inside(&target, source.trim_end_matches('/'));
        let done = tree::write_local(entries.map_err(fault)?, Path::new(&target)).await;
        done.map(drop).map_err(fault)
    }
}

fn path(argument: &Wire, key: &str) -> Result<String, Fault> {
    let path = lossy_text(field(argument, key)).filter(|path| !path.is_empty());
    path.ok_or_else(|| Fault::Failed(format!("no `{key}` was given")))
}

/// Where the contents of `source` go: a source that ends with a slash or a dot means what is in it,
/// another the folder itself.
fn inside(target: &str, source: &str) -> String {
    let name = source.rsplit('/').next().unwrap_or_default();
    if matches!(name, "" | "." | "..") {
        return target.to_owned();
    }
    format!("{}/{name}", target.trim_end_matches('/'))
}

/// The folder that a source in the guest means, without the slashes and dots at its end.
fn folder_of(source: &str) -> &str {
    let plain = source.trim_end_matches('/');
    let plain = plain.strip_suffix("/.").unwrap_or(plain);
    match plain.trim_end_matches('/') {
        "" => "/",
        plain => plain,
    }
}

fn fault(error: CommunicatorError) -> Fault {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    Fault::Failed(message)
}

/// A command and where its output goes.
struct Running {
    machine: Arc<dyn Communicator>,
    stdout: Option<Stream>,
    stderr: Option<Stream>,
    response: Option<Stream>,
}

type Started = oneshot::Sender<Result<(), String>>;

impl Running {
    async fn run(mut self, command: Command, started: Started) {
        let (output, mut pieces) = mpsc::channel(QUEUE);
        let (mut stdout, mut stderr) = (self.stdout.take(), self.stderr.take());
        let machine = Arc::clone(&self.machine);
        let mut started = Some(started);
        let exec = machine.exec(command, output);
        tokio::pin!(exec);
        let mut exit = None;
        let mut open = true;
        while open || exit.is_none() {
            tokio::select! {
                done = &mut exec, if exit.is_none() => exit = Some(done),
                piece = pieces.recv(), if open => match piece {
                    None => open = false,
                    Some(piece) => {
                        tell(&mut started, Ok(()));
                        match piece {
                            Output::Stdout(bytes) => print(&mut stdout, &bytes).await,
                            Output::Stderr(bytes) => print(&mut stderr, &bytes).await,
                        }
                    }
                },
            }
        }
        let exit = match exit {
            Some(Ok(exit)) => exit,
            Some(Err(error)) => {
                let Fault::Failed(message) = fault(error) else {
                    return;
                };
                if started.is_some() {
                    tell(&mut started, Err(message));
                    return;
                }
                print(&mut stderr, &Bytes::from(format!("{message}\n"))).await;
                Exit::Disconnected(message)
            }
            None => return,
        };
        tell(&mut started, Ok(()));
        if let Some(mut response) = self.response.take() {
            finish(&mut response, &exit::encode(&exit)).await;
        }
        for stream in [stdout, stderr].into_iter().flatten() {
            finish(&mut { stream }, &[]).await;
        }
    }
}

fn tell(started: &mut Option<Started>, how: Result<(), String>) {
    if let Some(started) = started.take() {
        // One who no longer waits has been told that it began.
        drop(started.send(how));
    }
}

/// Prints to a stream; one that was closed swallows the rest.
async fn print(stream: &mut Option<Stream>, bytes: &[u8]) {
    if let Some(open) = stream
        && open.write_all(bytes).await.is_err()
    {
        *stream = None;
    }
}

async fn finish(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    let written = async {
        stream.write_all(bytes).await?;
        stream.shutdown().await
    };
    if let Err(error) = written.await {
        tracing::debug!(%error, "a command's stream was closed early");
    }
}

#[async_trait]
impl Service for MachineService {
    fn offers(&self, name: &str) -> bool {
        name == "Communicator"
    }

    async fn call(&self, _service: &str, method: &str, argument: Wire) -> Result<Wire, Fault> {
        match method {
            "Start" => self.start(&argument).await?,
            "Upload" => self.upload(&argument).await?,
            "Download" => self.download(&argument).await?,
            "UploadDir" => self.upload_tree(&argument).await?,
            "DownloadDir" => self.download_tree(&argument).await?,
            _ => return Err(Fault::NoMethod),
        }
        Ok(Wire::Nil)
    }
}
