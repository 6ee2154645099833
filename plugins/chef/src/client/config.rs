//! Options of `chef-client`: types, docs, rules.

use kiln_sdk::config::PLACEHOLDER;
use kiln_sdk::staging::{GuestOs, check};
use kiln_sdk::{Config, Diagnostic, Diagnostics, Secret, Template};

use crate::options::ChefOptions;

/// Runs Chef in the machine against a Chef server, which forgets the machine afterwards.
#[derive(Debug, Clone, Default, Config)]
pub struct ClientConfig {
    /// Address of the Chef server.
    pub server_url: String,
    /// Name of the node and of its client; default `packer-` and a new UUID.
    pub node_name: String,
    /// Where the client's key is in the machine; default `client.pem` in the staging folder.
    pub client_key: String,
    /// Key of the validation client. It is removed from the machine afterwards.
    pub validation_key_path: String,
    /// Name of the validation client; default `chef-validator`.
    pub validation_client_name: String,
    /// Policy group of the node; goes with `policy_name`.
    pub policy_group: String,
    /// Policy of the node; goes with `policy_group`.
    pub policy_name: String,
    /// How the server's certificate is checked: `verify_peer` or `verify_none`.
    pub ssl_verify_mode: String,
    /// Folder of trusted certificates in the machine.
    pub trusted_certs_dir: String,
    /// Address of the server of Ruby's packages.
    pub rubygems_url: String,
    /// How `knife` is run: a template with `{{.Args}}`, `{{.Flags}}` and `{{.Sudo}}`.
    pub knife_command: Option<Template>,
    /// Whether the node stays on the server.
    pub skip_clean_node: bool,
    /// Whether the client stays on the server.
    pub skip_clean_client: bool,
    /// Whether the staging folder stays in the machine.
    pub skip_clean_staging_directory: bool,
    /// Folder in the machine for everything. Default `/tmp/packer-chef-client`, on Windows
    /// `C:/Windows/Temp/packer-chef-client`.
    pub staging_directory: String,
    /// Windows: user that Chef runs as, in a scheduled task.
    pub elevated_user: String,
    /// Windows: that user's password.
    pub elevated_password: Secret<String>,
    #[config(flatten)]
    pub options: ChefOptions,
}

impl ClientConfig {
    pub fn check(&self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        let what = "it is the address of the Chef server";
        check::required("server_url", &self.server_url, what, &mut problems);
        check::file(
            "validation_key_path",
            &self.validation_key_path,
            &mut problems,
        );
        if let Some(command) = &self.knife_command {
            check::template("knife_command", command.as_str(), &mut problems);
        }
        let (group, name) = (&self.policy_group, &self.policy_name);
        if group.is_empty() != name.is_empty() {
            let option = if group.is_empty() {
                "policy_group"
            } else {
                "policy_name"
            };
            let detail = "`policy_group` and `policy_name` must be set both or neither.";
            problems.push(Diagnostic::error("Half a policy", detail).on(option));
        }
        let mode = self.ssl_verify_mode.trim_start_matches(':');
        let word = |character: char| character.is_ascii_lowercase() || character == '_';
        if !mode.contains(PLACEHOLDER) && !mode.chars().all(word) {
            let detail = format!("`{}` is no mode of verification.", mode.escape_debug());
            problems.push(
                Diagnostic::error("Unknown mode of verification", detail)
                    .on("ssl_verify_mode")
                    .hint("Write `verify_peer` or `verify_none`."),
            );
        }
        self.check_elevated(&mut problems);
        self.options.check(&mut problems);
        problems
    }

    fn check_elevated(&self, problems: &mut Diagnostics) {
        if self.elevated_user.is_empty() && !self.elevated_password.is_empty() {
            let detail = "`elevated_password` is the password of `elevated_user`, who is not set.";
            problems
                .push(Diagnostic::error("Password without user", detail).on("elevated_password"));
        }
        if !self.elevated_user.is_empty() && self.options.guest_os_type == GuestOs::Unix {
            let detail = "Only Windows has scheduled tasks that run as another user.";
            problems.push(
                Diagnostic::error("Elevated user on Unix", detail)
                    .on("elevated_user")
                    .hint("Set `guest_os_type = \"windows\"`; on Unix, `sudo` is used by itself."),
            );
        }
    }
}
