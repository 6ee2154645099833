//! Options of both provisioners: types, docs, rules.

use kiln_sdk::config::PLACEHOLDER;
use kiln_sdk::staging::{GuestOs, Sudo, check};
use kiln_sdk::{Config, Diagnostic, Diagnostics, Template, Value};

use crate::attributes;

/// What `chef-solo` and `chef-client` have in common.
#[derive(Debug, Clone, Default, Config)]
pub struct ChefOptions {
    /// Name of the Chef environment.
    pub chef_environment: String,
    /// How Chef's licence is answered; `accept-silent` when Chef is installed by the default
    /// `install_command`.
    pub chef_license: String,
    /// Template of Chef's configuration, instead of the usual one.
    pub config_template: String,
    /// File with the secret of encrypted data bags. It is removed from the machine afterwards.
    pub encrypted_data_bag_secret_path: String,
    /// How Chef is run: a template with `{{.ConfigPath}}`, `{{.JsonPath}}` and `{{.Sudo}}`.
    pub execute_command: Option<Template>,
    /// `unix` or `windows`.
    pub guest_os_type: GuestOs,
    /// How Chef is installed: a template with `{{.Sudo}}` and `{{.Version}}`. The default, the
    /// vendor's script, may want a licence key by now.
    pub install_command: Option<Template>,
    /// Attributes of the node, in JSON templates.
    pub json: Value,
    /// Attributes of the node, as JSON.
    pub json_string: String,
    /// Whether Chef runs, and is installed, without `sudo`.
    pub prevent_sudo: bool,
    /// What the node runs; replaces a run list among the attributes.
    pub run_list: Vec<String>,
    /// Whether Chef is in the machine already.
    pub skip_install: bool,
    /// Version of Chef to install; the latest when it is not set.
    pub version: String,
}

impl ChefOptions {
    /// Whether commands get `sudo`.
    pub fn sudo(&self) -> Sudo {
        Sudo::unless(self.prevent_sudo, self.guest_os_type)
    }

    /// Whether Chef is installed, and by the vendor's script.
    pub fn installs_by_default(&self) -> bool {
        !self.skip_install && self.install_command.is_none()
    }

    /// The answer to Chef's licence.
    pub fn license(&self) -> &str {
        match self.chef_license.as_str() {
            "" if self.installs_by_default() => "accept-silent",
            license => license,
        }
    }

    pub fn check(&self, problems: &mut Diagnostics) {
        check::file("config_template", &self.config_template, problems);
        let secret = &self.encrypted_data_bag_secret_path;
        check::file("encrypted_data_bag_secret_path", secret, problems);
        for (option, template) in [
            ("execute_command", &self.execute_command),
            ("install_command", &self.install_command),
        ] {
            if let Some(template) = template {
                check::template(option, template.as_str(), problems);
            }
        }
        self.check_attributes(problems);
        if self.version.contains(|character: char| !plain(character))
            && !self.version.contains(PLACEHOLDER)
        {
            let detail = format!("`{}` is no version of Chef.", self.version.escape_debug());
            problems.push(Diagnostic::error("Unusable version", detail).on("version"));
        }
    }

    fn check_attributes(&self, problems: &mut Diagnostics) {
        if self.json_string.contains(PLACEHOLDER) {
            return;
        }
        if !self.json.is_null() && !self.json_string.is_empty() {
            problems.push(
                Diagnostic::error(
                    "Attributes from two options",
                    "`json` and `json_string` are the same thing for two kinds of templates.",
                )
                .on("json_string"),
            );
        }
        let option = if self.json_string.is_empty() {
            "json"
        } else {
            "json_string"
        };
        if let Err(why) = attributes::read(&self.json, &self.json_string) {
            let detail = format!("`{option}` must be an object in JSON: {why}.");
            problems.push(
                Diagnostic::error("Unusable attributes", detail)
                    .on(option)
                    .hint("In HCL2, `json_string = jsonencode({ … })` writes it."),
            );
        }
    }
}

/// Whether a character of a version means only itself to a shell.
fn plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || ".-+~_".contains(character)
}
