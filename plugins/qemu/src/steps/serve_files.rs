//! Serves files to the guest.

use std::sync::{Mutex, PoisonError};

use kiln_sdk::go_template::Data;
use kiln_sdk::http_server::HttpServer;
use kiln_sdk::{Failure, RunContext};

use super::find_address::host_address;
use super::make_key::Keys;
use crate::config::QemuConfig;

/// The file server of a build, and where the guest finds it.
#[derive(Debug)]
pub(crate) struct Served {
    /// Address of this machine as the guest sees it.
    pub(crate) address: String,
    /// Port; none when nothing is served.
    pub(crate) port: Option<u16>,
    server: Mutex<Option<HttpServer>>,
}

impl Served {
    /// Ends the server.
    pub(crate) async fn undo(&self) -> Result<(), Failure> {
        let server = self
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(server) = server {
            server.stop().await;
        }
        Ok(())
    }

    /// What boot commands can use.
    pub(crate) fn data(&self, config: &QemuConfig, keys: &Keys) -> Data {
        let values: [(&str, Data); 4] = [
            ("HTTPIP", self.address.clone().into()),
            ("HTTPPort", self.port.unwrap_or_default().into()),
            ("Name", config.vm_name.clone().into()),
            ("SSHPublicKey", keys.public.clone().into()),
        ];
        values.into_iter().collect()
    }

    /// What rows of `qemuargs` can use.
    pub(crate) fn row_data(&self, config: &QemuConfig, ssh_host_port: Option<u16>) -> Data {
        let content: Data = config.http.http_content.clone().into_iter().collect();
        let values: [(&str, Data); 7] = [
            ("HTTPIP", self.address.clone().into()),
            ("HTTPPort", self.port.unwrap_or_default().into()),
            (
                "HTTPDir",
                config.http.http_directory.display().to_string().into(),
            ),
            ("HTTPContent", content),
            ("OutputDir", config.output_directory.clone().into()),
            ("Name", config.vm_name.clone().into()),
            ("SSHHostPort", ssh_host_port.unwrap_or_default().into()),
        ];
        values.into_iter().collect()
    }
}

/// Starts the server when the template has files for it.
pub(crate) async fn serve_files(cx: &RunContext, config: &QemuConfig) -> Result<Served, Failure> {
    let address = host_address(config).await?;
    let mut options = config.http.clone();
    if guest_is_behind_us(config) {
        "127.0.0.1".clone_into(&mut options.http_bind_address);
    }
    let server = HttpServer::start(&options, &cx.build().cache_dir, None).await;
    let server = server.map_err(|error| Failure::from_error(&error))?;
    let port = server.as_ref().map(HttpServer::port);
    if let Some(port) = port {
        cx.say(format!("Starting HTTP server on port {port}")).await;
    }
    Ok(Served {
        address,
        port,
        server: Mutex::new(server),
    })
}

/// Whether the guest reaches us through QEMU's own network, which leads to loopback: then nobody
/// else needs to see the files. Not when the template chose an address or brings a network along.
///
/// Differs: Packer serves the files to everybody.
fn guest_is_behind_us(config: &QemuConfig) -> bool {
    let own_network = config
        .qemuargs
        .iter()
        .filter_map(|row| row.first())
        .any(|key| {
            ["netdev", "nic", "net", "device"].contains(&key.as_str().trim_start_matches('-'))
        });
    config.net_bridge.is_empty()
        && config.http.http_bind_address.is_empty()
        && config.http.http_interface.is_empty()
        && !own_network
}
