//! A machine that another process can talk to.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use sdk_communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::exit;
use super::trees::{Place, explained, is_folder, make_plain};
use super::ui::texts_to_wire;
use crate::transport::{CallError, Client, Session, SessionError, Stream, Wire};
use crate::transport::{map, wire_text};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// The longest message about a command's end, in bytes; it has some 60.
const MAX_EXIT: u64 = 4096;
/// The permission bits a file gets when nothing is said about it.
const PLAIN_MODE: u32 = 0o644;
/// How long a machine may take to come back when nobody says.
const RECONNECT: Duration = Duration::from_secs(300);
/// Between two looks whether it is back.
const RETRY: Duration = Duration::from_secs(1);
/// How long the machine may take to say whether it has a folder.
const LOOK_LIMIT: Duration = Duration::from_secs(60);
/// Why nothing more is done to a machine.
const GIVEN_UP: &str = "its builder gave the provisioning up";

/// The machine behind a stream of calls: kiln's way of talking to the one that a builder of Packer
/// made.
///
/// Differs from kiln's own machines: a command that is given up may go on in the guest, because the
/// wire has no way to end one.
#[derive(Clone, Debug)]
pub struct RemoteMachine {
    session: Session,
    client: Client,
    spool: PathBuf,
    given_up: CancellationToken,
}

impl RemoteMachine {
    /// Calls on the stream of `client`. Trees, and files of unknown size, pass through the folder
    /// `spool`, because the wire names trees by their place on this machine.
    #[must_use]
    pub fn new(session: Session, client: Client, spool: impl Into<PathBuf>) -> Self {
        let spool = spool.into();
        Self {
            session,
            client,
            spool,
            given_up: CancellationToken::new(),
        }
    }

    /// The same machine until `given_up` is cancelled: then what is under way fails, and so does
    /// everything later.
    #[must_use]
    pub fn until(self, given_up: CancellationToken) -> Self {
        Self { given_up, ..self }
    }

    async fn call(&self, name: &str, argument: Wire) -> Result<(), CommunicatorError> {
        let method = format!("Communicator.{name}");
        let call = self.client.call(&method, argument);
        match self.given_up.run_until_cancelled(call).await {
            Some(answer) => answer.map(drop).map_err(|error| failed(name, &error)),
            None => Err(CommunicatorError::Broken {
                operation: name.to_owned(),
                seen: GIVEN_UP.to_owned(),
            }),
        }
    }

    /// Whether the guest has the folder `path`; false also where it cannot say.
    async fn has_folder(&self, path: &str) -> bool {
        let (ignored, _) = mpsc::channel(1);
        let look = self.exec(Command::new(is_folder(path)), ignored);
        let looked = tokio::time::timeout(LOOK_LIMIT, look).await;
        matches!(looked, Ok(Ok(Exit::Code(0))))
    }

    fn folder(&self) -> Result<TempDir, CommunicatorError> {
        let made = tempfile::Builder::new()
            .prefix("tree-")
            .tempdir_in(&self.spool);
        made.map_err(|source| CommunicatorError::Io {
            operation: format!("making a folder in {}", self.spool.display()),
            source,
        })
    }

    async fn send(
        &self,
        target: &FileTarget,
        size: Option<u64>,
        mut source: Reader,
    ) -> Result<u64, CommunicatorError> {
        let (id, expected) = self.session.invite();
        let argument = map([
            ("Path", wire_text(target.path.as_str())),
            ("ReaderStreamId", id.into()),
            (
                "FileInfo",
                size.map_or(Wire::Nil, |size| file_info(target, size)),
            ),
        ]);
        let operation = || format!("upload of {}", target.path);
        let call = self.call("Upload", argument);
        let copy = async {
            let accepted = expected.accept().await;
            let mut stream = accepted.map_err(|error| stream_failed(operation(), &error))?;
            let sent = copy(&mut source, &mut stream).await;
            let sent = sent.map_err(|source| CommunicatorError::Io {
                operation: operation(),
                source,
            })?;
            drop(stream);
            Ok(sent)
        };
        tokio::try_join!(call, copy).map(|((), sent)| sent)
    }
}

