//! The communicator options every builder takes.
//!
//! Here are the options under Packer's names and with Packer's defaults, and the rules they must
//! keep before anything is touched. Not here: what is done with them (`connect`, `communicator`).

mod rules;
#[cfg(test)]
mod tests;
mod tunnel;

use std::time::Duration;

use sdk_config::{GoDuration, Secret};
use sdk_config_derive::Config;

pub use rules::Prepare;
pub use tunnel::{Tunnel, TunnelError};

/// How the build talks to its machine.
///
/// # Source
///
/// Packer's communicator options. Unset numbers and durations are zero, as there; after
/// [`CommunicatorConfig::prepare`] the ones with a default have it.
#[derive(Clone, Debug, Default, Config)]
pub struct CommunicatorConfig {
    /// How to talk to the machine: `ssh`, `winrm`, or `none` for not at all. When it is not set it is
    /// `ssh`, unless the builder has a way of its own.
    pub communicator: String,
    /// How long to wait after the first connection before the machine is used, for guests that
    /// restart on their own.
    pub pause_before_connecting: Duration,
    /// Address to connect to, instead of the one the builder finds out.
    pub ssh_host: String,
    /// Port to connect to.
    #[config(default = 22)]
    pub ssh_port: u16,
    /// User to log in as; required with `ssh`.
    pub ssh_username: String,
    /// Password to log in with; also answers every keyboard-interactive prompt.
    #[config(sensitive)]
    pub ssh_password: Secret<String>,
    /// Name of an existing key pair, for clouds that know key pairs by name.
    pub ssh_keypair_name: String,
    /// Name of the key pair made for this build, and the comment of its public key.
    pub temporary_key_pair_name: String,
    /// Type of the key pair made for this build: `rsa`, `ecdsa` or `ed25519`.
    pub temporary_key_pair_type: String,
    /// Size of the key pair made for this build, in bits: `rsa` from 1024 (default 4096), `ecdsa`
    /// 256, 384 or 521 (default); `ed25519` has one size only.
    pub temporary_key_pair_bits: u32,
    /// Ciphers to offer, best first.
    pub ssh_ciphers: Vec<String>,
    /// Whether to take the build's temporary public key out of the guest's `authorized_keys` files
    /// at the end.
    pub ssh_clear_authorized_keys: bool,
    /// Key exchange algorithms to offer, best first.
    pub ssh_key_exchange_algorithms: Vec<String>,
    /// File with the private key to log in with, not encrypted; `~` is the home folder.
    pub ssh_private_key_file: String,
    /// File with an OpenSSH certificate for the private key.
    pub ssh_certificate_file: String,
    /// Whether commands get a terminal.
    pub ssh_pty: bool,
    /// How long to try to connect; `5m` with 10 handshake attempts when neither is set, without
    /// limit when only the attempts are set.
    pub ssh_timeout: Duration,
    /// Old name of `ssh_timeout`; wins over it.
    #[config(deprecated = "use ssh_timeout")]
    pub ssh_wait_timeout: Duration,
    /// Whether to log in with the keys of the SSH agent.
    pub ssh_agent_auth: bool,
    /// Whether to keep the SSH agent out of the guest's reach.
    pub ssh_disable_agent_forwarding: bool,
    /// How often a login may be refused before the build fails; without limit when only
    /// `ssh_timeout` is set.
    pub ssh_handshake_attempts: u32,
    /// Host to go through.
    pub ssh_bastion_host: String,
    /// SSH port of the host to go through.
    #[config(default = 22)]
    pub ssh_bastion_port: u16,
    /// Whether to log in to the host to go through with the keys of the SSH agent.
    pub ssh_bastion_agent_auth: bool,
    /// User on the host to go through.
    pub ssh_bastion_username: String,
    /// Password on the host to go through.
    #[config(sensitive)]
    pub ssh_bastion_password: Secret<String>,
    /// Whether the person building answers what the host to go through asks, such as a one-time code;
    /// where it asks for a password, `ssh_bastion_password` is given when it is set.
    pub ssh_bastion_interactive: bool,
    /// File with the private key for the host to go through; `ssh_private_key_file` when unset.
    pub ssh_bastion_private_key_file: String,
    /// File with a certificate for that key.
    pub ssh_bastion_certificate_file: String,
    /// How files are copied: `scp` or `sftp`. When the guest lacks one, the other is used.
    #[config(default = "scp")]
    pub ssh_file_transfer_method: String,
    /// SOCKS5 proxy to connect through.
    pub ssh_proxy_host: String,
    /// Port of the proxy.
    #[config(default = 1080)]
    pub ssh_proxy_port: u16,
    /// User for the proxy, when it asks.
    pub ssh_proxy_username: String,
    /// Password for the proxy.
    #[config(sensitive)]
    pub ssh_proxy_password: Secret<String>,
    /// How often to ask a silent guest for a sign of life; negative for never.
    #[config(default = "5s")]
    pub ssh_keep_alive_interval: GoDuration,
    /// How long the connection may be silent before it counts as broken; zero for ever.
    pub ssh_read_write_timeout: Duration,
    /// Ports on the guest that lead to addresses seen from here: `PORT:HOST:PORT`.
    pub ssh_remote_tunnels: Vec<String>,
    /// Ports here that lead to addresses seen from the guest: `PORT:HOST:PORT`.
    pub ssh_local_tunnels: Vec<String>,
    /// User to log in as; required with `winrm`.
    pub winrm_username: String,
    /// Password to log in with.
    #[config(sensitive)]
    pub winrm_password: Secret<String>,
    /// Address to connect to, instead of the one the builder finds out.
    pub winrm_host: String,
    /// Whether to ignore the proxy settings of the environment.
    pub winrm_no_proxy: bool,
    /// Port to connect to: 5985, or 5986 with `winrm_use_ssl`.
    pub winrm_port: u16,
    /// How long to try to connect.
    #[config(default = "30m")]
    pub winrm_timeout: Duration,
    /// Whether to use HTTPS.
    pub winrm_use_ssl: bool,
    /// Whether to accept any certificate.
    pub winrm_insecure: bool,
    /// Whether to log in with NTLM instead of basic authentication; when unset, NTLM is used only
    /// where the guest does not offer basic.
    pub winrm_use_ntlm: Option<bool>,
}

