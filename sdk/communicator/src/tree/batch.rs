//! A tree made on one thread and read as a stream on another, a few entries at a time.
//!
//! Entries travel in batches, because waking the other side for each of ten thousand small files
//! costs more than the files do.

use futures::StreamExt;
use tokio::sync::mpsc;

use super::entry::{CHUNK_BYTES, Entries, Entry};
use crate::CommunicatorError;

/// Batches that may wait; together with [`CHUNK_BYTES`] the limit of memory.
const WAITING_BATCHES: usize = 8;
/// Entries without data that may wait in one batch.
const BATCH_ENTRIES: usize = 128;

type Batch = Vec<Result<Entry, CommunicatorError>>;

/// The reader of a tree is gone, so nobody needs the rest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads the tree any more")]
pub struct Abandoned;

/// The writing end of a tree; what was pushed arrives at the latest when it is finished.
#[derive(Debug)]
pub struct Producer {
    sender: mpsc::Sender<Batch>,
    batch: Batch,
    bytes: usize,
}

/// A pair of ends of one tree.
#[must_use]
pub fn channel() -> (Producer, Entries) {
    let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let entries = stream.flat_map(futures::stream::iter).boxed();
    (
        Producer {
            sender,
            batch: Vec::new(),
            bytes: 0,
        },
        entries,
    )
}

impl Producer {
    /// Adds `entry`, waiting while the reader is behind.
    ///
    /// # Errors
    ///
    /// [`Abandoned`] when the stream was dropped.
    pub async fn push(&mut self, entry: Entry) -> Result<(), Abandoned> {
        if self.keep(entry) {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// Sends what waits in the batch.
    ///
    /// # Errors
    ///
    /// [`Abandoned`] when the stream was dropped.
    pub async fn flush(&mut self) -> Result<(), Abandoned> {
        let batch = self.take();
        self.sender.send(batch).await.map_err(|_| Abandoned)
    }

    /// Ends the tree with what the reading of it came to.
    pub async fn finish(mut self, result: Result<(), CommunicatorError>) {
        self.batch.extend(result.err().map(Err));
        // A reader that left early needs no end.
        drop(self.flush().await);
    }

    /// [`Producer::push`] for a thread that may block.
    ///
    /// # Errors
    ///
    /// [`Abandoned`] when the stream was dropped.
    pub fn push_blocking(&mut self, entry: Entry) -> Result<(), Abandoned> {
        if !self.keep(entry) {
            return Ok(());
        }
        let batch = self.take();
        self.sender.blocking_send(batch).map_err(|_| Abandoned)
    }

    /// [`Producer::finish`] for a thread that may block.
    pub fn finish_blocking(mut self, result: Result<(), CommunicatorError>) {
        self.batch.extend(result.err().map(Err));
        let batch = self.take();
        // A reader that left early needs no end.
        drop(self.sender.blocking_send(batch));
    }

    /// Adds `entry` to the batch; true when the batch is full.
    fn keep(&mut self, entry: Entry) -> bool {
        if let Entry::Data(data) = &entry {
            self.bytes += data.len();
        }
        self.batch.push(Ok(entry));
        self.bytes >= CHUNK_BYTES || self.batch.len() >= BATCH_ENTRIES
    }

    fn take(&mut self) -> Batch {
        self.bytes = 0;
        std::mem::take(&mut self.batch)
    }
}
