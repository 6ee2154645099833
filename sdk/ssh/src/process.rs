//! A command on the machine that we talk to: what transfers are made of.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use futures::FutureExt;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Pty, Sig};
use sdk_communicator::Exit;

use crate::client::Ended;
use crate::connection::Connection;

/// How much of a command's complaints is kept, in bytes.
const KEPT_BYTES: usize = 16 * 1024;

/// Closes a channel when dropped, and tells its command to end when that is wanted.
pub(crate) struct Closing {
    pub(crate) write: Arc<ChannelWriteHalf<Msg>>,
    /// Whether the command is still to be stopped.
    pub(crate) running: bool,
}

impl Drop for Closing {
    fn drop(&mut self) {
        let (write, running) = (Arc::clone(&self.write), self.running);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            if running {
                // The session may be gone, and then so is the command's channel.
                drop(write.signal(Sig::TERM).await);
            }
            drop(write.close().await);
        });
    }
}

/// Asks for `command` on `channel`. The answer comes as a message.
pub(crate) async fn request(
    channel: &ChannelWriteHalf<Msg>,
    command: &str,
    terminal: Option<Terminal>,
) -> Result<(), russh::Error> {
    if let Some(Terminal) = terminal {
        let modes = [
            (Pty::ECHO, 0),
            (Pty::TTY_OP_ISPEED, 14_400),
            (Pty::TTY_OP_OSPEED, 14_400),
        ];
        channel
            .request_pty(false, "xterm", 80, 40, 0, 0, &modes)
            .await?;
    }
    channel.exec(true, format!("{command}\n")).await
}

/// A command that runs in a terminal: `xterm`, 40 rows of 80 columns, no echo.
pub(crate) struct Terminal;

/// How a command ended, from the messages so far.
pub(crate) fn exit_of(message: &ChannelMsg) -> Option<Exit> {
    match message {
        ChannelMsg::ExitStatus { exit_status } => Some(Exit::Code(*exit_status)),
        ChannelMsg::ExitSignal { signal_name, .. } => Some(Exit::Signal(signal(signal_name))),
        _ => None,
    }
}

