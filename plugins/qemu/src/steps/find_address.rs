//! Finds the addresses that depend on the network.

use std::path::Path;
use std::time::Duration;

use kiln_sdk::{Failure, RunContext};

use super::watch_machine::Running;
use crate::config::QemuConfig;
use crate::driver::qmp::Qmp;

/// This machine, as guests on QEMU's own network see it.
const USER_NETWORK_HOST: &str = "10.0.2.2";
const ARP_TABLE: &str = "/proc/net/arp";
const POLL: Duration = Duration::from_secs(1);
/// The longest `ip` may take to list an address.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The address of this machine that the guest can reach.
pub(crate) async fn host_address(config: &QemuConfig) -> Result<String, Failure> {
    let bridge = &config.net_bridge;
    if bridge.is_empty() {
        return Ok(USER_NETWORK_HOST.to_owned());
    }
    let asking = tokio::process::Command::new("ip")
        .args(["-o", "-4", "addr", "show", "dev", bridge])
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(ANSWER_LIMIT, asking)
        .await
        .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
        .map_err(|error| {
            Failure::new(format!(
                "cannot run `ip` to find the address of `{bridge}`: {error}"
            ))
        })?;
    first_address(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
        let words = String::from_utf8_lossy(&output.stderr);
        Failure::new(
            format!("the bridge `{bridge}` has no IPv4 address {}", words.trim()).trim_end(),
        )
    })
}

fn first_address(listing: &str) -> Option<String> {
    let mut words = listing
        .split_whitespace()
        .skip_while(|word| *word != "inet");
    let address = words.nth(1)?;
    Some(address.split('/').next().unwrap_or(address).to_owned())
}

/// The guest's address on the bridge: waits until it has spoken to this machine.
///
/// # Source
///
/// Differs: the limit is the one of the communicator in use; Packer uses `ssh_timeout` for WinRM
/// too.
pub(crate) async fn guest_address(
    cx: &RunContext,
    config: &QemuConfig,
    running: &Running,
) -> Result<String, Failure> {
    cx.say("Waiting for the guest's address on the bridge...")
        .await;
    let mut qmp = Qmp::connect(Path::new(&config.qmp_socket_path))
        .await
        .map_err(|error| Failure::from_error(&error))?;
    let hardware = qmp
        .hardware_address("user.0")
        .await
        .map_err(|error| Failure::from_error(&error))?
        .ok_or_else(|| Failure::new("the machine has no network device on `user.0`"))?;
    let limit = match config.communicator.communicator.as_str() {
        "winrm" => config.communicator.winrm_timeout,
        _ => config.communicator.ssh_timeout,
    };
    let limit = if limit.is_zero() {
        Duration::from_secs(5 * 60)
    } else {
        limit
    };
    let found = async {
        loop {
            let table = tokio::fs::read_to_string(ARP_TABLE)
                .await
                .unwrap_or_default();
            if let Some(address) = neighbour(&table, &hardware, &config.net_bridge) {
                return address;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let waited = running.during(
        cx,
        "waiting for its address",
        tokio::time::timeout(limit, found),
    );
    waited.await?.map_err(|_| {
        Failure::new(format!(
            "the guest with the hardware address {hardware} did not appear on `{}` within {} s",
            config.net_bridge,
            limit.as_secs()
        ))
    })
}

/// The address of a neighbour in the kernel's table; only complete entries count.
fn neighbour(table: &str, hardware: &str, bridge: &str) -> Option<String> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _, flags, entry, _, device] = fields.as_slice() else {
            return None;
        };
        let complete = u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok()? & 2 != 0;
        let same = complete && entry.eq_ignore_ascii_case(hardware) && *device == bridge;
        same.then(|| (*address).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_guest_in_the_neighbour_table() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
                     192.168.1.7      0x1         0x0         52:54:00:12:34:56     *        br0\n\
                     192.168.1.8      0x1         0x2         52:54:00:12:34:56     *        br0\n";
        assert_eq!(
            neighbour(table, "52:54:00:12:34:56", "br0").as_deref(),
            Some("192.168.1.8")
        );
        assert_eq!(neighbour(table, "52:54:00:12:34:56", "br1"), None);
        assert_eq!(neighbour(table, "52:54:00:00:00:00", "br0"), None);
    }

    #[test]
    fn reads_the_address_of_a_bridge() {
        let listing =
            "3: br0    inet 192.168.1.1/24 brd 192.168.1.255 scope global br0\\ valid_lft forever";
        assert_eq!(first_address(listing).as_deref(), Some("192.168.1.1"));
        assert_eq!(first_address(""), None);
    }
}
