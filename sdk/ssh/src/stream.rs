//! A connection's bytes, watched: whether the other side ever spoke, and whether it still does.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::client::Ended;
use crate::failure::AttemptError;

/// How much is read at once, in bytes. The library asks for the head and the rest of each packet one
/// by one, which would be two system calls for every 32 KiB.
const READ_BYTES: usize = 256 * 1024;
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
    /// The login at the bastion is under way, or waited for.
    Bastion,
    /// The proxy connects.
    Proxy,
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
            1 => Stage::Bastion,
            2 => Stage::Proxy,
            3 => Stage::Silent,
            _ => Stage::Talking,
        }
    }

    pub(crate) fn reached(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
    }

    fn received(&self, bytes: &[u8]) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let room = QUOTED_BYTES.saturating_sub(first.len());
        first.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.reached(Stage::Talking);
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

/// How long a stream may wait.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// For something to read; for ever when none.
    pub(crate) read: Option<Duration>,
    /// For room to write; for ever when none.
    pub(crate) write: Option<Duration>,
}

/// A stream that notes its first bytes and how it ended, and breaks after silence and when its
/// session is given up.
pub(crate) struct Watched {
    inner: BufReader<Box<dyn Stream>>,
    seen: Arc<Seen>,
    ended: Ended,
    limits: Limits,
    reading: Wait,
    writing: Wait,
}

impl Watched {
    pub(crate) fn new(
        inner: Box<dyn Stream>,
        seen: Arc<Seen>,
        ended: Ended,
        limits: Limits,
    ) -> Self {
        seen.reached(Stage::Silent);
        let (reading, writing) = (Wait::new(&ended.given_up), Wait::new(&ended.given_up));
        Self {
            inner: BufReader::with_capacity(READ_BYTES, inner),
            seen,
            ended,
            limits,
            reading,
            writing,
        }
    }
}

/// What ends a wait early.
struct Wait {
    timer: Option<Pin<Box<Sleep>>>,
    given_up: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Wait {
    fn new(given_up: &CancellationToken) -> Self {
        Self {
            timer: None,
            given_up: Box::pin(given_up.clone().cancelled_owned()),
        }
    }

    /// An operation that waits: fails once it has waited longer than `limit`, and at once when
    /// nobody needs the stream any more.
    fn overdue(
        &mut self,
        limit: Option<Duration>,
        cx: &mut Context<'_>,
        what: &str,
    ) -> Poll<io::Result<()>> {
        if self.given_up.as_mut().poll(cx).is_ready() {
            let message = "the connection is not used any more";
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                message,
            )));
        }
        let Some(limit) = limit else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        match timer.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let time = sdk_config::format_duration(limit);
                let message = format!("no {what} for {time} (`ssh_read_write_timeout`)");
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
            }
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
            Poll::Pending => {
                let waited = this.reading.overdue(this.limits.read, cx, "data received");
                waited.map_err(|error| this.ended.note(error))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.ended.note(error))),
            Poll::Ready(Ok(())) => {
                this.reading.timer = None;
                let received = &buffer.filled()[before..];
                if received.is_empty() && buffer.remaining() > 0 {
                    this.ended
                        .set("the other side closed the connection".to_owned());
                }
                if this.seen.stage() != Stage::Talking && !received.is_empty() {
                    this.seen.received(received);
                    if let Some(AttemptError::Version1(line)) =
                        AttemptError::of_first_line(&this.seen.first_line())
                    {
                        // It would wait for us as we for it.
                        return Poll::Ready(Err(io::Error::other(line)));
                    }
                }
                Poll::Ready(Ok(()))
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
                let waited = this.writing.overdue(this.limits.write, cx, "data taken");
                waited
                    .map_ok(|()| 0)
                    .map_err(|error| this.ended.note(error))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.ended.note(error))),
            ready => {
                this.writing.timer = None;
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
