//! One call on the server's side: its bytes in and out, and its end when the caller leaves.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Sink, Stream, StreamExt};
use plugin_wire::stream::CHUNK_BYTES;
use sdk_communicator::{Reader, Writer};
use tokio::sync::mpsc;
use tokio_util::io::{CopyToBytes, ReaderStream, SinkWriter, StreamReader};
use tokio_util::sync::PollSender;
use tonic::Status;

/// A byte stream out of messages; `data` takes the bytes of one. A stream that breaks off is an
/// error, never an end.
pub(super) fn reader<M: Send + 'static>(
    first: Bytes,
    messages: impl Stream<Item = Result<M, Status>> + Send + 'static,
    data: fn(M) -> Bytes,
) -> Reader {
    let first = futures::stream::iter([Ok(first)]);
    let rest = messages.map(move |message| message.map(data).map_err(io::Error::other));
    Box::new(StreamReader::new(Box::pin(first.chain(rest))))
}

/// A byte stream into a channel, in chunks as they are written.
pub(super) fn writer(sender: mpsc::Sender<Bytes>) -> Writer {
    Box::new(SinkWriter::new(CopyToBytes::new(Chunked {
        sender: PollSender::new(sender),
    })))
}

/// A stream of messages out of a byte stream.
pub(super) fn chunks(reader: Reader) -> impl Stream<Item = io::Result<Bytes>> + Send {
    ReaderStream::with_capacity(reader, CHUNK_BYTES)
}

/// Sends bytes and says in the words of I/O when nobody reads any more.
struct Chunked {
    sender: PollSender<Bytes>,
}

fn broken<E>(_: E) -> io::Error {
    io::Error::from(io::ErrorKind::BrokenPipe)
}

impl Sink<Bytes> for Chunked {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.poll_reserve(cx).map_err(broken)
    }

    fn start_send(mut self: Pin<&mut Self>, item: Bytes) -> io::Result<()> {
        self.sender.send_item(item).map_err(broken)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.close();
        Poll::Ready(Ok(()))
    }
}
