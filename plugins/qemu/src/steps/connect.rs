//! Connects to the guest.

use std::sync::Arc;

use kiln_sdk::communicator::Inert;
use kiln_sdk::ssh::{Address, ConnectError, connect as connect_ssh};
use kiln_sdk::{Communicator, Failure, RunContext, winrm};

use super::find_address::guest_address;
use super::make_key::Keys;
use super::watch_machine::Running;
use crate::command_line::Forward;
use crate::config::QemuConfig;

/// A guest that can be talked to.
#[derive(Clone)]
pub(crate) struct Connected {
    /// How.
    pub(crate) machine: Arc<dyn Communicator>,
    /// Its address; empty when nobody talks to it.
    pub(crate) host: String,
    /// Its port; zero when nobody talks to it.
    pub(crate) port: u16,
}

/// Waits for the guest's server and logs in; an inert communicator stands for `none`.
///
/// # Source
///
/// Differs: on a bridge the communicator's own port is used; Packer always takes 22.
pub(crate) async fn connect(
    cx: &RunContext,
    config: &QemuConfig,
    running: &Running,
    forward: Option<Forward>,
    keys: &Keys,
) -> Result<Connected, Failure> {
    let options = &config.communicator;
    match options.communicator.as_str() {
        "ssh" | "winrm" => {}
        "none" => {
            return Ok(Connected {
                machine: Arc::new(Inert),
                host: String::new(),
                port: 0,
            });
        }
        other => {
            return Err(Failure::new(format!(
                "the qemu builder cannot talk `{other}` to its guests; set `communicator` to `ssh`, `winrm` or `none`"
            ))
            .on("communicator"));
        }
    }
    let host = match options.host() {
        "" if !config.net_bridge.is_empty() => guest_address(cx, config, running).await?,
        "" => "127.0.0.1".to_owned(),
        host => host.to_owned(),
    };
    let port = forward.map_or_else(|| options.port(), |forward| forward.host);
    let address = Arc::new(Address {
        host: host.clone(),
        port,
    });
    if options.communicator == "winrm" {
        let settings = winrm::Settings::new(options);
        let connecting = winrm::connect(settings, address, cx.cancel(), cx);
        let connected = running.during(cx, "waiting for WinRM", connecting).await?;
        let machine = connected.map_err(|error| match error {
            winrm::ConnectError::Cancelled => Failure::cancelled(),
            error => Failure::from_error(&error).blaming(error.option()),
        })?;
        return Ok(Connected {
            machine: Arc::new(machine),
            host,
            port,
        });
    }
    let settings = keys.settings(config)?;
    let connecting = connect_ssh(settings, address, cx.cancel(), cx);
    let connected = running.during(cx, "waiting for SSH", connecting).await?;
    let machine = connected.map_err(|error| failure(&error))?;
    Ok(Connected {
        machine: Arc::new(machine),
        host,
        port,
    })
}

fn failure(error: &ConnectError) -> Failure {
    let text = Failure::from_error(error).message;
    let failure = match error {
        ConnectError::Cancelled => Failure::cancelled(),
        ConnectError::Timeout { .. } => Failure::new(text),
        _ => Failure::new(format!("Error waiting for SSH: {text}")),
    };
    failure.blaming(error.option())
}
