//! One stream of a connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

/// How long a stream that was given up may still be read, so that the other side is not cut off.
const LINGER: Duration = Duration::from_secs(30);

/// A byte stream both ways. Dropping it closes it in order: the other side reads to the end of what
/// was written.
#[derive(Debug)]
pub struct Stream {
    /// Empty only while it is dropped.
    stream: Option<Compat<yamux::Stream>>,
    end: End,
    waiting: Arc<Waiting>,
}

/// Who waits for the stream. The library wakes only the last one that asked, but reading and
/// writing may be two tasks.
#[derive(Debug, Default)]
struct Waiting(Mutex<[Option<Waker>; 2]>);

/// Places in [`Waiting`].
const READER: usize = 0;
const WRITER: usize = 1;

impl Waiting {
    /// Something that wakes everybody, now also who waits in `cx`.
    fn with(self: &Arc<Self>, place: usize, cx: &Context<'_>) -> Waker {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting[place] = Some(cx.waker().clone());
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = std::mem::take(&mut *waiting);
        drop(waiting);
        for waker in woken.into_iter().flatten() {
            waker.wake();
        }
    }
}

/// Whether the other side was told that nothing more comes. The library would tell it again, and Go
/// ends the whole connection then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Untold,
    Told,
}

impl Stream {
    pub(super) fn new(stream: yamux::Stream) -> Self {
        Self {
            stream: Some(stream.compat()),
            end: End::Untold,
            waiting: Arc::default(),
        }
    }

    fn inner(&mut self) -> Pin<&mut Compat<yamux::Stream>> {
        let stream = self.stream.as_mut();
        Pin::new(stream.expect("only a dropped stream is empty"))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let waker = self.waiting.with(READER, cx);
        self.inner()
            .poll_read(&mut Context::from_waker(&waker), buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let waker = self.waiting.with(WRITER, cx);
        self.inner()
            .poll_write(&mut Context::from_waker(&waker), bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waker = self.waiting.with(WRITER, cx);
        self.inner().poll_flush(&mut Context::from_waker(&waker))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end == End::Told {
            return Poll::Ready(Ok(()));
        }
        let waker = self.waiting.with(WRITER, cx);
        let told = self.inner().poll_shutdown(&mut Context::from_waker(&waker));
        if told.is_ready() {
            self.end = End::Told;
        }
        told
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // The library resets a stream that is dropped unclosed, and Go then forgets what it has
        // not read yet.
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(stream), Ok(runtime)) = (self.stream.take(), runtime) {
            drop(runtime.spawn(close(stream, self.end)));
        }
    }
}

async fn close(mut stream: Compat<yamux::Stream>, end: End) {
    let farewell = async {
        if end == End::Untold {
            stream.shutdown().await?;
        }
        let mut ignored = [0_u8; 4096];
        while stream.read(&mut ignored).await? > 0 {}
        io::Result::Ok(())
    };
    if !matches!(tokio::time::timeout(LINGER, farewell).await, Ok(Ok(()))) {
        tracing::trace!("a stream was cut off");
    }
}
