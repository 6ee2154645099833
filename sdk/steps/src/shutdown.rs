//! Options of a kind shutdown.

use std::time::Duration;

use sdk_config::Template;
use sdk_config_derive::Config;

/// How a machine is shut down when it is done.
///
/// # Source
///
/// Packer's shutdown options.
#[derive(Clone, Debug, Default, Config)]
pub struct ShutdownConfig {
    /// Command that shuts the machine down, run over the communicator. Empty for the hard way of
    /// the builder.
    pub shutdown_command: Template,
    /// How long the machine may take to go down after the command; after that the build fails.
    #[config(default = "5m")]
    pub shutdown_timeout: Duration,
}
