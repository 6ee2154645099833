//! Single files by SFTP, with many requests under way at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::fs::File;
use russh_sftp::client::{Config, SftpSession};
use russh_sftp::protocol::{FileAttributes, OpenFlags};
use sdk_communicator::{CommunicatorError, FileTarget, Reader, Writer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use super::quote::without_home;
use super::{Outcome, local};
use crate::channel::ChannelIo;
use crate::communicator::SshCommunicator;
use crate::connection::Connection;

/// Size of one request, in bytes; with 32 of them under way, 8 MiB fill a path of 100 ms.
const REQUEST_BYTES: u32 = 256 * 1024;
/// Requests under way.
const REQUESTS: usize = 32;
/// How long one request may take. Long, because all of those under way wait in one queue; a broken
/// connection is noticed by other means.
const REQUEST_SECS: u64 = 300;
/// How long the subsystem may take to start, in seconds.
const START_SECS: u64 = 60;

/// How long after a failure the end of the connection may become known.
const NOTICE_LIMIT: Duration = Duration::from_millis(50);

/// An SFTP session that ends with its connection.
pub(super) struct Sftp {
    pub(super) session: Arc<SftpSession>,
    connection: Arc<Connection>,
}

/// Why there is no session.
pub(super) enum NoSftp {
    /// The server has no such subsystem.
    Missing(String),
    /// The connection failed.
    Failed(CommunicatorError),
}

impl Sftp {
    /// The connection's session, opened when needed.
    pub(super) async fn open(machine: &SshCommunicator) -> Result<Self, NoSftp> {
        if let Some(connection) = machine.present() {
            let kept = connection.sftp.lock().await.clone();
            if let Some(session) = kept {
                return Ok(Self {
                    session,
                    connection,
                });
            }
        }
        let (connection, channel) = machine.open_channel().await.map_err(NoSftp::Failed)?;
        let session = Arc::new(start(&connection, channel).await?);
        *connection.sftp.lock().await = Some(Arc::clone(&session));
        Ok(Self {
            session,
            connection,
        })
    }

    /// Runs `work` for as long as the connection lives.
    pub(super) async fn run<T>(
        &self,
        operation: &str,
        work: impl Future<Output = Result<T, CommunicatorError>>,
    ) -> Result<T, CommunicatorError> {
        let ended = &self.connection.session.ended;
        let error = match ended.over.run_until_cancelled(work).await {
            Some(Ok(done)) => return Ok(done),
            Some(Err(error)) => Some(error),
            None => None,
        };
        // Whatever state it is in, the next transfer shall not meet it.
        *self.connection.sftp.lock().await = None;
        // A connection that breaks is seen by SFTP first, as nonsense of some kind.
        let over = tokio::time::timeout(NOTICE_LIMIT, ended.over.cancelled()).await;
        match error {
            Some(error) if over.is_err() => Err(error),
            _ => Err(CommunicatorError::Broken {
                operation: operation.to_owned(),
                seen: ended
                    .why()
                    .unwrap_or_else(|| "the connection ended".to_owned()),
            }),
        }
    }
}

/// Starts the subsystem on `channel`.
async fn start(connection: &Connection, mut channel: Channel<Msg>) -> Result<SftpSession, NoSftp> {
    let broken = |seen: String| {
        let operation = "starting sftp".to_owned();
        NoSftp::Failed(CommunicatorError::Broken { operation, seen })
    };
    let ended = &connection.session.ended;
    let missing = |seen: &str| Err(NoSftp::Missing(seen.to_owned()));
    let asked = channel.request_subsystem(true, "sftp").await;
    asked.map_err(|error| broken(connection.session.why(&error)))?;
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => break,
            Some(ChannelMsg::Failure) => return missing("the server has no subsystem sftp"),
            Some(ChannelMsg::Close) => return missing("the subsystem sftp ended at once"),
            Some(_) => {}
            None => {
                let why = ended.why();
                return Err(broken(
                    why.unwrap_or_else(|| "the connection ended".to_owned()),
                ));
            }
        }
    }
    let config = Config {
        max_packet_len: REQUEST_BYTES + 1024,
        max_write_packet_len: REQUEST_BYTES,
        max_concurrent_reads: REQUESTS,
        max_concurrent_writes: REQUESTS,
        request_timeout_secs: START_SECS,
    };
    let stream = ChannelIo::new(channel, ended);
    match SftpSession::new_with_config(stream, config).await {
        Ok(session) => {
            session.set_timeout(REQUEST_SECS);
            Ok(session)
        }
        Err(error) => {
            // The subsystem is configured, but its program is not there; or the connection broke,
            // which SFTP sees first.
            let over = tokio::time::timeout(NOTICE_LIMIT, ended.over.cancelled()).await;
            match (over, ended.why()) {
                (Err(_), None) => missing(&error.to_string()),
                (_, why) => Err(broken(
                    why.unwrap_or_else(|| "the connection ended".to_owned()),
                )),
            }
        }
    }
}

