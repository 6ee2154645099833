//! Options of `ansible`: types, docs, rules.

use kiln_sdk::config::PLACEHOLDER;
use kiln_sdk::staging::{check, quote};
use kiln_sdk::{Config, Diagnostic, Diagnostics};

use crate::proxy::KeyType;

/// Runs Ansible on the machine kiln runs on, against the machine that is built.
#[derive(Debug, Clone, Config)]
pub struct AnsibleConfig {
    /// The program, one executable. `ansible-playbook` when it is not set.
    #[config(default = "ansible-playbook")]
    pub command: String,
    /// Path of the playbook.
    pub playbook_file: String,
    /// Arguments for Ansible, one each; rendered with the machine's values.
    #[config(late)]
    pub extra_arguments: Vec<String>,
    /// Environment of Ansible and Ansible Galaxy, as `NAME=value`; rendered with the machine's
    /// values.
    #[config(late)]
    pub ansible_env_vars: Vec<String>,
    /// Arguments for `ssh`; default `-o IdentitiesOnly=yes`. Only for connections with a key.
    pub ansible_ssh_extra_args: Vec<String>,
    /// Groups of the inventory that the machine is in.
    pub groups: Vec<String>,
    /// Groups of the inventory without a machine.
    pub empty_groups: Vec<String>,
    /// Name of the machine in the inventory.
    #[config(default = "default")]
    pub host_alias: String,
    /// User that Ansible logs in as. Default: the user of the builder's connection, else the user
    /// who runs kiln.
    pub user: String,
    /// Port of the proxy; the next nine are tried as well. Default: any.
    pub local_port: u16,
    /// Private key that the proxy shows as its own; a new one when it is not set.
    pub ssh_host_key_file: String,
    /// Public key that may log in to the proxy; Ansible must find the private one by itself. A new
    /// pair when it is not set.
    pub ssh_authorized_key_file: String,
    /// Type of the keys made for the proxy: `ECDSA`, `ED25519` or `RSA`.
    #[config(default = "ECDSA")]
    pub ansible_proxy_key_type: String,
    /// What runs in the machine for the sftp subsystem of the proxy. Default: its own server,
    /// wherever it is; the proxy itself when there is none.
    #[config(late)]
    pub sftp_command: String,
    /// `true` or not set: Ansible copies files by sftp first; `false`: by scp.
    pub use_sftp: Option<bool>,
    /// Whether Ansible is not asked for its version.
    pub skip_version_check: bool,
    /// Folder for the inventory while Ansible runs; must exist.
    pub inventory_directory: String,
    /// The line of the inventory for the machine, with `{{.HostAlias}}`, `{{.Host}}`, `{{.User}}` and
    /// `{{.Port}}`.
    #[config(late)]
    pub inventory_file_template: String,
    /// Inventory to use as it is: a file or a folder.
    pub inventory_file: String,
    /// Whether the inventory that is made stays.
    pub keep_inventory_file: bool,
    /// Requirements file of Ansible Galaxy, installed first.
    pub galaxy_file: String,
    /// The program for that.
    #[config(default = "ansible-galaxy")]
    pub galaxy_command: String,
    /// Whether what is installed already is installed again.
    pub galaxy_force_install: bool,
    /// Whether its dependencies are too.
    pub galaxy_force_with_deps: bool,
    /// Where Galaxy puts roles.
    pub roles_path: String,
    /// Where Galaxy puts collections.
    pub collections_path: String,
    /// `false`: Ansible connects to the machine itself, by SSH or WinRM, where it can; otherwise
    /// through an SSH server that kiln puts in front of the builder's connection.
    pub use_proxy: Option<bool>,
    /// Whether WinRM, without proxy, uses HTTP.
    pub ansible_winrm_use_http: bool,
}

impl AnsibleConfig {
    pub fn check(&self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        let what = "it names the playbook to run";
        check::required("playbook_file", &self.playbook_file, what, &mut problems);
        for (option, path) in [
            ("playbook_file", &self.playbook_file),
            ("galaxy_file", &self.galaxy_file),
            ("ssh_host_key_file", &self.ssh_host_key_file),
            ("ssh_authorized_key_file", &self.ssh_authorized_key_file),
        ] {
            check::file(option, path, &mut problems);
        }
        check::folder(
            "inventory_directory",
            &self.inventory_directory,
            &mut problems,
        );
        check::file_or_folder("inventory_file", &self.inventory_file, &mut problems);
        self.check_templates(&mut problems);
        check_variables(&self.ansible_env_vars, &mut problems);
        self.check_names(&mut problems);
        self.check_own_inventory(&mut problems);
        problems.extend(self.unknown_key_type());
        if !self.skip_version_check {
            self.check_program("command", &self.command, &mut problems);
            if !self.galaxy_file.is_empty() {
                self.check_program("galaxy_command", &self.galaxy_command, &mut problems);
            }
        }
        problems
    }

