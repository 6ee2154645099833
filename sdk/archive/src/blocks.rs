//! Blocks of one stream, packed on several threads and handed back in order.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Crc;

/// What becomes of a block.
pub(crate) struct Packed {
    /// The block as it was.
    pub(crate) block: Arc<Vec<u8>>,
    /// The block as it is written.
    pub(crate) data: Vec<u8>,
    /// The CRC-32 of the block, when the format needs it.
    pub(crate) crc: Crc,
}

/// Packs a block; the second argument is the block before it, empty for the first.
pub(crate) type Pack = dyn Fn(&[u8], &[u8]) -> io::Result<(Vec<u8>, Crc)> + Send + Sync;

struct Job {
    block: Arc<Vec<u8>>,
    before: Arc<Vec<u8>>,
    done: Sender<io::Result<Packed>>,
}

/// Threads that pack blocks. Memory is bounded: twice as many blocks as threads are under way.
pub(crate) struct Blocks {
    jobs: Sender<Job>,
    waiting: VecDeque<Receiver<io::Result<Packed>>>,
    most_waiting: usize,
    block_bytes: usize,
    current: Vec<u8>,
    before: Arc<Vec<u8>>,
}

impl Blocks {
    /// Starts `threads` threads. They end when this is dropped, after the block they are at.
    pub(crate) fn new(threads: usize, block_bytes: usize, pack: Arc<Pack>) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let (queue, pack) = (Arc::clone(&queue), Arc::clone(&pack));
            std::thread::Builder::new()
                .name("pack".to_owned())
                .spawn(move || work(&queue, &*pack))?;
        }
        Ok(Self {
            jobs,
            waiting: VecDeque::new(),
            most_waiting: threads * 2,
            block_bytes,
            current: Vec::with_capacity(block_bytes),
            before: Arc::new(Vec::new()),
        })
    }

    /// Takes more of the stream; `write` gets what is packed meanwhile.
    pub(crate) fn push(
        &mut self,
        mut data: &[u8],
        write: &mut dyn FnMut(Packed) -> io::Result<()>,
    ) -> io::Result<()> {
        while !data.is_empty() {
            let room = self.block_bytes - self.current.len();
            let (now, later) = data.split_at(room.min(data.len()));
            self.current.extend_from_slice(now);
            data = later;
            if self.current.len() == self.block_bytes {
                self.submit()?;
                while self.waiting.len() > self.most_waiting {
                    self.take(write)?;
                }
            }
        }
        Ok(())
    }

    /// Packs what is left; `write` has got everything afterwards.
    pub(crate) fn end(
        &mut self,
        write: &mut dyn FnMut(Packed) -> io::Result<()>,
    ) -> io::Result<()> {
        if !self.current.is_empty() {
            self.submit()?;
        }
        while !self.waiting.is_empty() {
            self.take(write)?;
        }
        self.before = Arc::new(Vec::new());
        Ok(())
    }

    fn submit(&mut self) -> io::Result<()> {
        let next = Vec::with_capacity(self.block_bytes);
        let block = Arc::new(std::mem::replace(&mut self.current, next));
        let before = std::mem::replace(&mut self.before, Arc::clone(&block));
        let (done, packed) = channel();
        let job = Job {
            block,
            before,
            done,
        };
        self.jobs.send(job).map_err(|_| gone())?;
        self.waiting.push_back(packed);
        Ok(())
    }

    fn take(&mut self, write: &mut dyn FnMut(Packed) -> io::Result<()>) -> io::Result<()> {
        match self.waiting.pop_front() {
            Some(packed) => write(packed.recv().map_err(|_| gone())??),
            None => Ok(()),
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("a packing thread ended")
}

fn work(queue: &Mutex<Receiver<Job>>, pack: &Pack) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let packed = pack(&job.block, &job.before).map(|(data, crc)| Packed {
            block: Arc::clone(&job.block),
            data,
            crc,
        });
        // Nobody waits for it when the archive was given up.
        if job.done.send(packed).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(block: &[u8], before: &[u8]) -> io::Result<(Vec<u8>, Crc)> {
        let mut data = format!("[{}|", before.len()).into_bytes();
        data.extend_from_slice(block);
        data.push(b']');
        Ok((data, Crc::new()))
    }

    #[test]
    fn blocks_come_back_in_order_whatever_the_pieces_were() {
        let mut blocks = Blocks::new(3, 4, Arc::new(marked)).unwrap();
        let mut written = Vec::new();
        let mut write = |packed: Packed| {
            written.extend(packed.data);
            Ok(())
        };
        for piece in ["a", "bcdefgh", "", "ij"] {
            blocks.push(piece.as_bytes(), &mut write).unwrap();
        }
        blocks.end(&mut write).unwrap();
        assert_eq!(written, b"[0|abcd][4|efgh][4|ij]");
    }

    #[test]
    fn a_failure_of_a_thread_is_the_failure_of_the_stream() {
        let pack = |_: &[u8], _: &[u8]| Err(io::Error::other("no"));
        let mut blocks = Blocks::new(2, 1, Arc::new(pack)).unwrap();
        let mut write = |_: Packed| Ok(());
        blocks.push(b"x", &mut write).unwrap();
        assert_eq!(blocks.end(&mut write).unwrap_err().to_string(), "no");
    }
}
