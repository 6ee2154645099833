//! Single files by the guest's own `scp`: the old protocol, over a command's input and output.
//!
//! Each message is acknowledged with a zero byte; a one or two begins a line with a complaint.

use bytes::BytesMut;
use sdk_communicator::{CommunicatorError, Exit, FileTarget, Reader, Writer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::quote::{expand, quote, split};
use super::{Outcome, local, spool, start};
use crate::communicator::SshCommunicator;
use crate::process::{Gone, Process};

/// Size of the pieces content is sent in, in bytes.
const PIECE_BYTES: usize = 256 * 1024;
/// The longest line a guest may send, in bytes.
const LINE_BYTES: usize = 8 * 1024;
/// Exit status of shells for a program that is not there.
const NOT_FOUND: u32 = 127;

/// A conversation with the guest's `scp`.
pub(super) struct Scp {
    pub(super) process: Process,
    pub(super) operation: String,
}

/// What a guest's `scp` says next.
pub(super) enum Record {
    /// `C`: a file follows.
    File { mode: u32, size: u64, name: String },
    /// `D`: a folder begins.
    Folder { mode: u32, name: String },
    /// `E`: the folder ends.
    End,
    /// No more.
    Done,
}

impl Scp {
    /// Starts `command`; nothing is known to work until the first answer.
    pub(super) async fn start(
        machine: &SshCommunicator,
        command: &str,
        operation: String,
    ) -> Result<Self, CommunicatorError> {
        Ok(Self {
            process: start(machine, command, &operation).await?,
            operation,
        })
    }

    /// Sends one message or piece.
    pub(super) async fn send(
        &mut self,
        bytes: impl Into<bytes::Bytes>,
    ) -> Result<(), CommunicatorError> {
        match self.process.send(bytes).await {
            Ok(()) => Ok(()),
            Err(Gone) => Err(self.gone().await),
        }
    }

    /// Reads an acknowledgement.
    pub(super) async fn acknowledged(&mut self) -> Result<(), CommunicatorError> {
        match self.process.byte().await {
            Ok(0) => Ok(()),
            Ok(1 | 2) => Err(self.complaint().await),
            Ok(byte) => Err(self.nonsense(&format!("byte {byte}"))),
            Err(Gone) => Err(self.gone().await),
        }
    }

    /// Whether the guest has no `scp`; to be asked when the first answer did not come.
    pub(super) async fn is_missing(&mut self) -> Option<String> {
        let exit = self.process.wait().await;
        if let Exit::Disconnected(_) = exit {
            // What the user's shell complained about before that is not about scp.
            return None;
        }
        let complaint = self.process.complaint();
        let unknown = ["not found", "not recognized"]
            .iter()
            .any(|text| complaint.contains(text));
        let missing = self.process.is_refused()
            || exit == Exit::Code(NOT_FOUND)
            || (unknown && exit != Exit::Code(0));
        missing.then(|| {
            if complaint.is_empty() {
                "no scp".to_owned()
            } else {
                complaint
            }
        })
    }

    /// Sends the content of one file and its end.
    pub(super) async fn send_content(
        &mut self,
        source: &mut Reader,
        size: u64,
    ) -> Result<(), CommunicatorError> {
        let mut left = size;
        while left > 0 {
            let room = usize::try_from(left)
                .unwrap_or(PIECE_BYTES)
                .min(PIECE_BYTES);
            let mut piece = BytesMut::with_capacity(room);
            let mut limited = (&mut *source).take(room as u64);
            let reading = "reading the source of an upload";
            let read = limited.read_buf(&mut piece).await;
            let read = read.map_err(|error| local(reading, error))?;
            if read == 0 {
                let message = format!("the source ended {left} bytes early");
                let error = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, message);
                return Err(local(&self.operation, error));
            }
            left -= read as u64;
            self.send(piece.freeze()).await?;
            if self.process.has_output() {
                // Only a complaint comes before the end.
                self.acknowledged().await?;
            }
        }
        self.send(&[0_u8][..]).await?;
        self.acknowledged().await
    }

    /// Reads the next record, which is then acknowledged.
    pub(super) async fn record(&mut self) -> Result<Record, CommunicatorError> {
        let Ok(kind) = self.process.byte().await else {
            return Ok(Record::Done);
        };
        let line = match kind {
            1 | 2 => return Err(self.complaint().await),
            b'C' | b'D' | b'E' | b'T' => match self.process.line(LINE_BYTES).await {
                Ok(line) => line,
                Err(Gone) => return Err(self.gone().await),
            },
            byte => return Err(self.nonsense(&format!("byte {byte}"))),
        };
        let record = match kind {
            b'E' => Record::End,
            b'T' => {
                self.send(&[0_u8][..]).await?;
                return Box::pin(self.record()).await;
            }
            kind => self.header(kind, &line)?,
        };
        self.send(&[0_u8][..]).await?;
        Ok(record)
    }

    /// `MODE SIZE NAME`; the name may hold spaces.
    fn header(&self, kind: u8, line: &str) -> Result<Record, CommunicatorError> {
        let mut parts = line.splitn(3, ' ');
        let mode = parts
            .next()
            .and_then(|mode| u32::from_str_radix(mode, 8).ok());
        let size = parts.next().and_then(|size| size.parse().ok());
        let name = parts.next();
        match (mode, size, name) {
            (Some(mode), Some(size), Some(name))
                if !name.is_empty() && !name.contains('/') && name != "." && name != ".." =>
            {
                let (mode, name) = (mode & 0o7777, name.to_owned());
                Ok(match kind {
                    b'D' => Record::Folder { mode, name },
                    _ => Record::File { mode, size, name },
                })
            }
            _ => Err(self.nonsense(line)),
        }
    }

    /// The next piece of the content of a file with `left` bytes to come; `None` at its end, which
    /// is acknowledged.
    pub(super) async fn content(
        &mut self,
        left: &mut u64,
    ) -> Result<Option<bytes::Bytes>, CommunicatorError> {
        if *left == 0 {
            self.acknowledged().await?;
            self.send(&[0_u8][..]).await?;
            return Ok(None);
        }
        let Some(mut piece) = self.process.joined_output(PIECE_BYTES).await else {
            return Err(self.gone().await);
        };
        if piece.len() as u64 > *left {
            let here = usize::try_from(*left).unwrap_or(usize::MAX);
            self.process.put_back(piece.split_off(here));
        }
        *left -= piece.len() as u64;
        Ok(Some(piece))
    }

    /// Waits for the guest's `scp` to end well.
    pub(super) async fn finish(&mut self) -> Result<(), CommunicatorError> {
        self.process.end_input().await;
        match self.process.wait().await {
            Exit::Code(0) => Ok(()),
            exit => Err(self.ended(exit)),
        }
    }

    async fn complaint(&mut self) -> CommunicatorError {
        let message = match self.process.line(LINE_BYTES).await {
            Ok(line) => line.trim().trim_start_matches("scp: ").to_owned(),
            Err(Gone) => "it gave no reason".to_owned(),
        };
        CommunicatorError::Refused {
            operation: self.operation.clone(),
            message,
        }
    }

    pub(super) async fn gone(&mut self) -> CommunicatorError {
        let exit = self.process.wait().await;
        self.ended(exit)
    }

    fn ended(&self, exit: Exit) -> CommunicatorError {
        let operation = self.operation.clone();
        let complaint = self.process.complaint();
        match exit {
            Exit::Disconnected(seen) => CommunicatorError::Broken { operation, seen },
            _ if !complaint.is_empty() => CommunicatorError::Refused {
                operation,
                message: complaint,
            },
            Exit::Code(code) => {
                let message = format!("the guest's scp ended with status {code}");
                CommunicatorError::Refused { operation, message }
            }
            Exit::Signal(name) => {
                let message = format!("the guest's scp was ended by signal {name}");
                CommunicatorError::Refused { operation, message }
            }
        }
    }

    fn nonsense(&self, what: &str) -> CommunicatorError {
        let message = format!(
            "the guest's scp said something unexpected (`{}`); does its shell print text at login?",
            what.escape_debug()
        );
        CommunicatorError::Refused {
            operation: self.operation.clone(),
            message,
        }
    }
}

