//! WinRM against a stand-in for Windows, which a client that is not ours judges too.
//!
//! `machine` is the communicator by itself, `builds` whole builds with the provisioners for
//! Windows.

mod builds;
mod machine;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use kiln_sdk::Secret;
use kiln_sdk::ssh::{Address, CommunicatorConfig};
use kiln_sdk::winrm::{ConnectError, Settings, WinRmCommunicator, connect};
use kiln_tests::winrm::{PASSWORD, StandIn, USER};
use tokio_util::sync::CancellationToken;

/// Options for a stand-in on plain HTTP, with NTLM.
fn options(port: u16) -> CommunicatorConfig {
    CommunicatorConfig {
        communicator: "winrm".to_owned(),
        winrm_host: "127.0.0.1".to_owned(),
        winrm_port: port,
        winrm_username: USER.to_owned(),
        winrm_password: Secret::new(PASSWORD.to_owned()),
        winrm_timeout: Duration::from_secs(60),
        winrm_use_ntlm: Some(true),
        winrm_no_proxy: true,
        ..CommunicatorConfig::default()
    }
}

async fn reach(config: &CommunicatorConfig) -> Result<WinRmCommunicator, ConnectError> {
    let address = Address {
        host: config.winrm_host.clone(),
        port: config.winrm_port,
    };
    let cancel = CancellationToken::new();
    connect(Settings::new(config), Arc::new(address), &cancel, &()).await
}

/// A stand-in and a connection to it.
async fn pair(arguments: &[&str]) -> Result<Option<(StandIn, WinRmCommunicator)>> {
    let Some(guest) = StandIn::start(arguments)? else {
        return Ok(None);
    };
    let machine = reach(&options(guest.port)).await;
    let machine = machine.map_err(|error| anyhow::anyhow!("{error}: {}", guest.log()))?;
    Ok(Some((guest, machine)))
}
