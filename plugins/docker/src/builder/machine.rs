//! Talking to a container with `docker exec` and `docker cp`.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use kiln_sdk::HOST_VARIABLES;
use kiln_sdk::communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::process::{Child, Command as Process};
use tokio::sync::mpsc;
use tokio_util::io::{ReaderStream, StreamReader};

use super::config::DockerConfig;

/// The number of the user `root`.
const ROOT: &str = "0";
/// Bytes of an error text that are kept.
const SAID_BYTES: u64 = 64 << 10;

/// A running container.
pub(super) struct Machine {
    docker: String,
    id: String,
    pty: bool,
    exec_user: String,
    /// Who gets what is uploaded; `None` to leave it as it is.
    owner: Option<String>,
}

impl Machine {
    /// The container `id`, whose image runs as `user`.
    pub(super) fn new(config: &DockerConfig, id: &str, user: &str) -> Self {
        // By their number: an image may have no list of users.
        let owner = match user {
            "" | "root" => ROOT,
            user => user,
        };
        Self {
            docker: config.docker_path.clone(),
            id: id.to_owned(),
            pty: config.pty,
            exec_user: config.exec_user.clone(),
            owner: config.fix_upload_owner.then(|| owner.to_owned()),
        }
    }

    /// The program with its three pipes.
    fn process(&self, words: &[&str]) -> Process {
        let mut process = Process::new(&self.docker);
        for variable in HOST_VARIABLES {
            process.env_remove(variable);
        }
        process
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        process
    }

    fn start(&self, operation: &str, words: &[&str]) -> Result<Child, CommunicatorError> {
        let io = |source| CommunicatorError::Io {
            operation: format!("{operation} (starting `{}`)", self.docker),
            source,
        };
        self.process(words).spawn().map_err(io)
    }

    /// Runs a small command as root.
    async fn as_root(&self, operation: &str, command: &str) -> Result<(), CommunicatorError> {
        let words = ["exec", "--user", ROOT, &self.id, "/bin/sh", "-c", command];
        let mut child = self.start(operation, &words)?;
        drop(child.stdin.take());
        ended(operation, child).await
    }

    async fn fix_owner(&self, operation: &str, path: &str) -> Result<(), CommunicatorError> {
        match &self.owner {
            Some(owner) => {
                let command = format!("chown -R {} {}", quoted(owner), quoted(path));
                self.as_root(operation, &command).await
            }
            None => Ok(()),
        }
    }