impl CommunicatorConfig {
    /// The address the template fixes for the communicator in use; empty when it leaves that to
    /// the builder.
    #[must_use]
    pub fn host(&self) -> &str {
        if self.communicator == "winrm" {
            &self.winrm_host
        } else {
            &self.ssh_host
        }
    }

    /// The port for the communicator in use; zero when there is none.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self.communicator.as_str() {
            "ssh" => self.ssh_port,
            "winrm" => self.winrm_port,
            _ => 0,
        }
    }

    /// The user for the communicator in use; empty when there is none.
    #[must_use]
    pub fn user(&self) -> &str {
        match self.communicator.as_str() {
            "ssh" => &self.ssh_username,
            "winrm" => &self.winrm_username,
            _ => "",
        }
    }

    /// The password for the communicator in use; empty when there is none.
    #[must_use]
    pub fn password(&self) -> &str {
        match self.communicator.as_str() {
            "ssh" => self.ssh_password.expose(),
            "winrm" => self.winrm_password.expose(),
            _ => "",
        }
    }

    /// The type and size of the temporary key pair.
    #[must_use]
    pub fn key_kind(&self) -> Option<crate::KeyKind> {
        crate::KeyKind::parse(&self.temporary_key_pair_type, self.temporary_key_pair_bits).ok()
    }

    /// The limit of one round of connecting; `None` when only the attempts are limited.
    #[must_use]
    pub fn connect_limit(&self) -> Option<Duration> {
        (!self.ssh_timeout.is_zero()).then_some(self.ssh_timeout)
    }
}
