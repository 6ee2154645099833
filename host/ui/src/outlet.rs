//! Standard output and standard error as what they are: descriptors that somebody else made.
//!
//! They may not block, and then a writer has to wait itself: dropping what does not fit would lose
//! output. They may block for ever, too, because nobody reads; a program that shall end must not
//! wait for that.

use std::fmt;
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// So much is written at once: a pipe that has room takes it without blocking (POSIX' `PIPE_BUF`,
/// as Linux has it).
const PIECE: usize = 4096;
/// How long a program that shall end waits for a reader.
const GIVE_UP: Duration = Duration::from_secs(3);

/// Whether outputs may take their time. Clones are the same.
#[derive(Clone, Debug)]
pub struct Patience(Arc<Ends>);

/// A pipe that closes when there is no patience any more, which wakes everybody who waits.
#[derive(Debug)]
struct Ends {
    /// `None` when there are no descriptors left; then patience has no end.
    reader: Option<PipeReader>,
    writer: Mutex<Option<PipeWriter>>,
}

impl Default for Patience {
    fn default() -> Self {
        let (reader, writer) = io::pipe().ok().unzip();
        Self(Arc::new(Ends {
            reader,
            writer: Mutex::new(writer),
        }))
    }
}

impl Patience {
    /// From now on, what nobody reads for some seconds is dropped.
    pub fn end(&self) {
        drop(
            self.0
                .writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

/// An output of the program, without a buffer.
pub struct Outlet<F> {
    descriptor: F,
    patience: Patience,
    limit: Duration,
    /// Whether nobody read for too long.
    given_up: bool,
}

impl<F> fmt::Debug for Outlet<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet")
            .field("given_up", &self.given_up)
            .finish_non_exhaustive()
    }
}

impl<F: AsFd> Outlet<F> {
    /// Writes to `descriptor`.
    pub fn new(descriptor: F, patience: Patience) -> Self {
        Self {
            descriptor,
            patience,
            limit: GIVE_UP,
            given_up: false,
        }
    }

    /// Waits until something can be written.
    fn wait(&mut self) -> io::Result<()> {
        let room = || PollFd::new(&self.descriptor, PollFlags::OUT);
        if let Some(reader) = &self.patience.0.reader {
            // Its end is told whether it is asked for or not.
            let mut both = [room(), PollFd::new(reader, PollFlags::empty())];
            wait_for(&mut both, None)?;
            if both[0].revents().is_empty() {
                let limit = if self.given_up {
                    Duration::ZERO
                } else {
                    self.limit
                };
                self.given_up = wait_for(&mut [room()], Some(limit))? == 0;
            }
        } else {
            wait_for(&mut [room()], None)?;
        }
        if self.given_up {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
        }
        Ok(())
    }
}

fn wait_for(descriptors: &mut [PollFd<'_>], limit: Option<Duration>) -> io::Result<usize> {
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    loop {
        match poll(descriptors, limit.as_ref()) {
            Err(Errno::INTR) => {}
            ready => return Ok(ready?),
        }
    }
}

impl<F: AsFd> Write for Outlet<F> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let piece = &data[..data.len().min(PIECE)];
        loop {
            self.wait()?;
            match rustix::io::write(&self.descriptor, piece) {
                // Another writer to the same pipe was quicker.
                Err(Errno::AGAIN | Errno::INTR) => {}
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use rustix::fs::{OFlags, fcntl_setfl};

    use super::*;

    #[test]
    fn a_pipe_that_does_not_block_gets_everything() {
        let (mut reader, writer) = io::pipe().unwrap();
        fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
        let text = "a line of some length\n".repeat(20_000);
        let sent = text.clone();
        let writing = std::thread::spawn(move || {
            Outlet::new(writer, Patience::default()).write_all(sent.as_bytes())
        });
        let mut received = String::new();
        reader.read_to_string(&mut received).unwrap();
        writing.join().unwrap().unwrap();
        assert!(received == text, "{} bytes came", received.len());
    }

    #[test]
    fn without_patience_what_nobody_reads_is_dropped() {
        let (reader, writer) = io::pipe().unwrap();
        let patience = Patience::default();
        let mut outlet = Outlet {
            limit: Duration::from_millis(20),
            ..Outlet::new(writer, patience.clone())
        };
        let much = vec![b'x'; 1 << 20];
        let writing = std::thread::spawn(move || {
            let results = [&much, &much].map(|text| outlet.write_all(text));
            results.map(|result| result.unwrap_err().kind())
        });
        patience.end();
        let kinds = writing.join().unwrap();
        assert_eq!(kinds, [io::ErrorKind::TimedOut; 2]);
        drop(reader);
    }

    #[test]
    fn without_patience_what_is_read_arrives() {
        let (mut reader, writer) = io::pipe().unwrap();
        let patience = Patience::default();
        patience.end();
        let mut outlet = Outlet::new(writer, patience);
        outlet.write_all(b"the last words").unwrap();
        drop(outlet);
        let mut received = String::new();
        reader.read_to_string(&mut received).unwrap();
        assert_eq!(received, "the last words");
    }

    #[test]
    fn a_reader_that_is_gone_is_told_as_such() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut outlet = Outlet::new(writer, Patience::default());
        let error = outlet.write_all(b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
