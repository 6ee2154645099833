//! Takes the temporary key out of the guest again.

use std::time::Duration;

use kiln_sdk::communicator::{Command, Exit, Output};
use kiln_sdk::ssh::clear_authorized_keys_command;
use kiln_sdk::{Failure, RunContext};
use tokio::sync::mpsc;

use super::connect::Connected;
use super::make_key::Keys;
use super::watch_machine::Running;
use crate::config::QemuConfig;

const LIMIT: Duration = Duration::from_secs(60);

/// Removes the temporary public key from `authorized_keys` when the template asks for that. A
/// failure is told and does not end the build.
pub(crate) async fn clear_keys(
    cx: &RunContext,
    config: &QemuConfig,
    running: &Running,
    connected: &Connected,
    keys: &Keys,
) -> Result<(), Failure> {
    let wanted = config.communicator.ssh_clear_authorized_keys
        && config.communicator.communicator == "ssh"
        && running.ended().is_none();
    if !wanted || keys.name.is_empty() {
        return Ok(());
    }
    cx.say("Trying to remove ephemeral keys from authorized_keys files")
        .await;
    let exit = match clear_authorized_keys_command(&keys.name) {
        Some(command) => run_quietly(cx, connected, &command, LIMIT).await?.0,
        None => None,
    };
    if exit != Some(Exit::Code(0)) {
        cx.error("The temporary key could not be removed from the authorized_keys files.")
            .await;
    }
    Ok(())
}

/// Runs `command` without showing its output; returns how it ended, none when it did not start or
/// end in time, and the end of what it printed.
pub(crate) async fn run_quietly(
    cx: &RunContext,
    connected: &Connected,
    command: &str,
    limit: Duration,
) -> Result<(Option<Exit>, String), Failure> {
    const KEPT_BYTES: usize = 2000;
    let (sender, mut receiver) = mpsc::channel(16);
    let printed = async {
        let mut text = Vec::new();
        while let Some(Output::Stdout(bytes) | Output::Stderr(bytes)) = receiver.recv().await {
            text.extend_from_slice(&bytes);
            let excess = text.len().saturating_sub(KEPT_BYTES);
            text.drain(..excess);
        }
        String::from_utf8_lossy(&text).trim().to_owned()
    };
    let work = async {
        tokio::join!(
            connected.machine.exec(Command::new(command), sender),
            printed
        )
    };
    match cx
        .until_cancelled(tokio::time::timeout(limit, work))
        .await?
    {
        Ok((Ok(exit), text)) => Ok((Some(exit), text)),
        Ok((Err(error), _)) => Ok((None, error.to_string())),
        Err(_) => Ok((None, format!("it did not end within {} s", limit.as_secs()))),
    }
}
