//! Running a command, with its input and output as they come.

use std::sync::Arc;

use bytes::BytesMut;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelWriteHalf};
use sdk_communicator::{Command, CommunicatorError, Exit, Output, Reader};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use crate::client::Ended;
use crate::process::{Closing, Terminal, exit_of, final_exit, request};

/// Size of the pieces standard input is sent in, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Runs `command` on `channel`; see `Communicator::exec`.
pub(crate) async fn run(
    channel: Channel<Msg>,
    ended: Ended,
    command: Command,
    with: Options,
    output: mpsc::Sender<Output>,
) -> Result<Exit, CommunicatorError> {
    let (mut read, write) = channel.split();
    let mut closing = Closing {
        write: Arc::new(write),
        running: true,
    };
    let broken = |seen: String| CommunicatorError::Broken {
        operation: "starting a command".to_owned(),
        seen,
    };
    if with.agent {
        let asked = closing.write.agent_forward(false).await;
        asked.map_err(|error| broken(crate::chain(&error)))?;
    }
    let terminal = with.terminal.then_some(Terminal);
    let asked = request(&closing.write, &command.command, terminal).await;
    asked.map_err(|error| broken(crate::chain(&error)))?;
    let feeding = feed(Arc::clone(&closing.write), command.stdin);
    tokio::pin!(feeding);
    let mut fed = false;
    let (mut exit, mut orderly) = (None, false);
    loop {
        let message = tokio::select! {
            biased;
            message = read.wait() => message,
            result = &mut feeding, if !fed => {
                fed = true;
                result?;
                continue;
            }
        };
        let Some(message) = message else { break };
        if let Some(end) = exit_of(&message) {
            // Nothing is left to stop, and nothing more is read by anyone.
            (closing.running, fed) = (false, true);
            exit = Some(end);
            continue;
        }
        let piece = match message {
            ChannelMsg::Data { data } => Output::Stdout(data),
            ChannelMsg::ExtendedData { data, .. } => Output::Stderr(data),
            ChannelMsg::Failure => {
                return Err(CommunicatorError::Refused {
                    operation: "starting a command".to_owned(),
                    message: "the server does not run commands".to_owned(),
                });
            }
            ChannelMsg::Eof => {
                orderly = true;
                continue;
            }
            ChannelMsg::Close => {
                orderly = true;
                break;
            }
            _ => continue,
        };
        // A caller that does not listen loses the output, not the command.
        drop(output.send(piece).await);
    }
    closing.running = false;
    Ok(final_exit(exit, orderly, &ended))
}

/// How a command runs.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    pub(crate) terminal: bool,
    pub(crate) agent: bool,
}

/// Sends `input` and its end.
async fn feed(
    write: Arc<ChannelWriteHalf<Msg>>,
    input: Option<Reader>,
) -> Result<(), CommunicatorError> {
    if let Some(mut input) = input {
        loop {
            let mut piece = BytesMut::with_capacity(PIECE_BYTES);
            let read = input.read_buf(&mut piece).await.map_err(|source| {
                let operation = "reading the input of a command".to_owned();
                CommunicatorError::Io { operation, source }
            })?;
            if read == 0 {
                break;
            }
            if write.data_bytes(piece.freeze()).await.is_err() {
                // The session is gone; the end of the command tells.
                return Ok(());
            }
        }
    }
    drop(write.eof().await);
    Ok(())
}
