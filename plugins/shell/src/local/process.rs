//! One local process: its output as lines, its end, and its death on cancellation.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use kiln_sdk::communicator::{Line, LineSplitter, Output};
use kiln_sdk::{Failure, Resource, RunContext};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// Time between asking a cancelled script to end and killing it.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a program with further variables in its environment to its end and returns its exit code; death by a signal is 128 and its number, as
/// shells have it.
///
/// # Errors
///
/// When it cannot be started, or when the run is cancelled: then the process and everything it
/// started in its process group is gone.
pub async fn run(
    cx: &RunContext,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<i64, Failure> {
    let (program, rest) = arguments.split_first().ok_or_else(|| {
        let text = "`execute_command` is empty: there is no program to run";
        Failure::new(text).on("execute_command")
    })?;
    let mut command = Command::new(program);
    // What lets this plugin talk to its host is not the script's business.
    for variable in kiln_sdk::HOST_VARIABLES {
        command.env_remove(variable);
    }
    let mut child = command
        .args(rest)
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            Failure::new(format!("cannot start `{program}`: {error}")).on("execute_command")
        })?;
    let held = match child.id().and_then(Resource::process) {
        Some(process) => Some(cx.announce(process).await?),
        None => None,
    };
    let result = watch(cx, &mut child).await;
    if let Some(held) = held {
        held.release().await;
    }
    result
}

async fn watch(cx: &RunContext, child: &mut Child) -> Result<i64, Failure> {
    let (sender, receiver) = mpsc::channel(64);
    let readers = [
        child
            .stdout
            .take()
            .map(|pipe| tokio::spawn(pump(pipe, sender.clone(), Output::Stdout))),
        child
            .stderr
            .take()
            .map(|pipe| tokio::spawn(pump(pipe, sender, Output::Stderr))),
    ];
    let ended = tokio::select! {
        () = cx.cancel().cancelled() => None,
        status = async {
            print(cx, receiver).await;
            child.wait().await
        } => Some(status),
    };
    let Some(status) = ended else {
        end(child).await;
        for reader in readers.into_iter().flatten() {
            reader.abort();
        }
        return Err(Failure::cancelled());
    };
    let status =
        status.map_err(|error| Failure::new(format!("cannot wait for the script: {error}")))?;
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    Ok(status
        .code()
        .map_or_else(|| 128 + i64::from(signal.unwrap_or(0)), i64::from))
}

async fn pump(
    mut pipe: impl AsyncRead + Unpin,
    sender: mpsc::Sender<Output>,
    wrap: fn(Bytes) -> Output,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count) = pipe.read(&mut buffer).await {
        if count == 0
            || sender
                .send(wrap(Bytes::copy_from_slice(&buffer[..count])))
                .await
                .is_err()
        {
            break;
        }
    }
}

/// Prints lines until both streams are closed.
async fn print(cx: &RunContext, mut receiver: mpsc::Receiver<Output>) {
    let mut splitter = LineSplitter::default();
    while let Some(output) = receiver.recv().await {
        say(cx, splitter.push(&output)).await;
    }
    say(cx, splitter.finish()).await;
}

async fn say(cx: &RunContext, lines: Vec<Line>) {
    for line in lines {
        match line {
            Line::Stdout(text) => cx.say(text).await,
            Line::Stderr(text) => cx.error(text).await,
        }
    }
}

/// Ends the process and its group: first kindly, then for sure.
async fn end(child: &mut Child) {
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    let signal = |signal| {
        if let Some(group) = group
            && let Err(error) = kill_process_group(group, signal)
        {
            tracing::debug!(%error, "the script's process group is gone");
        }
    };
    signal(Signal::TERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        signal(Signal::KILL);
        if let Err(error) = child.wait().await {
            tracing::warn!(%error, "cannot wait for the killed script");
        }
    }
}
