//! The connection, its streams, and the numbers by which both sides pair them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::future::poll_fn;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::compat::TokioAsyncReadCompatExt;
use tokio_util::sync::CancellationToken;

use super::{SessionError, Stream};

/// How long a stream stays open that nobody asks for. The plugin SDK has the same limit.
pub const UNCLAIMED: Duration = Duration::from_secs(5);
/// How long an opened stream may wait for the other side. The plugin SDK ends the whole connection
/// after this time.
const DIAL: Duration = Duration::from_secs(75);
/// How long one side waits for a stream it has asked for. Generous: a machine may be busy.
const ACCEPT: Duration = Duration::from_secs(60);
/// How long a connection that is no longer needed may take to hand over what was written.
const CLOSE: Duration = Duration::from_secs(5);
/// Streams at the same time.
const MAX_STREAMS: usize = 2048;
/// What may be under way on one stream, in bytes; the format's own size.
const WINDOW: usize = 256 * 1024;
/// Requests for streams that may wait.
const QUEUE: usize = 64;

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The host, which connects.
    Host,
    /// The plugin, which listens.
    Plugin,
}

type Opened = oneshot::Sender<Result<yamux::Stream, SessionError>>;

/// A connection between a host and a plugin. Clones are the same connection; it ends when the last
/// one is dropped.
#[derive(Clone, Debug)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    opens: mpsc::Sender<Opened>,
    slots: Arc<Slots>,
    next: AtomicU32,
    ended: CancellationToken,
}

/// Streams that arrived before they were asked for, and questions for those that did not yet.
#[derive(Debug, Default)]
struct Slots(Mutex<HashMap<u32, Slot>>);

#[derive(Debug)]
enum Slot {
    Asked(oneshot::Sender<Stream>),
    Arrived(Stream, u64),
}

/// A stream that the other side will open.
#[derive(Debug)]
pub struct Expected {
    id: u32,
    arrival: oneshot::Receiver<Stream>,
    slots: Arc<Slots>,
    ended: CancellationToken,
}

impl Session {
    /// Takes over a connected socket. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, side: Side) -> Self {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(MAX_STREAMS);
        // Without a reserve no window grows: Go fills one with a single frame, and the library
        // refuses frames above 1 MiB.
        config.set_max_connection_receive_window(Some(MAX_STREAMS * WINDOW));
        let mode = match side {
            Side::Host => yamux::Mode::Client,
            Side::Plugin => yamux::Mode::Server,
        };
        let connection = yamux::Connection::new(socket.compat(), config, mode);
        let (opens, requests) = mpsc::channel(QUEUE);
        let slots = Arc::new(Slots::default());
        let ended = CancellationToken::new();
        // It ends by itself: with the connection, or when the last session is dropped.
        drop(tokio::spawn(drive(
            connection,
            requests,
            Arc::clone(&slots),
            ended.clone(),
        )));
        Self(Arc::new(Inner {
            opens,
            slots,
            next: AtomicU32::new(1),
            ended,
        }))
    }

    /// A pairing number that this side has not used yet. The side that makes a number is the one
    /// that expects the stream.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.0.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Gets ready for the stream `id`; do that before the other side learns the number.
    #[must_use]
    pub fn expect(&self, id: u32) -> Expected {
        let (asked, arrival) = oneshot::channel();
        self.0.slots.ask(id, asked);
        Expected {
            id,
            arrival,
            slots: Arc::clone(&self.0.slots),
            ended: self.0.ended.clone(),
        }
    }

    /// A new number and the stream that will come by it.
    #[must_use]
    pub fn invite(&self) -> (u32, Expected) {
        let id = self.number();
        (id, self.expect(id))
    }

    /// Opens the stream that the other side expects as `id`.
    ///
    /// # Errors
    ///
    /// [`SessionError`], when the connection has ended or nobody expects it.
    pub async fn dial(&self, id: u32) -> Result<Stream, SessionError> {
        let (opened, answer) = oneshot::channel();
        let asked = self.0.opens.send(opened).await;
        asked.map_err(|_| SessionError::Ended)?;
        let stream = answer.await.map_err(|_| SessionError::Ended)??;
        let mut stream = Stream::new(stream);
        let greet = async {
            stream.write_all(&id.to_le_bytes()).await?;
            stream.flush().await?;
            let mut echo = [0; 4];
            stream.read_exact(&mut echo).await?;
            io::Result::Ok(u32::from_le_bytes(echo))
        };
        let refused = SessionError::Refused { id };
        match tokio::time::timeout(DIAL, greet).await {
            Err(_) => Err(SessionError::NotTaken { id, limit: DIAL }),
            Ok(Ok(echo)) if echo == id => Ok(stream),
            Ok(_) if self.0.ended.is_cancelled() => Err(SessionError::Ended),
            Ok(_) => Err(refused),
        }
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.0.ended.is_cancelled()
    }

    /// Waits for the end of the connection.
    pub async fn ended(&self) {
        self.0.ended.cancelled().await;
    }

    /// Cancelled when the connection has ended.
    #[must_use]
    pub fn end(&self) -> &CancellationToken {
        &self.0.ended
    }
}

