//! Runs a command: input to it, output from it, and how it ended.

use sdk_communicator::{Exit, Output, Reader};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use crate::error::AttemptError;
use crate::shell::{Shell, exit};
use crate::wsman::{End, Input};

/// The most input that is sent at once, in bytes; with its encoding it fits into every envelope.
const INPUT_BYTES: usize = 64 * 1024;

/// Runs `line` in `shell`.
///
/// # Errors
///
/// When it could not be started; a connection that breaks later is [`Exit::Disconnected`].
pub(crate) async fn run(
    mut shell: Shell,
    line: &str,
    stdin: Option<Reader>,
    output: mpsc::Sender<Output>,
) -> Result<Exit, AttemptError> {
    let input = match stdin {
        Some(_) => Input::Pipe,
        None => Input::Console,
    };
    shell.start(line, input).await?;
    let exit = {
        let feed = feed(&shell, stdin);
        let watch = watch(&shell, |received| async {
            for piece in received {
                // Nobody listening is no reason to stop the command.
                if output.send(piece).await.is_err() {
                    break;
                }
            }
        });
        together(feed, watch).await
    };
    if !matches!(exit, Exit::Disconnected(_)) {
        shell.ended();
    }
    shell.close().await;
    Ok(exit)
}

/// Receives until the command has ended.
pub(crate) async fn watch<F>(shell: &Shell, mut sink: impl FnMut(Vec<Output>) -> F) -> Exit
where
    F: Future<Output = ()>,
{
    loop {
        match shell.receive().await {
            Err(disconnected) => return disconnected,
            Ok(received) => {
                sink(received.output).await;
                if let Some(exit) = exit(received.state) {
                    return exit;
                }
            }
        }
    }
}

/// Runs both until `watch` ends; input that nobody reads any more is no failure.
pub(crate) async fn together(
    feed: impl Future<Output = Result<(), AttemptError>>,
    watch: impl Future<Output = Exit>,
) -> Exit {
    tokio::pin!(feed, watch);
    tokio::select! {
        biased;
        exit = &mut watch => return exit,
        fed = &mut feed => if let Err(error) = fed {
            tracing::debug!(%error, "winrm command takes no more input");
        },
    }
    watch.await
}

/// Sends all of `stdin`, each piece as it comes, so that a dialogue works.
async fn feed(shell: &Shell, stdin: Option<Reader>) -> Result<(), AttemptError> {
    let Some(mut stdin) = stdin else {
        return Ok(());
    };
    let mut buffer = vec![0; INPUT_BYTES];
    loop {
        let count = stdin.read(&mut buffer).await;
        match count.map_err(|error| AttemptError::Closed(error.to_string()))? {
            0 => return shell.send(&[], End::Yes).await,
            count => shell.send(&buffer[..count], End::No).await?,
        }
    }
}