/// See `Communicator::upload`.
pub(super) async fn upload(
    machine: &SshCommunicator,
    target: &FileTarget,
    source: Reader,
) -> Outcome<u64, Reader> {
    let operation = format!("upload of {}", target.path);
    let (folder, name) = split(&target.path);
    if name.is_empty() || name.contains(['\n', '\0']) {
        let message = "the target's name cannot be sent by scp".to_owned();
        return Outcome::Done(Err(CommunicatorError::Refused { operation, message }));
    }
    // A folder that is missing is an error, not the name of the file.
    let command = format!("scp -d -t {}", expand(&folder));
    let mut scp = match Scp::start(machine, &command, operation).await {
        Ok(scp) => scp,
        Err(error) => return Outcome::Done(Err(error)),
    };
    if let Err(error) = scp.acknowledged().await {
        return match scp.is_missing().await {
            Some(seen) => Outcome::Missing(source, seen),
            None => Outcome::Done(Err(error)),
        };
    }
    Outcome::Done(send_file(&mut scp, target, name, source).await)
}

async fn send_file(
    scp: &mut Scp,
    target: &FileTarget,
    name: String,
    source: Reader,
) -> Result<u64, CommunicatorError> {
    let (mut source, size) = spool::sized(source, target.size).await?;
    scp.send(format!("C{:04o} {size} {name}\n", target.mode & 0o7777))
        .await?;
    scp.acknowledged().await?;
    scp.send_content(&mut source, size).await?;
    scp.finish().await?;
    Ok(size)
}

/// See `Communicator::download`.
pub(super) async fn download(
    machine: &SshCommunicator,
    path: &str,
    mut sink: Writer,
) -> Outcome<u64, Writer> {
    let command = format!("scp -f {}", quote(path));
    let mut scp = match Scp::start(machine, &command, format!("download of {path}")).await {
        Ok(scp) => scp,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let first = match scp.send(&[0_u8][..]).await {
        Ok(()) => scp.record().await,
        Err(error) => Err(error),
    };
    match first {
        Ok(Record::File { size, .. }) => {
            Outcome::Done(receive_file(&mut scp, size, &mut sink).await)
        }
        Ok(Record::Done) => match scp.is_missing().await {
            Some(seen) => Outcome::Missing(sink, seen),
            None => Outcome::Done(Err(scp.gone().await)),
        },
        Ok(Record::Folder { .. } | Record::End) => Outcome::Done(Err(scp.nonsense("a folder"))),
        Err(error @ CommunicatorError::Refused { .. }) => Outcome::Done(Err(error)),
        Err(error) => match scp.is_missing().await {
            Some(seen) => Outcome::Missing(sink, seen),
            None => Outcome::Done(Err(error)),
        },
    }
}

async fn receive_file(
    scp: &mut Scp,
    size: u64,
    sink: &mut Writer,
) -> Result<u64, CommunicatorError> {
    let operation = scp.operation.clone();
    let mut left = size;
    while let Some(piece) = scp.content(&mut left).await? {
        sink.write_all(&piece)
            .await
            .map_err(|error| local(&operation, error))?;
    }
    scp.finish().await?;
    sink.shutdown()
        .await
        .map_err(|error| local(&operation, error))?;
    Ok(size)
}
