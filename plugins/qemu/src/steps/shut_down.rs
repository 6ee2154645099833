//! Shuts the guest down.

use std::time::Duration;

use kiln_sdk::communicator::Exit;
use kiln_sdk::go_template::{Data, render};
use kiln_sdk::{Failure, RunContext};

use super::clear_keys::run_quietly;
use super::connect::Connected;
use super::watch_machine::Running;
use crate::config::QemuConfig;

/// How the shutdown command ended and what it printed.
type Told = (Option<Exit>, String);

/// Shuts the guest down with the template's command, waits for a guest nobody talks to, or
/// switches the machine off.
///
/// Differs: a guest that a provisioner has already shut down is fine; Packer fails when it cannot
/// run the command any more.
pub(crate) async fn shut_down(
    cx: &RunContext,
    config: &QemuConfig,
    running: &Running,
    connected: &Connected,
) -> Result<(), Failure> {
    let limit = config.shutdown.shutdown_timeout;
    if let Some(end) = running.ended() {
        if end.is_success() {
            return Ok(());
        }
        return Err(running.gone(&end, "it was about to be shut down"));
    }
    if !config.has_communicator() {
        cx.say("No communicator is configured -- waiting for the VM to shut down")
            .await;
        return ended(cx, running, limit, || None).await;
    }
    if config.shutdown.shutdown_command.is_empty() {
        cx.say("Halting the virtual machine...").await;
        running.kill().await;
        return Ok(());
    }
    let template = &config.shutdown.shutdown_command;
    let command = render(
        template.as_str(),
        &Data::Null,
        &cx.build().template_context(),
    )
    .map_err(|error| Failure::new(format!("cannot render `shutdown_command`: {error}")))?;
    cx.say("Gracefully halting virtual machine...").await;
    tracing::info!("sending the shutdown command");
    let told = std::sync::Mutex::new(None::<Told>);
    let commanding = async {
        let result = run_quietly(cx, connected, &command, limit).await;
        if let Ok(result) = result {
            *told
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
        }
        // The machine's end is what counts, not the command's.
        std::future::pending::<()>().await;
    };
    let read = || {
        told.lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    };
    tokio::select! {
        result = ended(cx, running, limit, read) => result,
        () = commanding => Ok(()),
    }
}

/// Waits until the machine is off.
async fn ended(
    cx: &RunContext,
    running: &Running,
    limit: Duration,
    told: impl Fn() -> Option<Told> + Send,
) -> Result<(), Failure> {
    let waited = tokio::select! {
        biased;
        () = cx.cancel().cancelled() => return Err(Failure::cancelled()),
        end = tokio::time::timeout(limit, running.wait()) => end,
        free = running.full_disk() => return Err(running.full(free)),
    };
    match waited {
        Ok(end) if end.is_success() => Ok(()),
        Ok(end) => Err(running.gone(&end, "it shut down")),
        Err(_) => Err(Failure::new(format!(
            "Timeout while waiting for machine to shut down: it still runs after {}{}",
            kiln_sdk::format_duration(limit),
            said(told())
        ))),
    }
}

fn said(told: Option<Told>) -> String {
    let Some((exit, text)) = told else {
        return String::new();
    };
    let end = match exit {
        Some(Exit::Code(code)) => format!("ended with status {code}"),
        Some(Exit::Signal(signal)) => format!("ended by signal {signal}"),
        Some(Exit::Disconnected(_)) => "lost its connection".to_owned(),
        None => "did not end well".to_owned(),
    };
    let text = if text.is_empty() {
        text
    } else {
        format!(":\n{text}")
    };
    format!("; the shutdown command {end}{text}")
}
