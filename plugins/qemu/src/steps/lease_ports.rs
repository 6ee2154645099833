//! Leases the ports of this machine that QEMU listens at.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use kiln_sdk::ports::{PortLease, PortSearch, lease};
use kiln_sdk::{Failure, RunContext};

use crate::command_line::{Forward, Screen};
use crate::config::QemuConfig;

/// Ports no other build takes as long as this lives.
#[derive(Debug)]
pub(crate) struct Ports {
    /// The forwarded port; none when the guest is not talked to, or through a bridge.
    pub(crate) forward: Option<Forward>,
    /// Where the screen is served.
    pub(crate) screen: Screen,
    leases: Mutex<Vec<PortLease>>,
}

impl Ports {
    /// Stops listening, for QEMU, which listens there next; the leases go on.
    pub(crate) fn hand_over(&self) {
        for lease in self
            .leases
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter_mut()
        {
            lease.release_listener();
        }
    }

    /// Gives the ports back.
    pub(crate) fn undo(&self) {
        self.leases
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// Leases the port that leads to the guest and the port of the screen.
pub(crate) async fn lease_ports(cx: &RunContext, config: &QemuConfig) -> Result<Ports, Failure> {
    let mut leases = Vec::new();
    let forward = forward(cx, config, &mut leases).await?;
    let (first, last) = (vnc_port(config.vnc_port_min), vnc_port(config.vnc_port_max));
    let address = &config.vnc_bind_address;
    cx.say(format!(
        "Looking for available port between {first} and {last} on {address}"
    ))
    .await;
    let search = PortSearch {
        cache_dir: cx.build().cache_dir.clone(),
        address: bound(address).await,
        ports: first..=last,
    };
    let found = lease(&search);
    let found = found.map_err(|error| Failure::from_error(&error).on("vnc_port_max"))?;
    cx.say(format!(
        "Found available VNC port: {} on IP: {address}",
        found.port()
    ))
    .await;
    let screen = Screen {
        address: address.clone(),
        port: found.port(),
    };
    leases.push(found);
    Ok(Ports {
        forward,
        screen,
        leases: Mutex::new(leases),
    })
}

async fn forward(
    cx: &RunContext,
    config: &QemuConfig,
    leases: &mut Vec<PortLease>,
) -> Result<Option<Forward>, Failure> {
    if !config.has_communicator() || !config.net_bridge.is_empty() {
        return Ok(None);
    }
    let guest = config.communicator.port();
    if config.skip_nat_mapping {
        return Ok(Some(Forward { host: guest, guest }));
    }
    // QEMU listens at every address of this machine, so the port has to be free at all of them.
    let search = PortSearch {
        cache_dir: cx.build().cache_dir.clone(),
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ports: config.host_port_min..=config.host_port_max,
    };
    let found = lease(&search);
    let found = found.map_err(|error| Failure::from_error(&error).on("host_port_max"))?;
    let host = found.port();
    cx.say(format!(
        "Found port for communicator (SSH, WinRM, etc): {host}."
    ))
    .await;
    leases.push(found);
    Ok(Some(Forward { host, guest }))
}

/// The options were checked to be ports.
fn vnc_port(port: u32) -> u16 {
    u16::try_from(port).unwrap_or(u16::MAX)
}

/// The address behind a name; every address when it cannot be told here, because QEMU will say.
async fn bound(address: &str) -> IpAddr {
    let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let host = address.trim_start_matches('[').trim_end_matches(']');
    match tokio::net::lookup_host((host, 0)).await {
        Ok(mut found) => found.next().map_or(unspecified, |address| address.ip()),
        Err(_) => unspecified,
    }
}
