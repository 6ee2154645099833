//! A channel as a byte stream that ends when its session does.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use russh::client::Msg;
use russh::{Channel, ChannelStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::client::Ended;

/// A channel as a stream. Closes the channel when dropped.
///
/// The stream of the library alone would wait for ever for room to write once the session is gone.
pub(crate) struct ChannelIo {
    stream: ChannelStream<Msg>,
    ended: Ended,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
    /// The other side ended its part.
    finished: bool,
}

impl ChannelIo {
    pub(crate) fn new(channel: Channel<Msg>, ended: &Ended) -> Self {
        let over = Box::pin(ended.over.clone().cancelled_owned());
        Self {
            stream: channel.into_stream(),
            ended: ended.clone(),
            over,
            finished: false,
        }
    }

    fn broken<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        match self.over.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(Err(self.gone())),
        }
    }

    fn gone(&self) -> io::Error {
        let why = self.ended.why();
        let message = why.unwrap_or_else(|| "the SSH connection is gone".to_owned());
        io::Error::new(io::ErrorKind::BrokenPipe, message)
    }
}

impl AsyncRead for ChannelIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() == before && room > 0 {
            // The library tells the end of the session as if the other side had ended its part.
            if !self.finished && self.ended.over.is_cancelled() {
                return Poll::Ready(Err(self.gone()));
            }
            self.finished = true;
        }
        read
    }
}

impl AsyncWrite for ChannelIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Pending => self.broken(cx),
            ready => ready,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Pending => self.broken(cx),
            ready => ready,
        }
    }
}
