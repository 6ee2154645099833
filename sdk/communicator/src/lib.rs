//! The contract of talking to a machine, and trees of files as streams.
//!
//! Here are the [`Communicator`] trait that builders implement and provisioners use, what a
//! command gives back ([`Output`], [`Exit`], as lines with [`LineSplitter`]), trees as streams of
//! entries ([`tree`]), and two machines that are none: [`Inert`] and [`Memory`]. Not here: any
//! transport. SSH is in `sdk-ssh`; the gRPC client and server are in `sdk-plugin-server`.

mod capture;
mod error;
mod inert;
mod lines;
mod memory;
pub mod tree;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

pub use capture::{Captured, capture};
pub use error::CommunicatorError;
pub use inert::Inert;
pub use lines::{Line, LineSplitter};
pub use memory::{Memory, Recorded, Scripted, Stored};

/// A byte stream that is read.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// A byte stream that is written.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A piece of what a command prints, as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// From standard output.
    Stdout(Bytes),
    /// From standard error.
    Stderr(Bytes),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Code(u32),
    /// By a signal, named without `SIG`.
    Signal(String),
    /// The connection ended before the command said how it ended; the text says what was seen.
    Disconnected(String),
}

impl Exit {
    /// The exit status as shells tell it: 128 and the number of the signal when it was one, `None`
    /// when nobody knows.
    #[must_use]
    pub fn status(&self) -> Option<u32> {
        match self {
            Self::Code(code) => Some(*code),
            Self::Signal(name) => Some(128 + signal_number(name)),
            Self::Disconnected(_) => None,
        }
    }
}

/// The number of a signal on Linux; that of `TERM` for one without a number that is the same
/// everywhere.
fn signal_number(name: &str) -> u32 {
    match name {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ILL" => 4,
        "ABRT" => 6,
        "FPE" => 8,
        "KILL" => 9,
        "SEGV" => 11,
        "PIPE" => 13,
        "ALRM" => 14,
        _ => 15,
    }
}

/// A command to run.
#[derive(Default)]
pub struct Command {
    /// As the guest's shell reads it.
    pub command: String,
    /// Whether to ask for a terminal in any case.
    pub pty: bool,
    /// Standard input; none means empty.
    pub stdin: Option<Reader>,
}

impl Command {
    /// A command without input.
    #[must_use]
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            ..Self::default()
        }
    }
}

/// What a file becomes in the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    /// Path in the guest.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Size in bytes, when known; transports that need it spool otherwise.
    pub size: Option<u64>,
}

/// A machine that can be talked to.
///
/// Every operation ends when its future is dropped; nothing runs on behind the caller's back.
#[async_trait]
pub trait Communicator: Send + Sync + 'static {
    /// Runs `command`, sends what it prints to `output` as it arrives, and returns how it ended.
    ///
    /// # Errors
    ///
    /// When it could not be started. A connection that breaks after the start is
    /// [`Exit::Disconnected`], not an error.
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError>;

    /// Writes one file from `source`; returns the bytes written.
    ///
    /// # Errors
    ///
    /// When the bytes are not all there.
    async fn upload(&self, target: FileTarget, source: Reader) -> Result<u64, CommunicatorError>;

    /// Reads one file into `sink`; returns the bytes read.
    ///
    /// # Errors
    ///
    /// When the bytes are not all there.
    async fn download(&self, path: &str, sink: Writer) -> Result<u64, CommunicatorError>;

    /// Writes a tree into the folder `path`, which is made when missing; returns the bytes of all
    /// files.
    ///
    /// # Errors
    ///
    /// When one entry could not be written.
    async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError>;

    /// Reads the tree below the folder `path`, without the entries whose relative path or name is
    /// in `exclude`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read; later errors come through the stream.
    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError>;

    /// Drops the connection and makes a new one within `limit` (the communicator's own when none).
    ///
    /// # Errors
    ///
    /// When there is no connection by then; the text says what was seen.
    async fn reconnect(&self, limit: Option<Duration>) -> Result<(), CommunicatorError>;

    /// Opens a byte stream to an address as the guest sees it.
    ///
    /// # Errors
    ///
    /// When the guest refuses or the transport cannot forward.
    async fn forward(&self, host: &str, port: u16) -> Result<(Reader, Writer), CommunicatorError>;
}