    /// Unpacks a tree into a folder that exists; gives the bytes of its files.
    async fn copy_in(
        &self,
        operation: &str,
        folder: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        let counted = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counter = std::sync::Arc::clone(&counted);
        let entries = entries.inspect_ok(move |entry| {
            if let tree::Entry::Data(data) = entry {
                let bytes = data.len() as u64;
                counter.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
            }
        });
        let target = format!("{}:{folder}", self.id);
        let mut child = self.start(operation, &["cp", "-", &target])?;
        let stdin = child.stdin.take();
        let mut archive = tree::to_tar(entries.boxed());
        if let Some(mut pipe) = stdin {
            while let Some(piece) = archive.next().await {
                // A program that ended early says why on standard error.
                if pipe.write_all(&piece?).await.is_err() {
                    break;
                }
            }
            drop(pipe.shutdown().await);
        }
        ended(operation, child).await?;
        Ok(counted.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// The tree below a path.
    fn copy_out(
        &self,
        operation: &str,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        let source = format!("{}:{path}", self.id);
        let mut child = self.start(operation, &["cp", "-L", &source, "-"])?;
        drop(child.stdin.take());
        let stdout = child.stdout.take();
        let operation = operation.to_owned();
        let archive: Reader = match stdout {
            Some(pipe) => {
                let pieces = ReaderStream::new(pipe);
                // What the program says of itself comes behind the last piece.
                let end = futures::stream::once(async move {
                    match ended(&operation, child).await {
                        Ok(()) => Ok(Bytes::new()),
                        Err(error) => Err(std::io::Error::other(error.to_string())),
                    }
                });
                Box::new(StreamReader::new(pieces.chain(end).boxed()))
            }
            None => Box::new(tokio::io::empty()),
        };
        Ok(tree::from_tar(archive, exclude.to_vec()))
    }
}

/// Waits for the end of a program that prints nothing worth knowing unless it fails.
async fn ended(operation: &str, mut child: Child) -> Result<(), CommunicatorError> {
    let io = |source| CommunicatorError::Io {
        operation: operation.to_owned(),
        source,
    };
    // What the engine says of a command that it cannot start comes on standard output.
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::join!(said(stdout), said(stderr));
    let status = child.wait().await.map_err(io)?;
    if status.success() {
        return Ok(());
    }
    let texts = [stderr.map_err(io)?, stdout.map_err(io)?];
    let text = texts.into_iter().find(|text| !text.is_empty());
    Err(CommunicatorError::Refused {
        operation: operation.to_owned(),
        message: text.unwrap_or_else(|| format!("it ended with {status} and said nothing")),
    })
}

/// The beginning of what a program prints; the rest is read, too, so that the program can end.
async fn said(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let Some(mut pipe) = pipe else {
        return Ok(String::new());
    };
    let mut text = Vec::new();
    (&mut pipe).take(SAID_BYTES).read_to_end(&mut text).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// A word that the shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The folder and the name of a path in the container.
fn split(path: &str) -> (&str, &str) {
    let path = path.trim_end_matches('/');
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((folder, name)) => (folder, name),
        None => (".", path),
    }
}

async fn pump(
    mut pipe: impl AsyncRead + Unpin,
    output: mpsc::Sender<Output>,
    wrap: fn(Bytes) -> Output,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let piece = Bytes::copy_from_slice(&buffer[..count]);
        if output.send(wrap(piece)).await.is_err() {
            return;
        }
    }
}

async fn feed(mut pipe: impl AsyncWriteExt + Unpin, source: Option<Reader>) {
    if let Some(mut source) = source {
        // A command may end without reading everything.
        drop(tokio::io::copy(&mut source, &mut pipe).await);
    }
    drop(pipe.shutdown().await);
}

#[async_trait::async_trait]
impl Communicator for Machine {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        let wrapped = format!("({})", command.command);
        // The program gives a terminal only to a command whose input is one or that has none.
        let has_terminal = self.pty && command.stdin.is_none();
        let mut words = vec!["exec", if has_terminal { "-t" } else { "-i" }];
        if !self.exec_user.is_empty() {
            words.extend(["-u", &self.exec_user]);
        }
        words.extend([self.id.as_str(), "/bin/sh", "-c", &wrapped]);
        let mut child = self.start("a command", &words)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(pipe) = stdin {
                feed(pipe, command.stdin).await;
            }
        };
        let read = async {
            let one = async {
                if let Some(pipe) = stdout {
                    pump(pipe, output.clone(), Output::Stdout).await;
                }
            };
            let other = async {
                if let Some(pipe) = stderr {
                    pump(pipe, output.clone(), Output::Stderr).await;
                }
            };
            tokio::join!(one, other);
            child.wait().await
        };
        tokio::pin!(write, read);
        // Input that nobody reads must not keep a command that has ended.
        let status = tokio::select! {
            biased;
            status = &mut read => status,
            () = &mut write => read.await,
        };
        let status = status.map_err(|source| CommunicatorError::Io {
            operation: "a command".to_owned(),
            source,
        })?;
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        Ok(match (status.code(), signal) {
            (Some(code), _) => Exit::Code(u32::try_from(code).unwrap_or(u32::MAX)),
            (None, signal) => Exit::Disconnected(format!(
                "`{}` was ended by signal {}",
                self.docker,
                signal.unwrap_or_default()
            )),
        })
    }

    async fn upload(&self, target: FileTarget, source: Reader) -> Result<u64, CommunicatorError> {
        let operation = format!("upload of {}", target.path);
        let io = |source| CommunicatorError::Io {
            operation: operation.clone(),
            source,
        };
        let (size, source) = match target.size {
            Some(size) => (size, source),
            None => spooled(source).await.map_err(io)?,
        };
        let (folder, name) = split(&target.path);
        let file = tree::Entry::File {
            path: name.to_owned(),
            mode: target.mode,
            size,
        };
        let name = operation.clone();
        let data = ReaderStream::with_capacity(source, tree::CHUNK_BYTES);
        let data = data.map(move |piece| {
            piece
                .map(tree::Entry::Data)
                .map_err(|source| CommunicatorError::Io {
                    operation: name.clone(),
                    source,
                })
        });
        let entries = futures::stream::once(async { Ok(file) }).chain(data);
        let bytes = self.copy_in(&operation, folder, entries.boxed()).await?;
        self.fix_owner(&operation, &target.path).await?;
        Ok(bytes)
    }

    async fn download(&self, path: &str, mut sink: Writer) -> Result<u64, CommunicatorError> {
        let operation = format!("download of {path}");
        let io = |source| CommunicatorError::Io {
            operation: operation.clone(),
            source,
        };
        let mut entries = self.copy_out(&operation, path, &[])?;
        let (mut found, mut bytes) = (false, 0);
        while let Some(entry) = entries.next().await {
            match entry? {
                tree::Entry::File { .. } if !found => found = true,
                tree::Entry::Data(data) if found => {
                    sink.write_all(&data).await.map_err(io)?;
                    bytes += data.len() as u64;
                }
                _ => {
                    return Err(CommunicatorError::Refused {
                        operation,
                        message: "it is not a file".to_owned(),
                    });
                }
            }
        }
        sink.shutdown().await.map_err(io)?;
        Ok(bytes)
    }

    async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        let operation = format!("upload to {path}");
        let make = format!("mkdir -p {}", quoted(path));
        self.as_root(&operation, &make).await?;
        let bytes = self.copy_in(&operation, path, entries).await?;
        self.fix_owner(&operation, path).await?;
        Ok(bytes)
    }

    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        let operation = format!("download of {path}");
        let inside = format!("{}/.", path.trim_end_matches('/'));
        self.copy_out(&operation, &inside, exclude)
    }

    async fn reconnect(&self, _limit: Option<Duration>) -> Result<(), CommunicatorError> {
        // There is no connection: each operation starts a program of its own.
        self.as_root("a look at the container", ":").await
    }

    async fn forward(
        &self,
        _host: &str,
        _port: u16,
    ) -> Result<(Reader, Writer), CommunicatorError> {
        Err(CommunicatorError::Unsupported {
            operation: "Forward".to_owned(),
            communicator: "docker".to_owned(),
        })
    }
}

/// A stream as a file without a name, with its length: the archive needs that first.
async fn spooled(mut source: Reader) -> std::io::Result<(u64, Reader)> {
    let file = tempfile::tempfile()?;
    let mut file = tokio::fs::File::from_std(file);
    let size = tokio::io::copy(&mut source, &mut file).await?;
    file.flush().await?;
    file.rewind().await?;
    Ok((size, Box::new(file)))
}
