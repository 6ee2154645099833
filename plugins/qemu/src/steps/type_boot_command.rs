//! Waits for the machine to boot and types the boot command.

use std::time::Duration;

use kiln_sdk::boot_command::{
    Action, KeysymDriver, Pacing, SystemClock, TypeError, parse, type_actions,
};
use kiln_sdk::go_template::Data;
use kiln_sdk::vnc::{ConnectOptions, VncClient};
use kiln_sdk::{Failure, RunContext};
use kiln_sdk::{Secret, Template};

use super::watch_machine::Running;
use crate::command_line::{KEY_DELAY, Screen};
use crate::config::QemuConfig;

/// How long QEMU may take to answer at the screen's port.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// How long the end of a machine and the end of its screen's connection may lie apart.
const END_LIMIT: Duration = Duration::from_secs(2);
const INTERVAL_VARIABLE: &str = "PACKER_KEY_INTERVAL";

/// What is typed in one go.
#[derive(Debug)]
pub(crate) struct Part {
    actions: Vec<Action>,
    description: String,
}

/// The boot command or boot steps, rendered and read.
pub(crate) fn boot_parts(
    cx: &RunContext,
    config: &QemuConfig,
    data: &Data,
) -> Result<Vec<Part>, Failure> {
    let context = cx.build().template_context();
    if config.boot_steps.is_empty() {
        let actions = config.typing.boot.actions(data, &context);
        let actions = actions.map_err(|error| Failure::from_error(&error))?;
        let part = Part {
            actions,
            description: String::new(),
        };
        return Ok(if part.actions.is_empty() {
            Vec::new()
        } else {
            vec![part]
        });
    }
    let rendered = |template: &Template, index: usize| {
        kiln_sdk::go_template::render(template.as_str(), data, &context).map_err(|error| {
            Failure::new(format!(
                "cannot render row {index} of `boot_steps`: {error}"
            ))
        })
    };
    let mut parts = Vec::new();
    for (index, row) in config.boot_steps.iter().enumerate() {
        let [text, rest @ ..] = row.as_slice() else {
            continue;
        };
        let actions = parse(&rendered(text, index)?).map_err(|error| {
            Failure::new(format!("cannot read row {index} of `boot_steps`: {error}"))
        })?;
        let description = match rest.first() {
            Some(description) => rendered(description, index)?,
            None => String::new(),
        };
        parts.push(Part {
            actions,
            description,
        });
    }
    Ok(parts)
}

/// Waits for the machine to boot. A guest nobody talks to may switch itself off meanwhile.
pub(crate) async fn wait_for_boot(
    cx: &RunContext,
    config: &QemuConfig,
    running: &Running,
) -> Result<(), Failure> {
    let wait = config.typing.boot.wait();
    if wait.is_zero() {
        return Ok(());
    }
    cx.say(format!(
        "Waiting {} for boot...",
        kiln_sdk::format_duration(wait)
    ))
    .await;
    tokio::select! {
        biased;
        () = cx.cancel().cancelled() => Err(Failure::cancelled()),
        () = tokio::time::sleep(wait) => Ok(()),
        end = running.wait() => {
            if end.is_success() && !config.has_communicator() {
                return Ok(());
            }
            Err(running.gone(&end, "it booted"))
        }
        free = running.full_disk() => Err(running.full(free)),
    }
}

/// Connects to the screen and types `parts`.
///
/// Differs: Packer connects even when there is nothing to type, and fails when the guest is off by
/// then.
pub(crate) async fn type_boot_command(
    cx: &RunContext,
    config: &QemuConfig,
    running: &Running,
    screen: &Screen,
    password: Option<&Secret<String>>,
    parts: &[Part],
) -> Result<(), Failure> {
    if config.typing.disable_vnc || parts.is_empty() {
        return Ok(());
    }
    cx.say(format!(
        "Connecting to VM via VNC ({}:{})",
        screen.address, screen.port
    ))
    .await;
    let (default, server_key_delay) = pace(config);
    let interval = std::env::var(INTERVAL_VARIABLE).ok();
    let pacing = config.typing.pacing(interval.as_deref(), default);
    let pacing = pacing.map_err(|error| Failure::from_error(&error))?;
    let options = ConnectOptions {
        password: password.cloned(),
        limit: CONNECT_LIMIT,
        server_key_delay,
    };
    let address = format!("{}:{}", reachable(&screen.address), screen.port);
    let client = running
        .during(
            cx,
            "connecting to its screen",
            VncClient::connect(&address, &options),
        )
        .await?
        .map_err(|error| Failure::from_error(&error))?;
    cx.say("Typing the boot commands over VNC...").await;
    let mut driver = KeysymDriver::new(client, pacing);
    for (index, part) in parts.iter().enumerate() {
        if !part.description.is_empty() {
            cx.say(format!("Typing boot command for: {}", part.description))
                .await;
        }
        let last = index + 1 == parts.len();
        type_part(
            cx,
            running,
            part,
            &mut driver,
            last && !config.has_communicator(),
        )
        .await?;
        if running.ended().is_some() {
            return Ok(());
        }
        if !part.description.is_empty() {
            cx.debug_pause(format!("Pausing after run of step '{}'.", part.description))
                .await;
        }
    }
    if let Err(error) = driver.into_inner().close().await {
        // Every key has arrived: that is what the last flush waits for.
        tracing::debug!(%error, "the screen's connection did not end cleanly");
    }
    Ok(())
}

/// Types one part. With `may_end` the guest may switch itself off as soon as it has every key.
async fn type_part(
    cx: &RunContext,
    running: &Running,
    part: &Part,
    driver: &mut KeysymDriver<VncClient>,
    may_end: bool,
) -> Result<(), Failure> {
    const DURING: &str = "the boot command was typed";
    let clock = SystemClock::new();
    let typing = type_actions(&part.actions, driver, &clock);
    tokio::pin!(typing);
    let typed = tokio::select! {
        biased;
        () = cx.cancel().cancelled() => return Err(Failure::cancelled()),
        typed = &mut typing => Some(typed),
        _ = running.wait() => tokio::time::timeout(END_LIMIT, typing).await.ok(),
        free = running.full_disk() => return Err(running.full(free)),
    };
    let error = match typed {
        Some(Ok(())) => return Ok(()),
        Some(Err(error)) => Some(error),
        None => None,
    };
    // A broken connection is usually the first sign of a machine's end.
    match tokio::time::timeout(END_LIMIT, running.wait()).await {
        Ok(end)
            if may_end && end.is_success() && matches!(error, Some(TypeError::Flush { .. })) =>
        {
            Ok(())
        }
        Ok(end) => Err(running.gone(&end, DURING)),
        Err(_) => Err(error.map_or_else(
            || Failure::new("typing did not end"),
            |error| Failure::from_error(&error),
        )),
    }
}

/// How fast keys may follow each other. QEMU itself spaces them by `key-delay-ms`, which is short
/// unless the template replaces `-vnc`.
fn pace(config: &QemuConfig) -> (Pacing, Duration) {
    let replaced = config
        .qemuargs
        .iter()
        .any(|row| row.first().is_some_and(|name| name.as_str() == "-vnc"));
    if replaced {
        (Pacing::SAFE, Duration::from_millis(10))
    } else {
        (Pacing::FAST, KEY_DELAY)
    }
}

/// Where a server that listens at every address is reached.
fn reachable(address: &str) -> &str {
    match address {
        "0.0.0.0" | "" => "127.0.0.1",
        "::" | "[::]" => "[::1]",
        other => other,
    }
}
