//! Serving a communicator on a private socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt};
use plugin_wire::stream;
use plugin_wire::v1 as wire;
use plugin_wire::v1::communicator_server::{Communicator as Service, CommunicatorServer};
use plugin_wire::v1::exec_event::Event as ExecOut;
use plugin_wire::v1::exec_exit::How;
use plugin_wire::v1::exec_request::Request as ExecIn;
use plugin_wire::v1::tree_chunk::Part;
use sdk_communicator::{Command, Communicator, CommunicatorError, Exit, FileTarget, Output};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::call;
use super::fault::to_status;
use super::trees::{pieces, to_chunks, to_entries};
use crate::authorization::{Check, random_token};
use crate::error::ServeError;
use crate::socket::{self, SocketFile};

/// Messages that may wait for a slow reader.
const QUEUE: usize = 4;
/// Permission bits of files whose sender does not say.
const DEFAULT_MODE: u32 = 0o644;

/// How to reach a machine from another process.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Path of a Unix socket.
    pub socket: PathBuf,
    /// Good for this machine only.
    pub token: String,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// A machine that is being served. Dropping it ends every call and closes the socket.
#[derive(Debug)]
pub struct MachineServer {
    endpoint: Endpoint,
    _socket: SocketFile,
    _end: DropGuard,
}

impl MachineServer {
    /// Serves `machine` on a socket of its own in `directory`, which has to have mode 0700. Needs a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// When the folder is open to others or the socket cannot be made.
    pub fn start(directory: &Path, machine: Arc<dyn Communicator>) -> Result<Self, ServeError> {
        let (listener, socket) = socket::bind(directory)?;
        let token = random_token();
        let end = CancellationToken::new();
        let service = CommunicatorServer::new(Machine {
            machine,
            end: end.clone(),
        })
        .max_decoding_message_size(stream::MESSAGE_BYTES)
        .max_encoding_message_size(stream::MESSAGE_BYTES);
        let served = Server::builder()
            .initial_stream_window_size(stream::WINDOW_BYTES)
            .initial_connection_window_size(stream::WINDOW_BYTES)
            .max_frame_size(stream::FRAME_BYTES)
            .add_service(InterceptedService::new(service, Check::new(&token)))
            .serve_with_incoming_shutdown(
                UnixListenerStream::new(listener),
                end.clone().cancelled_owned(),
            );
        drop(tokio::spawn(served.map(|served| {
            if let Err(error) = served {
                tracing::warn!(%error, "serving the machine failed");
            }
        })));
        let endpoint = Endpoint {
            socket: socket.path().to_owned(),
            token,
        };
        Ok(Self {
            endpoint,
            _socket: socket,
            _end: end.drop_guard(),
        })
    }

    /// Where it is served.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

struct Machine {
    machine: Arc<dyn Communicator>,
    /// Cancelled when the run is over.
    end: CancellationToken,
}

impl Machine {
    /// Does `work` while the run lasts; tonic drops it when the caller leaves.
    async fn call<T>(
        &self,
        work: impl Future<Output = Result<T, CommunicatorError>>,
    ) -> Result<T, Status> {
        tokio::select! {
            biased;
            () = self.end.cancelled() => Err(over()),
            done = work => done.map_err(|error| to_status(&error)),
        }
    }

    /// Carries on `work`, which feeds a stream to the caller through `out`, until it ends, the
    /// caller leaves or the run is over.
    fn stream<T: Send + 'static>(
        &self,
        out: mpsc::Sender<Result<T, Status>>,
        work: impl Future<Output = Result<(), Status>> + Send + 'static,
    ) {
        let end = self.end.clone();
        drop(tokio::spawn(async move {
            let result = tokio::select! {
                biased;
                () = out.closed() => return,
                () = end.cancelled() => Err(over()),
                result = work => result,
            };
            if let Err(status) = result {
                // A caller that left meanwhile does not want to know.
                drop(out.send(Err(status)).await);
            }
        }));
    }
}

fn over() -> Status {
    to_status(&CommunicatorError::Unreachable {
        seen: "the builder no longer offers its machine".to_owned(),
    })
}

fn malformed(what: &str) -> Status {
    Status::invalid_argument(format!("the first message has to be {what}"))
}