fn signal(name: &Sig) -> String {
    match name {
        Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}

/// How a command ended whose channel ended: `orderly`, which is with a word of the server about
/// its end, or by the end of the session.
///
/// A status that came before the session broke does not count: of what the command printed, the
/// last part may be missing.
pub(crate) fn final_exit(exit: Option<Exit>, orderly: bool, ended: &Ended) -> Exit {
    match exit {
        Some(exit) if orderly => exit,
        Some(Exit::Code(code)) if code != 0 => Exit::Code(code),
        _ => disconnected(ended),
    }
}

/// The exit of a command whose channel closed without one.
fn disconnected(ended: &Ended) -> Exit {
    let why = ended.why().unwrap_or_else(|| {
        if ended.over.is_cancelled() {
            "the SSH connection ended".to_owned()
        } else {
            "the channel was closed without an exit status".to_owned()
        }
    });
    Exit::Disconnected(why)
}

/// The command ended, or the connection did, before it should have.
#[derive(Debug)]
pub(crate) struct Gone;

/// A command whose input we write and whose output we read, one after the other.
pub(crate) struct Process {
    read: ChannelReadHalf,
    closing: Closing,
    connection: Arc<Connection>,
    stdout: VecDeque<Bytes>,
    stderr: Vec<u8>,
    exit: Option<Exit>,
    /// No more messages.
    over: bool,
    /// The server said that there is no more output.
    orderly: bool,
    /// The server refused to run it.
    refused: bool,
}

impl Process {
    /// Starts `command` on a channel of `connection`, which lives as long as this.
    pub(crate) async fn start(
        channel: Channel<Msg>,
        connection: Arc<Connection>,
        command: &str,
    ) -> Result<Self, russh::Error> {
        let (read, write) = channel.split();
        let closing = Closing {
            write: Arc::new(write),
            running: false,
        };
        request(&closing.write, command, None).await?;
        Ok(Self {
            read,
            closing,
            connection,
            stdout: VecDeque::new(),
            stderr: Vec::new(),
            exit: None,
            over: false,
            orderly: false,
            refused: false,
        })
    }

    /// Sends `bytes` to its input, while what it prints is kept.
    pub(crate) async fn send(&mut self, bytes: impl Into<Bytes>) -> Result<(), Gone> {
        let write = Arc::clone(&self.closing.write);
        let sending = write.data_bytes(bytes.into());
        tokio::pin!(sending);
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return sent.map_err(|_| Gone),
                message = self.read.wait(), if !self.over => {
                    self.take(message);
                    if self.over || self.exit.is_some() {
                        return Err(Gone);
                    }
                }
            }
        }
    }

    /// Ends its input.
    pub(crate) async fn end_input(&mut self) {
        // When it is gone already, its exit says so.
        drop(self.closing.write.eof().await);
    }

    /// The next piece of its output; `None` at the end.
    pub(crate) async fn output(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.stdout.pop_front() {
                return Some(piece);
            }
            if self.over {
                return None;
            }
            let message = self.read.wait().await;
            self.take(message);
        }
    }

    /// The next pieces of its output that are there already, as one of about `most` bytes; `None` at
    /// the end. What takes them is woken less often than packets come.
    pub(crate) async fn joined_output(&mut self, most: usize) -> Option<Bytes> {
        let first = self.output().await?;
        let mut joined = BytesMut::new();
        loop {
            while let Some(next) = self.stdout.pop_front() {
                if joined.is_empty() {
                    joined.reserve(most.max(first.len() + next.len()));
                    joined.extend_from_slice(&first);
                }
                joined.extend_from_slice(&next);
            }
            if self.over || joined.len().max(first.len()) >= most {
                break;
            }
            match self.read.wait().now_or_never() {
                Some(message) => self.take(message),
                None => break,
            }
        }
        Some(if joined.is_empty() {
            first
        } else {
            joined.freeze()
        })
    }

    /// Whether output waits to be read.
    pub(crate) fn has_output(&self) -> bool {
        !self.stdout.is_empty()
    }

    /// The next byte of its output.
    pub(crate) async fn byte(&mut self) -> Result<u8, Gone> {
        let mut piece = self.output().await.ok_or(Gone)?;
        let byte = piece.try_get_u8().map_err(|_| Gone)?;
        self.put_back(piece);
        Ok(byte)
    }

    /// Its output up to a line end, which is left out; at most `limit` bytes.
    pub(crate) async fn line(&mut self, limit: usize) -> Result<String, Gone> {
        let mut line = Vec::new();
        loop {
            match self.byte().await? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                byte if line.len() < limit => line.push(byte),
                _ => return Err(Gone),
            }
        }
    }

    /// Returns unread output to the front.
    pub(crate) fn put_back(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.stdout.push_front(piece);
        }
    }

    /// Waits for its end, dropping its output.
    pub(crate) async fn wait(&mut self) -> Exit {
        while !self.over {
            let message = self.read.wait().await;
            self.take(message);
            self.stdout.clear();
        }
        final_exit(
            self.exit.clone(),
            self.orderly,
            &self.connection.session.ended,
        )
    }

    /// What it complained about so far, in one line.
    pub(crate) fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        lines.join("; ")
    }

    /// Whether the server refused to run it at all.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused
    }

    fn take(&mut self, message: Option<ChannelMsg>) {
        let Some(message) = message else {
            self.over = true;
            return;
        };
        if let Some(exit) = exit_of(&message) {
            self.exit = Some(exit);
            return;
        }
        match message {
            ChannelMsg::Data { data } if !data.is_empty() => self.stdout.push_back(data),
            ChannelMsg::ExtendedData { data, .. } => {
                let room = KEPT_BYTES.saturating_sub(self.stderr.len());
                self.stderr.extend_from_slice(&data[..data.len().min(room)]);
            }
            ChannelMsg::Failure => (self.refused, self.over) = (true, true),
            ChannelMsg::Eof => self.orderly = true,
            ChannelMsg::Close => (self.orderly, self.over) = (true, true),
            _ => {}
        }
    }
}
