//! A connection's bytes, watched: whether the other side ever spoke, and whether it still does.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How much of the first answer is kept to quote it, in bytes.
const QUOTED_BYTES: usize = 200;

/// Anything bytes go through both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No connection yet.
    Dialing,
    /// There is a connection, but nothing was received.
    Silent,
    /// The other side has spoken.
    Talking,
}

/// What an attempt has seen so far; shared with the one who decides how long to wait for it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    stage: AtomicU8,
    first: Mutex<Vec<u8>>,
}

impl Seen {
    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Dialing,
            1 => Stage::Silent,
            _ => Stage::Talking,
        }
    }

    pub(crate) fn connected(&self) {
        self.stage.store(1, Ordering::Release);
    }

    fn received(&self, bytes: &[u8]) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let room = QUOTED_BYTES.saturating_sub(first.len());
        first.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.stage.store(2, Ordering::Release);
    }

    /// The first line that was received; empty when nothing was.
    pub(crate) fn first_line(&self) -> String {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let line = first
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        line.trim_ascii().escape_ascii().to_string()
    }
}

/// A stream that notes its first bytes and, when told to, breaks after silence.
pub(crate) struct Watched {
    inner: Box<dyn Stream>,
    seen: Arc<Seen>,
    limit: Option<Duration>,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(crate) fn new(inner: Box<dyn Stream>, seen: Arc<Seen>, limit: Option<Duration>) -> Self {
        seen.connected();
        Self {
            inner,
            seen,
            limit,
            reading: None,
            writing: None,
        }
    }
}

/// An operation that waits: fails once it has waited longer than `limit`.
fn overdue(
    timer: &mut Option<Pin<Box<Sleep>>>,
    limit: Option<Duration>,
    cx: &mut Context<'_>,
    what: &str,
) -> Poll<io::Result<()>> {
    let Some(limit) = limit else {
        return Poll::Pending;
    };
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
    match timer.as_mut().poll(cx) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(()) => {
            let message = format!(
                "no {what} for {} s (ssh_read_write_timeout)",
                limit.as_secs()
            );
            Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buffer) {
            Poll::Pending => overdue(&mut this.reading, this.limit, cx, "data received"),
            ready => {
                this.reading = None;
                let received = &buffer.filled()[before..];
                if this.seen.stage() != Stage::Talking && !received.is_empty() {
                    this.seen.received(received);
                }
                ready
            }
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_write(cx, bytes) {
            Poll::Pending => {
                overdue(&mut this.writing, this.limit, cx, "data taken").map_ok(|()| 0)
            }
            ready => {
                this.writing = None;
                ready
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
