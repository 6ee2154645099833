//! A machine in another process.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use hyper_util::rt::TokioIo;
use plugin_wire::stream as sizes;
use plugin_wire::v1 as wire;
use plugin_wire::v1::communicator_client::CommunicatorClient;
use plugin_wire::v1::exec_event::Event as ExecOut;
use plugin_wire::v1::exec_exit::How;
use plugin_wire::v1::exec_request::Request as ExecIn;
use plugin_wire::v1::tree_chunk::Part;
use sdk_communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint as Address};
use tonic::{Status, Streaming};

use super::call;
use super::fault::{from_status, is_answer};
use super::server::Endpoint;
use super::trees::{to_chunks, to_entries};
use crate::authorization::Bearer;

type Client = CommunicatorClient<InterceptedService<Channel, Bearer>>;

/// The machine of a builder in another process. Clones share one connection, which is made when
/// it is first needed. A call that is dropped is cancelled on the other side.
#[derive(Clone, Debug)]
pub struct RemoteCommunicator {
    client: Client,
}

impl RemoteCommunicator {
    /// A handle on the machine at `endpoint`. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`CommunicatorError::Unreachable`] when the token cannot be one.
    pub fn connect(endpoint: &Endpoint) -> Result<Self, CommunicatorError> {
        let bearer =
            Bearer::new(&endpoint.token).ok_or_else(|| CommunicatorError::Unreachable {
                seen: "the token of the builder's machine is malformed".to_owned(),
            })?;
        let socket = endpoint.socket.clone();
        // The address is not used: the connector knows the way.
        let channel = Address::from_static("http://machine.invalid")
            .initial_stream_window_size(sizes::WINDOW_BYTES)
            .initial_connection_window_size(sizes::WINDOW_BYTES)
            .max_frame_size(sizes::FRAME_BYTES)
            .connect_with_connector_lazy(tower::service_fn(move |_| {
                let socket = socket.clone();
                async move { UnixStream::connect(socket).await.map(TokioIo::new) }
            }));
        let client = CommunicatorClient::with_interceptor(channel, bearer)
            .max_decoding_message_size(sizes::MESSAGE_BYTES)
            .max_encoding_message_size(sizes::MESSAGE_BYTES);
        Ok(Self { client })
    }

    /// A client of its own, as its calls want it.
    fn client(&self) -> Client {
        self.client.clone()
    }
}

/// A stream of requests out of a source that can fail. When it fails the stream does not end, so
/// that the other side does not take a part for the whole; the error is reported and the caller
/// drops the call.
struct Fallible {
    failed: oneshot::Receiver<CommunicatorError>,
}

impl Fallible {
    fn of<T: Send + 'static>(
        source: impl Stream<Item = Result<T, CommunicatorError>> + Send + 'static,
    ) -> (Self, Requests<T>) {
        let (report, failed) = oneshot::channel();
        let report = Arc::new(Mutex::new(Some(report)));
        let stream = source.then(move |item| {
            let report = Arc::clone(&report);
            async move {
                match item {
                    Ok(item) => item,
                    Err(error) => {
                        let report = report.lock().unwrap_or_else(PoisonError::into_inner).take();
                        if let Some(report) = report {
                            // Without a listener the call is over already.
                            drop(report.send(error));
                        }
                        std::future::pending().await
                    }
                }
            }
        });
        (Self { failed }, Requests(stream.boxed()))
    }

    /// Carries out `call` unless the source fails first.
    async fn unless_failed<T>(
        self,
        call: impl Future<Output = Result<T, CommunicatorError>>,
    ) -> Result<T, CommunicatorError> {
        let failed = async {
            match self.failed.await {
                Ok(error) => error,
                // The source came to its end.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            error = failed => Err(error),
            done = call => done,
        }
    }
}

/// A boxed stream with a name: the compiler loses the lifetime of a bare one within futures.
struct Requests<T>(BoxStream<'static, T>);

impl<T> Stream for Requests<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.as_mut().poll_next(cx)
    }
}

fn local(operation: &str) -> impl Fn(std::io::Error) -> CommunicatorError + Send + 'static {
    let operation = operation.to_owned();
    move |source| CommunicatorError::Io {
        operation: operation.clone(),
        source,
    }
}