/// The guest refused, or its answer made no sense.
pub(super) fn refused(operation: &str, error: SftpError) -> CommunicatorError {
    let operation = operation.to_owned();
    let message = match error {
        SftpError::Status(status) if !status.error_message.is_empty() => {
            format!("{} ({})", status.error_message, status.status_code)
        }
        error => error.to_string(),
    };
    CommunicatorError::Refused { operation, message }
}

/// The same, of a file that is open.
pub(super) fn remote(operation: &str, error: &std::io::Error) -> CommunicatorError {
    CommunicatorError::Refused {
        operation: operation.to_owned(),
        message: error.to_string(),
    }
}

/// Permission bits and nothing else.
pub(super) fn mode_only(mode: u32) -> FileAttributes {
    FileAttributes {
        permissions: Some(mode & 0o7777),
        ..FileAttributes::empty()
    }
}

/// Creates or empties a file, with its mode.
pub(super) async fn create(
    session: &SftpSession,
    path: &str,
    mode: u32,
    operation: &str,
) -> Result<File, CommunicatorError> {
    let flags = OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::WRITE;
    let opening = session.open_with_flags_and_attributes(path, flags, mode_only(mode));
    let file = opening.await.map_err(|error| refused(operation, error))?;
    // Opening obeys the umask, and leaves the mode of a file that was there alone.
    file.set_metadata(mode_only(mode))
        .await
        .map_err(|error| refused(operation, error))?;
    Ok(file)
}

/// See `Communicator::upload`.
pub(super) async fn upload(
    machine: &SshCommunicator,
    target: &FileTarget,
    mut source: Reader,
) -> Outcome<u64, Reader> {
    let sftp = match Sftp::open(machine).await {
        Ok(sftp) => sftp,
        Err(NoSftp::Missing(seen)) => return Outcome::Missing(source, seen),
        Err(NoSftp::Failed(error)) => return Outcome::Done(Err(error)),
    };
    let operation = format!("upload of {}", target.path);
    let work = async {
        let path = without_home(&target.path);
        let file = create(&sftp.session, path, target.mode, &operation).await?;
        copy_in(file, &mut source, target.size, &operation).await
    };
    Outcome::Done(sftp.run(&operation, work).await)
}

async fn copy_in(
    mut file: File,
    source: &mut Reader,
    expected: Option<u64>,
    operation: &str,
) -> Result<u64, CommunicatorError> {
    let mut reader = tokio::io::BufReader::with_capacity(REQUEST_BYTES as usize, source);
    let mut copied = 0;
    loop {
        let piece = reader
            .fill_buf()
            .await
            .map_err(|error| local(operation, error))?;
        let size = piece.len();
        if size == 0 {
            break;
        }
        file.write_all(piece)
            .await
            .map_err(|error| remote(operation, &error))?;
        reader.consume(size);
        copied += size as u64;
    }
    file.shutdown()
        .await
        .map_err(|error| remote(operation, &error))?;
    match expected {
        Some(expected) if expected != copied => {
            let message = format!("the source gave {copied} bytes instead of {expected}");
            let error = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, message);
            Err(local(operation, error))
        }
        _ => Ok(copied),
    }
}

/// See `Communicator::download`.
pub(super) async fn download(
    machine: &SshCommunicator,
    path: &str,
    mut sink: Writer,
) -> Outcome<u64, Writer> {
    let sftp = match Sftp::open(machine).await {
        Ok(sftp) => sftp,
        Err(NoSftp::Missing(seen)) => return Outcome::Missing(sink, seen),
        Err(NoSftp::Failed(error)) => return Outcome::Done(Err(error)),
    };
    let operation = format!("download of {path}");
    let work = async {
        let opening = sftp.session.open(without_home(path));
        let file = opening.await.map_err(|error| refused(&operation, error))?;
        let mut reader = tokio::io::BufReader::with_capacity(REQUEST_BYTES as usize, file);
        let mut copied = 0;
        loop {
            let piece = reader
                .fill_buf()
                .await
                .map_err(|error| remote(&operation, &error))?;
            let size = piece.len();
            if size == 0 {
                break;
            }
            sink.write_all(piece)
                .await
                .map_err(|error| local(&operation, error))?;
            reader.consume(size);
            copied += size as u64;
        }
        sink.shutdown()
            .await
            .map_err(|error| local(&operation, error))?;
        Ok(copied)
    };
    Outcome::Done(sftp.run(&operation, work).await)
}
