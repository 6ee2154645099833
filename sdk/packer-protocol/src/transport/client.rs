//! The calling end of a stream.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmpv::Value as Wire;
use tokio::io::{AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::{CallError, Request, Response, Stream};

/// Calls that may wait to be written.
const QUEUE: usize = 16;

type Answer = oneshot::Sender<Result<Wire, CallError>>;

/// Makes calls on one stream; several may be in flight. Clones call on the same stream, which is
/// closed when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    requests: mpsc::Sender<Vec<u8>>,
    pending: Arc<Mutex<Pending>>,
    _reader: AbortOnDropHandle<()>,
}

#[derive(Debug, Default)]
struct Pending {
    next: u64,
    answers: HashMap<u64, (String, Answer)>,
    /// What everybody is told once nothing can be answered any more.
    over: Option<Over>,
}

#[derive(Clone, Copy, Debug)]
enum Over {
    Ended,
    Malformed,
}

impl Over {
    fn error(self, method: String) -> CallError {
        match self {
            Self::Ended => CallError::Ended { method },
            Self::Malformed => CallError::Malformed {
                method,
                wanted: "answer",
            },
        }
    }
}

impl Client {
    /// Calls on `stream`.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let (requests, queue) = mpsc::channel(QUEUE);
        let pending = Arc::new(Mutex::new(Pending::default()));
        // A call that is given up must not leave half a message behind: a task of its own writes.
        drop(tokio::spawn(write(writer, queue)));
        let reader = tokio::spawn(read(reader, Arc::clone(&pending)));
        Self(Arc::new(Inner {
            requests,
            pending,
            _reader: AbortOnDropHandle::new(reader),
        }))
    }

    /// Calls `method`, for example `Builder.Run`. A call that is dropped goes on at the other side;
    /// its answer is ignored.
    ///
    /// # Errors
    ///
    /// [`CallError::Remote`] with the other side's words, the others when there is no answer.
    pub async fn call(&self, method: &str, argument: Wire) -> Result<Wire, CallError> {
        let ended = || Over::Ended.error(method.to_owned());
        let (answer, answered) = oneshot::channel();
        let sequence = self.0.register(method, answer)?;
        let request = Request {
            method: method.to_owned(),
            sequence,
            argument,
        };
        let sent = self.0.requests.send(request.encode()).await;
        sent.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Inner {
    fn register(&self, method: &str, answer: Answer) -> Result<u64, CallError> {
        let mut pending = lock(&self.pending);
        if let Some(over) = pending.over {
            return Err(over.error(method.to_owned()));
        }
        // Calls whose callers have gone would pile up if the other side never answered them.
        pending.answers.retain(|_, (_, answer)| !answer.is_closed());
        let sequence = pending.next;
        pending.next += 1;
        let entry = (method.to_owned(), answer);
        pending.answers.insert(sequence, entry);
        Ok(sequence)
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(mut writer: WriteHalf<Stream>, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = queue.recv().await {
        let written = async {
            writer.write_all(&message).await?;
            writer.flush().await
        };
        if let Err(error) = written.await {
            // The reader sees the end too and tells those who wait.
            tracing::debug!(%error, "a call could not be written");
            return;
        }
    }
    if let Err(error) = writer.shutdown().await {
        tracing::trace!(%error, "a stream could not be closed");
    }
}

async fn read(stream: ReadHalf<Stream>, pending: Arc<Mutex<Pending>>) {
    let mut stream = BufReader::new(stream);
    let over = loop {
        match Response::read(&mut stream).await {
            Ok(Some(response)) => answer(&pending, response),
            Ok(None) => break Over::Ended,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                tracing::warn!(%error, "an answer cannot be read");
                break Over::Malformed;
            }
            Err(error) => {
                tracing::debug!(%error, "a stream of calls broke");
                break Over::Ended;
            }
        }
    };
    let mut pending = lock(&pending);
    pending.over = Some(over);
    for (_, (method, answer)) in pending.answers.drain() {
        // One who no longer waits need not be told.
        drop(answer.send(Err(over.error(method))));
    }
}

fn answer(pending: &Mutex<Pending>, response: Response) {
    let waiting = lock(pending).answers.remove(&response.sequence);
    let Some((_, answer)) = waiting else {
        tracing::debug!(method = response.method, "an answer nobody waits for");
        return;
    };
    let outcome = response.outcome;
    let outcome = outcome.map_err(|message| CallError::Remote { message });
    // One who no longer waits need not be told.
    drop(answer.send(outcome));
}