impl Expected {
    /// Waits for the stream.
    ///
    /// # Errors
    ///
    /// [`SessionError`], when it does not come.
    pub async fn accept(mut self) -> Result<Stream, SessionError> {
        let arrived = tokio::select! {
            arrived = tokio::time::timeout(ACCEPT, &mut self.arrival) => arrived,
            () = self.ended.cancelled() => return Err(SessionError::Ended),
        };
        let limit = ACCEPT;
        let id = self.id;
        let mut stream = arrived
            .map_err(|_| SessionError::NotTaken { id, limit })?
            .map_err(|_| SessionError::Ended)?;
        let echo = async {
            stream.write_all(&id.to_le_bytes()).await?;
            stream.flush().await
        };
        echo.await.map_err(|_| SessionError::Refused { id })?;
        Ok(stream)
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.slots.forget(self.id);
    }
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, id: u32, asked: oneshot::Sender<Stream>) {
        let earlier = self.lock().insert(id, Slot::Asked(asked));
        if let Some(Slot::Arrived(stream, _)) = earlier {
            self.arrive(id, stream);
        }
    }

    /// Gives the stream to who asked for it, or keeps it; returns a mark when it was kept.
    fn arrive(&self, id: u32, stream: Stream) -> Option<u64> {
        static MARK: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let mut slots = self.lock();
        match slots.entry(id) {
            Entry::Occupied(entry) if matches!(entry.get(), Slot::Asked(_)) => {
                if let Slot::Asked(asked) = entry.remove() {
                    // One who no longer waits loses the stream, which closes it.
                    drop(asked.send(stream));
                }
                None
            }
            // A second stream of a number is nobody's.
            Entry::Occupied(_) => None,
            Entry::Vacant(entry) => {
                let mark = MARK.fetch_add(1, Ordering::Relaxed);
                entry.insert(Slot::Arrived(stream, mark));
                Some(mark)
            }
        }
    }

    /// Closes a stream that nobody asked for.
    fn expire(&self, id: u32, mark: u64) {
        let mut slots = self.lock();
        if matches!(slots.get(&id), Some(Slot::Arrived(_, kept)) if *kept == mark) {
            tracing::debug!(id, "a stream was not asked for");
            slots.remove(&id);
        }
    }

    fn forget(&self, id: u32) {
        let mut slots = self.lock();
        if matches!(slots.get(&id), Some(Slot::Asked(_))) {
            slots.remove(&id);
        }
    }
}

/// Moves frames until the connection ends; pings are answered here, whatever else goes on.
async fn drive(
    mut connection: yamux::Connection<impl futures::AsyncRead + futures::AsyncWrite + Unpin>,
    mut requests: mpsc::Receiver<Opened>,
    slots: Arc<Slots>,
    ended: CancellationToken,
) {
    let _guard = ended.clone().drop_guard();
    let mut waiting: Option<Opened> = None;
    let broken = poll_fn(|cx| {
        loop {
            if waiting.is_none()
                && let Poll::Ready(request) = requests.poll_recv(cx)
            {
                let Some(request) = request else {
                    return Poll::Ready(false);
                };
                waiting = Some(request);
            }
            if waiting.is_some()
                && let Poll::Ready(opened) = connection.poll_new_outbound(cx)
                && let Some(request) = waiting.take()
            {
                // One who no longer waits drops the stream, which closes it.
                drop(request.send(opened.map_err(|_| SessionError::Ended)));
                continue;
            }
            match connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => {
                    drop(tokio::spawn(pair(Stream::new(stream), Arc::clone(&slots))));
                }
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(%error, "the connection broke");
                    return Poll::Ready(true);
                }
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    if !broken.await {
        let close = poll_fn(|cx| connection.poll_close(cx));
        if !matches!(tokio::time::timeout(CLOSE, close).await, Ok(Ok(()))) {
            tracing::debug!("a connection was cut off");
        }
    }
}

/// Reads the number of a stream that the other side opened, and keeps the stream for who asks.
async fn pair(mut stream: Stream, slots: Arc<Slots>) {
    let mut number = [0; 4];
    let read = tokio::time::timeout(UNCLAIMED, stream.read_exact(&mut number));
    if !matches!(read.await, Ok(Ok(_))) {
        tracing::debug!("a stream came without its number");
        return;
    }
    let id = u32::from_le_bytes(number);
    if let Some(mark) = slots.arrive(id, stream) {
        tokio::time::sleep(UNCLAIMED).await;
        slots.expire(id, mark);
    }
}