#[async_trait]
impl Communicator for RemoteCommunicator {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        let Command {
            command,
            pty,
            stdin,
        } = command;
        let message = |request| wire::ExecRequest {
            request: Some(request),
        };
        let start = ExecIn::Start(wire::ExecStart {
            command,
            pty,
            no_stdin: stdin.is_none(),
        });
        let input = match stdin {
            None => stream::empty().boxed(),
            Some(stdin) => call::chunks(stdin).boxed(),
        };
        let input = input.map(move |piece| {
            piece
                .map(|data| message(ExecIn::Stdin(data)))
                .map_err(local("reading standard input"))
        });
        let requests = stream::iter([Ok(message(start))])
            .chain(input)
            .chain(stream::iter([Ok(message(ExecIn::StdinEnd(
                wire::StdinEnd {},
            )))]));
        let (fallible, requests) = Fallible::of(requests);
        let mut client = self.client();
        let call = async {
            let response = client.exec(requests).await;
            let events = response.map_err(|status| from_status(&status, "starting a command"))?;
            follow(events.into_inner(), output).await
        };
        fallible.unless_failed(call).await
    }

    async fn upload(&self, target: FileTarget, source: Reader) -> Result<u64, CommunicatorError> {
        let operation = format!("upload of {}", target.path);
        let FileTarget { path, mode, size } = target;
        let header = wire::UploadHeader { path, mode, size };
        let header = wire::UploadChunk {
            header: Some(header),
            data: Bytes::new(),
        };
        let fail = local(&operation);
        let data = call::chunks(source).map(move |piece| {
            piece
                .map(|data| wire::UploadChunk { header: None, data })
                .map_err(&fail)
        });
        let (fallible, chunks) = Fallible::of(stream::iter([Ok(header)]).chain(data));
        let mut client = self.client();
        let call = async {
            let response = client.upload(chunks).await;
            response.map_err(|status| from_status(&status, &operation))
        };
        Ok(fallible.unless_failed(call).await?.into_inner().bytes)
    }

    async fn download(&self, path: &str, mut sink: Writer) -> Result<u64, CommunicatorError> {
        let operation = format!("download of {path}");
        let request = wire::DownloadRequest {
            path: path.to_owned(),
        };
        let remote = |status: Status| from_status(&status, &operation);
        let mut chunks = self
            .client()
            .download(request)
            .await
            .map_err(remote)?
            .into_inner();
        let mut read = 0;
        while let Some(chunk) = chunks.message().await.map_err(remote)? {
            read += chunk.data.len() as u64;
            sink.write_all(&chunk.data)
                .await
                .map_err(local(&operation))?;
        }
        sink.shutdown().await.map_err(local(&operation))?;
        Ok(read)
    }

    async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        let operation = format!("upload of {path}");
        let header = Part::Header(wire::TreeHeader {
            path: path.to_owned(),
        });
        let parts = entries.flat_map(|entry| match entry {
            Ok(entry) => to_chunks(entry).map(Ok).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        });
        let header = stream::iter([Ok(wire::TreeChunk { part: Some(header) })]);
        let (fallible, chunks) = Fallible::of(header.chain(parts));
        let mut client = self.client();
        let call = async {
            let response = client.upload_tree(chunks).await;
            response.map_err(|status| from_status(&status, &operation))
        };
        Ok(fallible.unless_failed(call).await?.into_inner().bytes)
    }

    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        let operation = format!("download of {path}");
        let request = wire::DownloadTreeRequest {
            path: path.to_owned(),
            exclude: exclude.to_vec(),
        };
        let response = self.client().download_tree(request).await;
        let chunks = response
            .map_err(|status| from_status(&status, &operation))?
            .into_inner();
        Ok(to_entries(chunks, operation))
    }

    async fn reconnect(&self, limit: Option<Duration>) -> Result<(), CommunicatorError> {
        // Zero stands for no limit of the caller's, so the shortest limit is a millisecond.
        let millis = limit.map_or(0, |limit| limit.as_millis().max(1));
        let timeout_ms = u64::try_from(millis).unwrap_or(u64::MAX);
        let response = self
            .client()
            .reconnect(wire::ReconnectRequest { timeout_ms })
            .await;
        response
            .map(|_| ())
            .map_err(|status| from_status(&status, "reconnecting"))
    }

    async fn forward(&self, host: &str, port: u16) -> Result<(Reader, Writer), CommunicatorError> {
        let (sender, receiver) = mpsc::channel(1);
        let connect = wire::ForwardConnect {
            host: host.to_owned(),
            port: port.into(),
        };
        let connect = wire::ForwardChunk {
            connect: Some(connect),
            data: Bytes::new(),
        };
        let data = ReceiverStream::new(receiver).map(|data| wire::ForwardChunk {
            connect: None,
            data,
        });
        let requests = stream::iter([connect]).chain(data);
        let operation = format!("forwarding to {host}:{port}");
        let response = self.client().forward(requests).await;
        let chunks = response
            .map_err(|status| from_status(&status, &operation))?
            .into_inner();
        let reader = call::reader(Bytes::new(), chunks, |chunk| chunk.data);
        Ok((reader, call::writer(sender)))
    }
}

/// Hands on what a command prints until it has ended.
async fn follow(
    mut events: Streaming<wire::ExecEvent>,
    output: mpsc::Sender<Output>,
) -> Result<Exit, CommunicatorError> {
    loop {
        let piece = match events.message().await {
            Ok(Some(wire::ExecEvent {
                event: Some(ExecOut::Stdout(data)),
            })) => Output::Stdout(data),
            Ok(Some(wire::ExecEvent {
                event: Some(ExecOut::Stderr(data)),
            })) => Output::Stderr(data),
            Ok(Some(wire::ExecEvent {
                event: Some(ExecOut::Exit(exit)),
            })) => {
                return Ok(ended(exit));
            }
            Ok(Some(wire::ExecEvent { event: None })) => continue,
            Ok(None) => {
                let seen = "the builder's process ended the call without an exit status";
                return Ok(Exit::Disconnected(seen.to_owned()));
            }
            Err(status) if is_answer(&status) => {
                return Err(from_status(&status, "running a command"));
            }
            Err(status) => {
                return Ok(Exit::Disconnected(format!(
                    "the builder's process: {}",
                    status.message()
                )));
            }
        };
        // A caller that does not listen loses the output, not the command.
        drop(output.send(piece).await);
    }
}

fn ended(exit: wire::ExecExit) -> Exit {
    match exit.how {
        Some(How::Code(code)) => Exit::Code(code),
        Some(How::Signal(name)) => Exit::Signal(name),
        Some(How::Disconnected(seen)) => Exit::Disconnected(seen),
        None => Exit::Disconnected("an exit of a kind this version does not know".to_owned()),
    }
}
