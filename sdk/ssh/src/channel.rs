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
    over: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl ChannelIo {
    pub(crate) fn new(channel: Channel<Msg>, ended: &Ended) -> Self {
        let over = Box::pin(ended.over.clone().cancelled_owned());
        Self {
            stream: channel.into_stream(),
            over,
        }
    }

    fn broken<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        match self.over.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "the SSH connection is gone",
            ))),
        }
    }
}

impl AsyncRead for ChannelIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
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
