//! Options of both provisioners: types, docs, rules.

use std::collections::BTreeMap;

use kiln_sdk::staging::{GuestOs, Sudo, check, quote};
use kiln_sdk::{Config, Diagnostic, Diagnostics, Secret, Template};

/// What `puppet-masterless` and `puppet-server` have in common.
#[derive(Debug, Clone, Default, Config)]
pub struct PuppetOptions {
    /// Facts for Puppet, besides `packer_build_name`, `packer_builder_type` and `packer_http_addr`.
    pub facter: BTreeMap<String, String>,
    /// Arguments for Puppet, as the machine's shell reads them; rendered with the machine's values.
    #[config(late)]
    pub extra_arguments: Vec<String>,
    /// How Puppet is run: a template with `{{.WorkingDir}}`, `{{.FacterVars}}`, `{{.Sudo}}`,
    /// `{{.PuppetBinDir}}`, `{{.ExtraArguments}}`, `{{.Debug}}`, and for `puppet-masterless`
    /// `{{.ModulePath}}`, `{{.ModulePathJoiner}}`, `{{.HieraConfigPath}}`, `{{.ManifestFile}}` and
    /// `{{.ManifestDir}}`, for `puppet-server` `{{.PuppetServer}}`, `{{.PuppetNode}}`,
    /// `{{.ClientCertPath}}` and `{{.ClientPrivateKeyPath}}`.
    pub execute_command: Option<Template>,
    /// `unix` or `windows`.
    pub guest_os_type: GuestOs,
    /// Whether a failure of Puppet is none of the build.
    pub ignore_exit_codes: bool,
    /// Whether Puppet runs, and folders are made, without `sudo`.
    pub prevent_sudo: bool,
    /// Folder of the program in the machine; default where the machine finds it.
    pub puppet_bin_dir: String,
    /// Folder Puppet is run in; must exist. Default: the staging folder.
    pub working_directory: String,
    /// Whether the staging folder is removed at the end.
    pub clean_staging_directory: bool,
    /// Windows: user that Puppet runs as, in a scheduled task.
    pub elevated_user: String,
    /// Windows: that user's password.
    pub elevated_password: Secret<String>,
}

impl PuppetOptions {
    /// Whether commands get `sudo`.
    pub fn sudo(&self) -> Sudo {
        Sudo::unless(self.prevent_sudo, self.guest_os_type)
    }

    pub fn check(&self, problems: &mut Diagnostics) {
        if let Some(command) = &self.execute_command {
            check::template("execute_command", command.as_str(), problems);
        }
        for argument in &self.extra_arguments {
            check::template("extra_arguments", argument, problems);
        }
        for (name, value) in &self.facter {
            self.check_fact(name, value, problems);
        }
        if self.elevated_user.is_empty() && !self.elevated_password.is_empty() {
            let detail = "`elevated_password` is the password of `elevated_user`, who is not set.";
            problems
                .push(Diagnostic::error("Password without user", detail).on("elevated_password"));
        }
        if !self.elevated_user.is_empty() && self.guest_os_type == GuestOs::Unix {
            problems.push(
                Diagnostic::error(
                    "Elevated user on Unix",
                    "Only Windows has scheduled tasks that run as another user.",
                )
                .on("elevated_user")
                .hint("Set `guest_os_type = \"windows\"`; on Unix, `sudo` is used by itself."),
            );
        }
    }

    fn check_fact(&self, name: &str, value: &str, problems: &mut Diagnostics) {
        let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if name.is_empty() || !name.chars().all(word) {
            let detail = format!(
                "`{}` cannot be a fact: it becomes a variable of the environment, whose names have \
                 letters, digits and underscores only.",
                name.escape_debug()
            );
            problems.push(Diagnostic::error("Unusable name of a fact", detail).on("facter"));
        }
        let windows = self.guest_os_type == GuestOs::Windows;
        if windows && (quote::breaks_lines(value) || value.contains('"')) {
            let detail = format!(
                "The fact `{name}` has a line end or a double quote in it, which `cmd.exe` cannot \
                 hand on."
            );
            problems.push(Diagnostic::error("Unusable value of a fact", detail).on("facter"));
        }
    }
}
