//! Where things are in the guest.

use kiln_sdk::staging::GuestOs;

use crate::config::SaltConfig;

/// Paths in the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// What is on its way to its place.
    pub temporary: String,
    /// The state tree.
    pub states: String,
    /// The pillar roots.
    pub pillars: String,
    /// Folder of the minion's configuration and grains.
    pub configuration: String,
    /// Where the bootstrap script is put.
    pub bootstrap: String,
}

impl Places {
    /// The places the options mean.
    pub fn new(config: &SaltConfig) -> Self {
        let (states, pillars, temporary, configuration, bootstrap) = match config.guest_os_type {
            GuestOs::Unix => (
                "/srv/salt",
                "/srv/pillar",
                "/tmp/salt",
                "/etc/salt",
                "/tmp/install_salt.sh",
            ),
            GuestOs::Windows => (
                "C:/salt/state",
                "C:/salt/pillar",
                "C:/Windows/Temp/salt",
                "C:/salt/conf",
                "C:/Windows/Temp/bootstrap-salt.ps1",
            ),
        };
        let or = |option: &str, default: &str| match option.trim_end_matches('/') {
            "" => default.to_owned(),
            path => path.to_owned(),
        };
        Self {
            temporary: or(&config.temp_config_dir, temporary),
            states: or(&config.remote_state_tree, states),
            pillars: or(&config.remote_pillar_roots, pillars),
            configuration: configuration.to_owned(),
            bootstrap: bootstrap.to_owned(),
        }
    }
}