/// What Go's file systems say about a file.
fn file_info(target: &FileTarget, size: u64) -> Wire {
    let name = target.path.rsplit(['/', '\\']).next().unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map(|now| now.as_secs()).unwrap_or_default();
    // Seconds that need more than 32 bits will come in 2106.
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    map([
        ("N", wire_text(name)),
        ("S", size.into()),
        ("M", (target.mode & 0o777).into()),
        ("T", Wire::Ext(-1, seconds.to_be_bytes().to_vec())),
    ])
}

/// Copies everything; a sink that is closed early takes the rest without keeping it, because the
/// answer to the call says then what is wrong.
async fn copy(source: &mut Reader, sink: &mut Stream) -> std::io::Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let mut sent = 0;
    loop {
        let count = source.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        if sink.write_all(&buffer[..count]).await.is_err() {
            return Ok(sent);
        }
        sent += count as u64;
    }
    if sink.shutdown().await.is_err() {
        tracing::trace!("a file's stream was closed early");
    }
    Ok(sent)
}

fn failed(name: &str, error: &CallError) -> CommunicatorError {
    match error {
        CallError::Remote { message } => CommunicatorError::Refused {
            operation: name.to_owned(),
            message: message.clone(),
        },
        error => CommunicatorError::Broken {
            operation: name.to_owned(),
            seen: error.to_string(),
        },
    }
}

fn stream_failed(operation: String, error: &SessionError) -> CommunicatorError {
    CommunicatorError::Broken {
        operation,
        seen: error.to_string(),
    }
}

/// Hands on what a command prints; who no longer listens does not stop the command.
async fn relay(
    mut stream: impl AsyncRead + Unpin,
    output: mpsc::Sender<Output>,
    wrap: fn(Bytes) -> Output,
) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let piece = Bytes::copy_from_slice(&buffer[..count]);
        if output.send(wrap(piece)).await.is_err() {
            tracing::trace!("nobody reads a command's output");
        }
    }
}