/// Sends a message to a caller; one that left ends the call by itself.
async fn send<T>(out: &mpsc::Sender<Result<T, Status>>, message: T) {
    if out.send(Ok(message)).await.is_err() {
        tracing::trace!("the caller left");
    }
}

#[tonic::async_trait]
impl Service for Machine {
    type ExecStream = ReceiverStream<Result<wire::ExecEvent, Status>>;

    async fn exec(
        &self,
        request: Request<Streaming<wire::ExecRequest>>,
    ) -> Result<Response<Self::ExecStream>, Status> {
        let mut requests = request.into_inner();
        let Some(wire::ExecRequest {
            request: Some(ExecIn::Start(start)),
        }) = requests.message().await?
        else {
            return Err(malformed("`start`"));
        };
        let stdin = call::reader(Bytes::new(), until_stdin_ends(requests), |data| data);
        // Dropped early, requests that nobody reads would end the call.
        let (stdin, unread) = match start.no_stdin {
            true => (None, Some(stdin)),
            false => (Some(stdin), None),
        };
        let command = Command {
            command: start.command,
            pty: start.pty,
            stdin,
        };
        let (out, stream) = mpsc::channel(QUEUE);
        let machine = Arc::clone(&self.machine);
        self.stream(out.clone(), async move {
            let done = exec(machine, command, out).await;
            drop(unread);
            done
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn upload(
        &self,
        request: Request<Streaming<wire::UploadChunk>>,
    ) -> Result<Response<wire::UploadResponse>, Status> {
        let mut chunks = request.into_inner();
        let Some(wire::UploadChunk {
            header: Some(header),
            data,
        }) = chunks.message().await?
        else {
            return Err(malformed("a header"));
        };
        let source = call::reader(data, chunks, |chunk| chunk.data);
        let mode = if header.mode == 0 {
            DEFAULT_MODE
        } else {
            header.mode
        };
        let target = FileTarget {
            path: header.path,
            mode,
            size: header.size,
        };
        let bytes = self.call(self.machine.upload(target, source)).await?;
        Ok(Response::new(wire::UploadResponse { bytes }))
    }

    type DownloadStream = ReceiverStream<Result<wire::DownloadChunk, Status>>;

    async fn download(
        &self,
        request: Request<wire::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let path = request.into_inner().path;
        let (out, stream) = mpsc::channel(QUEUE);
        let machine = Arc::clone(&self.machine);
        self.stream(out.clone(), download(machine, path, out));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn upload_tree(
        &self,
        request: Request<Streaming<wire::TreeChunk>>,
    ) -> Result<Response<wire::UploadResponse>, Status> {
        let mut chunks = request.into_inner();
        let Some(wire::TreeChunk {
            part: Some(Part::Header(header)),
        }) = chunks.message().await?
        else {
            return Err(malformed("a header"));
        };
        let entries = to_entries(chunks, format!("upload of {}", header.path));
        let bytes = self
            .call(self.machine.upload_tree(&header.path, entries))
            .await?;
        Ok(Response::new(wire::UploadResponse { bytes }))
    }

    type DownloadTreeStream = ReceiverStream<Result<wire::TreeChunk, Status>>;

    async fn download_tree(
        &self,
        request: Request<wire::DownloadTreeRequest>,
    ) -> Result<Response<Self::DownloadTreeStream>, Status> {
        let wire::DownloadTreeRequest { path, exclude } = request.into_inner();
        let mut entries = self
            .call(self.machine.download_tree(&path, &exclude))
            .await?;
        let (out, stream) = mpsc::channel(QUEUE);
        let sender = out.clone();
        self.stream(out, async move {
            while let Some(entry) = entries.next().await {
                let mut chunks = to_chunks(entry.map_err(|error| to_status(&error))?);
                while let Some(chunk) = chunks.next().await {
                    send(&sender, chunk).await;
                }
            }
            Ok(())
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn reconnect(
        &self,
        request: Request<wire::ReconnectRequest>,
    ) -> Result<Response<wire::ReconnectResponse>, Status> {
        let millis = request.into_inner().timeout_ms;
        let limit = (millis > 0).then(|| Duration::from_millis(millis));
        self.call(self.machine.reconnect(limit)).await?;
        Ok(Response::new(wire::ReconnectResponse {}))
    }

    type ForwardStream = ReceiverStream<Result<wire::ForwardChunk, Status>>;

    async fn forward(
        &self,
        request: Request<Streaming<wire::ForwardChunk>>,
    ) -> Result<Response<Self::ForwardStream>, Status> {
        let mut chunks = request.into_inner();
        let Some(wire::ForwardChunk {
            connect: Some(connect),
            data,
        }) = chunks.message().await?
        else {
            return Err(malformed("`connect`"));
        };
        let port = u16::try_from(connect.port)
            .map_err(|_| Status::invalid_argument("a port is at most 65535"))?;
        let (guest, mut to_guest) = self.call(self.machine.forward(&connect.host, port)).await?;
        let (out, stream) = mpsc::channel(QUEUE);
        let sender = out.clone();
        self.stream(out, async move {
            let inward = async move {
                let mut source = call::reader(data, chunks, |chunk| chunk.data);
                tokio::io::copy(&mut source, &mut to_guest).await?;
                to_guest.shutdown().await
            };
            let outward = async {
                let mut chunks = std::pin::pin!(call::chunks(guest));
                while let Some(data) = chunks.next().await.transpose()? {
                    send(
                        &sender,
                        wire::ForwardChunk {
                            connect: None,
                            data,
                        },
                    )
                    .await;
                }
                Ok(())
            };
            tokio::try_join!(inward, outward)
                .map(|_| ())
                .map_err(|source| {
                    let operation = format!("forwarding to {}:{port}", connect.host);
                    to_status(&CommunicatorError::Io { operation, source })
                })
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// The pieces of standard input, up to the message that ends it.
fn until_stdin_ends(
    requests: Streaming<wire::ExecRequest>,
) -> impl Stream<Item = Result<Bytes, Status>> + Send {
    let pieces = requests.map(|message| {
        Ok(match message?.request {
            Some(ExecIn::Stdin(data)) => Some(data),
            Some(ExecIn::StdinEnd(wire::StdinEnd {})) => None,
            // A second start, or something a later version knows, has no bytes.
            Some(ExecIn::Start(_)) | None => Some(Bytes::new()),
        })
    });
    let last =
        |piece: &Result<Option<Bytes>, Status>| futures::future::ready(!matches!(piece, Ok(None)));
    pieces
        .take_while(last)
        .map(|piece| piece.map(Option::unwrap_or_default))
}

async fn exec(
    machine: Arc<dyn Communicator>,
    command: Command,
    out: mpsc::Sender<Result<wire::ExecEvent, Status>>,
) -> Result<(), Status> {
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let forward = async {
        while let Some(output) = receiver.recv().await {
            let (bytes, event): (Bytes, fn(Bytes) -> ExecOut) = match output {
                Output::Stdout(bytes) => (bytes, ExecOut::Stdout),
                Output::Stderr(bytes) => (bytes, ExecOut::Stderr),
            };
            for piece in pieces(bytes) {
                send(
                    &out,
                    wire::ExecEvent {
                        event: Some(event(piece)),
                    },
                )
                .await;
            }
        }
    };
    let (exit, ()) = tokio::join!(machine.exec(command, sender), forward);
    let how = match exit.map_err(|error| to_status(&error))? {
        Exit::Code(code) => How::Code(code),
        Exit::Signal(name) => How::Signal(name),
        Exit::Disconnected(seen) => How::Disconnected(seen),
    };
    let event = ExecOut::Exit(wire::ExecExit { how: Some(how) });
    send(&out, wire::ExecEvent { event: Some(event) }).await;
    Ok(())
}

async fn download(
    machine: Arc<dyn Communicator>,
    path: String,
    out: mpsc::Sender<Result<wire::DownloadChunk, Status>>,
) -> Result<(), Status> {
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let forward = async {
        let mut sent = 0_u64;
        while let Some(bytes) = receiver.recv().await {
            for data in pieces(bytes) {
                sent += data.len() as u64;
                send(&out, wire::DownloadChunk { size: None, data }).await;
            }
        }
        sent
    };
    let (read, sent) = tokio::join!(machine.download(&path, call::writer(sender)), forward);
    let read = read.map_err(|error| to_status(&error))?;
    if read == sent {
        return Ok(());
    }
    let seen = format!("{read} bytes were read but {sent} arrived");
    let operation = format!("download of {path}");
    Err(to_status(&CommunicatorError::Broken { operation, seen }))
}