    fn check_templates(&self, problems: &mut Diagnostics) {
        for text in &self.extra_arguments {
            check::template("extra_arguments", text, problems);
        }
        for text in &self.ansible_env_vars {
            check::template("ansible_env_vars", text, problems);
        }
        let template = &self.inventory_file_template;
        check::template("inventory_file_template", template, problems);
        check::template("sftp_command", &self.sftp_command, problems);
    }

    /// Names that would mean something else in an inventory.
    fn check_names(&self, problems: &mut Diagnostics) {
        let groups = self.groups.iter().map(|name| ("groups", name));
        let empty = self.empty_groups.iter().map(|name| ("empty_groups", name));
        let alias = std::iter::once(("host_alias", &self.host_alias));
        for (option, name) in groups.chain(empty).chain(alias) {
            let bad = |character: char| {
                character.is_whitespace() || character.is_control() || "[]#;\"'".contains(character)
            };
            if name.is_empty() || (!name.contains(PLACEHOLDER) && name.contains(bad)) {
                let detail = format!(
                    "`{}` cannot be a name in an inventory: it is empty, or has white space, \
                     quotes, brackets, `#` or `;` in it.",
                    name.escape_debug()
                );
                problems.push(Diagnostic::error("Unusable name", detail).on(option));
            }
        }
        if quote::breaks_lines(&self.user) {
            let detail = "`user` has a line end or another control character in it.";
            problems.push(Diagnostic::error("Unusable name", detail).on("user"));
        }
    }

    /// Options that shape the inventory do nothing for one that is used as it is.
    fn check_own_inventory(&self, problems: &mut Diagnostics) {
        if self.inventory_file.is_empty() {
            return;
        }
        for (option, given) in [
            ("groups", !self.groups.is_empty()),
            ("empty_groups", !self.empty_groups.is_empty()),
            (
                "inventory_file_template",
                !self.inventory_file_template.is_empty(),
            ),
        ] {
            if given {
                let detail =
                    format!("`inventory_file` is used as it is, so `{option}` has no effect.");
                problems.push(
                    Diagnostic::warning("Two inventories", detail)
                        .on(option)
                        .hint("Keep one of them; what the other says can go into the file."),
                );
            }
        }
    }

    fn unknown_key_type(&self) -> Option<Diagnostic> {
        let text = &self.ansible_proxy_key_type;
        if text.contains(PLACEHOLDER) || KeyType::parse(text).is_some() {
            return None;
        }
        let detail = format!("`{text}` is none of `ECDSA`, `ED25519` and `RSA`.");
        Some(Diagnostic::error("Unknown type of key", detail).on("ansible_proxy_key_type"))
    }

    /// A program that is missing is noticed now, not when the machine is there. Templates that set
    /// `PATH` for Ansible mean another one than ours.
    fn check_program(&self, option: &str, program: &str, problems: &mut Diagnostics) {
        let own_path = |entry: &String| entry.starts_with("PATH=");
        if program.contains(PLACEHOLDER) || self.ansible_env_vars.iter().any(own_path) {
            return;
        }
        if program.is_empty() || !is_installed(program) {
            let hint = if program.contains(' ') {
                format!("`{option}` is one executable; arguments go to `extra_arguments`.")
            } else {
                "Install Ansible, or set `skip_version_check = true` if it will be there when the \
                 build runs."
                    .to_owned()
            };
            let detail = format!("`{program}` is not installed on this machine, or not in `PATH`.");
            problems.push(
                Diagnostic::error("Cannot find Ansible", detail)
                    .on(option)
                    .hint(hint),
            );
        }
    }
}

fn check_variables(list: &[String], problems: &mut Diagnostics) {
    for entry in list {
        let name = entry.split('=').next().unwrap_or_default();
        if name.is_empty() || !entry.contains('=') && !entry.contains(PLACEHOLDER) {
            problems.push(
                Diagnostic::error(
                    format!("Environment variable not in format 'key=value': {name}"),
                    "Each entry of `ansible_env_vars` is a name, an equals sign and a value.",
                )
                .on("ansible_env_vars"),
            );
        }
    }
}

/// Whether `program` is an executable file, by its path or in `PATH`.
pub(super) fn is_installed(program: &str) -> bool {
    let executable = |path: &std::path::Path| {
        path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
    };
    let path = check::expand(program);
    if program.contains('/') {
        return executable(&path);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| executable(&folder.join(&path)))
}