#[async_trait]
impl Communicator for RemoteMachine {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        let stdin = command.stdin.is_some().then(|| self.session.invite());
        let (stdout_id, stdout) = self.session.invite();
        let (stderr_id, stderr) = self.session.invite();
        let (response_id, response) = self.session.invite();
        let stdin_id = stdin.as_ref().map_or(0, |(id, _)| *id);
        let argument = map([
            ("Command", wire_text(command.command)),
            ("StdinStreamId", stdin_id.into()),
            ("StdoutStreamId", stdout_id.into()),
            ("StderrStreamId", stderr_id.into()),
            ("ResponseStreamId", response_id.into()),
        ]);
        let start = self.call("Start", argument);
        let streams = async {
            let stdin = async {
                match stdin {
                    Some((_, expected)) => expected.accept().await.map(Some),
                    None => Ok(None),
                }
            };
            let all = tokio::try_join!(stdin, stdout.accept(), stderr.accept(), response.accept());
            all.map_err(|error| stream_failed("a command".to_owned(), &error))
        };
        let ((), (stdin, stdout, stderr, response)) = tokio::try_join!(start, streams)?;
        let input = async {
            if let (Some(mut source), Some(mut stream)) = (command.stdin, stdin)
                && let Err(error) = copy(&mut source, &mut stream).await
            {
                tracing::warn!(%error, "a command's input ended early");
            }
            std::future::pending().await
        };
        let everything = async {
            let mut end = Vec::new();
            let mut response = response.take(MAX_EXIT);
            let (_, (), ()) = tokio::join!(
                response.read_to_end(&mut end),
                relay(stdout, output.clone(), Output::Stdout),
                relay(stderr, output, Output::Stderr),
            );
            end
        };
        let end = tokio::select! {
            end = everything => end,
            () = input => Vec::new(),
            () = self.given_up.cancelled() => {
                return Ok(Exit::Disconnected(GIVEN_UP.to_owned()));
            }
        };
        Ok(exit::decode(&end))
    }

    async fn upload(
        &self,
        target: FileTarget,
        mut source: Reader,
    ) -> Result<u64, CommunicatorError> {
        if target.size.is_some() || target.mode & 0o777 == PLAIN_MODE {
            return self.send(&target, target.size, source).await;
        }
        // Permission bits travel with the size only, so it has to be known.
        let spooled = async {
            let file = tempfile::tempfile_in(&self.spool)?;
            let mut file = tokio::fs::File::from_std(file);
            let size = tokio::io::copy(&mut source, &mut file).await?;
            file.rewind().await?;
            std::io::Result::Ok((file, size))
        };
        let (file, size) = spooled.await.map_err(|source| CommunicatorError::Io {
            operation: format!("keeping {} in {}", target.path, self.spool.display()),
            source,
        })?;
        self.send(&target, Some(size), Box::new(file)).await
    }

    async fn download(&self, path: &str, mut sink: Writer) -> Result<u64, CommunicatorError> {
        let (id, expected) = self.session.invite();
        let argument = map([("Path", wire_text(path)), ("WriterStreamId", id.into())]);
        let operation = || format!("download of {path}");
        let copy = async {
            let accepted = expected.accept().await;
            let mut stream = accepted.map_err(|error| stream_failed(operation(), &error))?;
            let copied = async {
                let count = tokio::io::copy(&mut stream, &mut sink).await?;
                sink.shutdown().await?;
                Ok(count)
            };
            copied.await.map_err(|source| CommunicatorError::Io {
                operation: operation(),
                source,
            })
        };
        tokio::try_join!(self.call("Download", argument), copy).map(|((), count)| count)
    }

    async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        let folder = self.folder()?;
        let place = Place::of(path);
        let spooled = folder.path().join(place.name);
        let count = tree::write_local(entries, &spooled).await?;
        make_plain(&spooled)?;
        // A folder that is there takes what is in the tree and keeps its own permission bits. One
        // that is not is never made for contents; only a tree that has a name makes its folder.
        let (target, source) = match place.parent {
            Some(parent) if !self.has_folder(place.path).await => {
                (parent, spooled.to_string_lossy().into_owned())
            }
            _ => (place.path, contents_of(&spooled)),
        };
        let sent = self.call("UploadDir", directories(target, &source, &[]));
        sent.await.map_err(|error| explained(error, &spooled))?;
        Ok(count)
    }

    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        let folder = self.folder()?;
        let target = folder.path().to_string_lossy().into_owned();
        // The plugin SDK's machines make a folder of the source's name, unless it has none: `.` is
        // the folder that is there already. Those that go by the slash take it for contents too.
        let source = format!("{}/.", path.trim_end_matches('/'));
        self.call("DownloadDir", directories(&target, &source, exclude))
            .await?;
        let options = tree::ReadOptions {
            exclude: exclude.to_vec(),
            ..tree::ReadOptions::default()
        };
        let entries = tree::read_local(folder.path(), options);
        // The folder has to stay until the last entry was read.
        let kept = futures::stream::unfold((entries, folder), |(mut entries, folder)| async move {
            let entry = entries.next().await?;
            Some((entry, (entries, folder)))
        });
        Ok(kept.boxed())
    }

    async fn reconnect(&self, limit: Option<Duration>) -> Result<(), CommunicatorError> {
        let limit = limit.unwrap_or(RECONNECT);
        let back = async {
            loop {
                // The wire has no word for it: the builder connects anew when a command needs it.
                let (ignored, _) = mpsc::channel(1);
                match self.exec(Command::new("exit 0"), ignored).await {
                    Ok(Exit::Disconnected(_)) | Err(CommunicatorError::Refused { .. }) => {}
                    Ok(_) => return Ok(()),
                    Err(error) => return Err(error),
                }
                tokio::time::sleep(RETRY).await;
            }
        };
        let timed = tokio::time::timeout(limit, back).await;
        timed.unwrap_or_else(|_| {
            Err(CommunicatorError::Timeout {
                operation: "connecting anew".to_owned(),
                limit,
            })
        })
    }

    async fn forward(
        &self,
        _host: &str,
        _port: u16,
    ) -> Result<(Reader, Writer), CommunicatorError> {
        Err(CommunicatorError::Unsupported {
            operation: "Forward".to_owned(),
            communicator: "a Packer plugin's".to_owned(),
        })
    }
}

/// A folder whose contents are meant, not itself.
fn contents_of(folder: &Path) -> String {
    format!("{}/", folder.display())
}

fn directories(target: &str, source: &str, exclude: &[String]) -> Wire {
    let exclude = if exclude.is_empty() {
        Wire::Nil
    } else {
        texts_to_wire(exclude)
    };
    map([
        ("Dst", wire_text(target)),
        ("Src", wire_text(source)),
        ("Exclude", exclude),
    ])
}
