//! Commands on the machine whose output people see.

use sdk_communicator::{Command, Communicator, Exit, Line, LineSplitter};
use tokio::sync::mpsc;

use crate::{Failure, RunContext};

/// Pieces of output that may wait for the host.
const QUEUE: usize = 64;

/// Runs `command` on `machine`: lines of standard output are said, lines of standard error are
/// said as errors, in the order they arrive. Returns how it ended; the caller judges that.
///
/// # Errors
///
/// A [`Failure`] when the command could not be started, a cancelled one when the run was cancelled
/// first; the command is given up then.
pub async fn run_remote(
    cx: &RunContext,
    machine: &dyn Communicator,
    command: Command,
) -> Result<Exit, Failure> {
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let show = async {
        let mut splitter = LineSplitter::default();
        while let Some(output) = receiver.recv().await {
            say(cx, splitter.push(&output)).await;
        }
        say(cx, splitter.finish()).await;
    };
    let both = async { tokio::join!(machine.exec(command, sender), show) };
    let (exit, ()) = cx.until_cancelled(both).await?;
    exit.map_err(|error| Failure::from_error(&error))
}

async fn say(cx: &RunContext, lines: Vec<Line>) {
    for line in lines {
        match line {
            Line::Stdout(text) => cx.say(text).await,
            Line::Stderr(text) => cx.error(text).await,
        }
    }
}
