//! Options: types, docs, rules.

use kiln_sdk::ssh::{CommunicatorConfig, Prepare};
use kiln_sdk::{Config, Diagnostic, Diagnostics};

/// Connects to a machine that exists and has it provisioned. Nothing is created and nothing is
/// removed.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct NullConfig {
    #[config(flatten)]
    pub(crate) communicator: CommunicatorConfig,
}

impl NullConfig {
    /// Checks the options and gives unset ones their defaults.
    ///
    /// # Source
    ///
    /// Packer's null builder: nothing is checked when `communicator` is `none`.
    pub(crate) fn prepare(&mut self) -> Diagnostics {
        let mut problems = self.communicator.prepare(&Prepare::from_environment());
        match self.communicator.communicator.as_str() {
            "ssh" => {
                problems.extend(self.missing_host("ssh_host"));
                problems.extend(self.not_one_login());
            }
            "winrm" => {
                problems.extend(self.missing_host("winrm_host"));
                problems.extend(self.missing_password());
            }
            _ => {}
        }
        problems
    }

    fn missing_host(&self, option: &str) -> Option<Diagnostic> {
        self.communicator.host().is_empty().then(|| {
            Diagnostic::error(
                "Missing host",
                "a Host must be specified, please reference your communicator documentation",
            )
            .on(option)
        })
    }

    fn missing_password(&self) -> Option<Diagnostic> {
        self.communicator.winrm_password.is_empty().then(|| {
            Diagnostic::error("Missing login", "There is no way to log in to the machine.")
                .on("winrm_password")
                .hint("set `winrm_password`")
        })
    }

    /// There must be exactly one way to log in.
    fn not_one_login(&self) -> Option<Diagnostic> {
        let options = &self.communicator;
        let given: Vec<&str> = [
            ("ssh_agent_auth", options.ssh_agent_auth),
            ("ssh_password", !options.ssh_password.is_empty()),
            (
                "ssh_private_key_file",
                !options.ssh_private_key_file.is_empty(),
            ),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect();
        match given.as_slice() {
            [_] => None,
            [] => Some(
                Diagnostic::error("Missing login", "There is no way to log in to the machine.")
                    .on("ssh_password")
                    .hint("set one of `ssh_password`, `ssh_private_key_file`, `ssh_agent_auth`"),
            ),
            [first, rest @ ..] => {
                let rest: Vec<String> = rest.iter().map(|name| format!("`{name}`")).collect();
                let detail = format!("`{first}` excludes {}.", rest.join(" and "));
                Some(
                    Diagnostic::error("Several logins", detail)
                        .on(first)
                        .hint("set exactly one of them"),
                )
            }
        }
    }
}
