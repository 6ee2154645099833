//! Options of `ansible-local`: types, docs, rules.

use kiln_sdk::config::PLACEHOLDER;
use kiln_sdk::staging::{check, quote};
use kiln_sdk::{Config, Diagnostic, Diagnostics};

/// Runs Ansible in the machine that is built. It must be installed there.
#[derive(Debug, Clone, Config)]
pub struct LocalConfig {
    /// How Ansible is run, as the machine's shell reads it.
    #[config(default = "ANSIBLE_FORCE_COLOR=1 PYTHONUNBUFFERED=1 ansible-playbook")]
    pub command: String,
    /// Path of the playbook. Either this or `playbook_files`.
    pub playbook_file: String,
    /// Paths of playbooks, run in order.
    pub playbook_files: Vec<String>,
    /// Folder that becomes the staging folder, with everything in it.
    pub playbook_dir: String,
    /// Folders for the `playbooks` folder.
    pub playbook_paths: Vec<String>,
    /// Folders for the `roles` folder, one role each.
    pub role_paths: Vec<String>,
    /// Folders for the `collections` folder, one collection each.
    pub collection_paths: Vec<String>,
    /// Folder of variables of groups.
    pub group_vars: String,
    /// Folder of variables of hosts.
    pub host_vars: String,
    /// Arguments for Ansible, as the machine's shell reads them.
    pub extra_arguments: Vec<String>,
    /// Inventory; default one with the machine itself.
    pub inventory_file: String,
    /// Groups that the machine is in, in the default inventory.
    pub inventory_groups: Vec<String>,
    /// Requirements file of Ansible Galaxy, installed first.
    pub galaxy_file: String,
    /// The program for that.
    #[config(default = "ansible-galaxy")]
    pub galaxy_command: String,
    /// Whether what is installed already is installed again.
    pub galaxy_force_install: bool,
    /// Where Galaxy puts roles in the machine; default `galaxy_roles` in the staging folder.
    pub galaxy_roles_path: String,
    /// Where Galaxy puts collections in the machine; default `galaxy_collections` in the staging
    /// folder.
    pub galaxy_collections_path: String,
    /// Folder in the machine for everything. Default: a new one in `/tmp`.
    pub staging_directory: String,
    /// Whether the staging folder is removed at the end.
    pub clean_staging_directory: bool,
}

impl LocalConfig {
    pub fn check(&self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        self.check_playbooks(&mut problems);
        for (option, path) in [
            ("playbook_file", &self.playbook_file),
            ("inventory_file", &self.inventory_file),
            ("galaxy_file", &self.galaxy_file),
        ] {
            check::file(option, path, &mut problems);
        }
        for path in &self.playbook_files {
            check::file("playbook_files", path, &mut problems);
        }
        for (option, path) in [
            ("playbook_dir", &self.playbook_dir),
            ("group_vars", &self.group_vars),
            ("host_vars", &self.host_vars),
        ] {
            check::folder(option, path, &mut problems);
        }
        for (option, paths) in [
            ("playbook_paths", &self.playbook_paths),
            ("role_paths", &self.role_paths),
            ("collection_paths", &self.collection_paths),
        ] {
            check::folders(option, paths, &mut problems);
        }
        for group in &self.inventory_groups {
            let bad = group.is_empty() || group.contains(['[', ']']) || quote::breaks_lines(group);
            if bad && !group.contains(PLACEHOLDER) {
                let detail = format!("`{}` cannot be a group.", group.escape_debug());
                problems.push(Diagnostic::error("Unusable name", detail).on("inventory_groups"));
            }
        }
        if !self.inventory_file.is_empty() && !self.inventory_groups.is_empty() {
            let detail = "`inventory_file` is used as it is, so `inventory_groups` has no effect.";
            problems.push(
                Diagnostic::warning("Two inventories", detail)
                    .on("inventory_groups")
                    .hint("Keep one of them; the groups can go into the file."),
            );
        }
        problems
    }

    fn check_playbooks(&self, problems: &mut Diagnostics) {
        let (one, many) = (&self.playbook_file, &self.playbook_files);
        if one.is_empty() && many.is_empty() {
            problems.push(
                Diagnostic::error(
                    "Either playbook_file or playbook_files must be specified",
                    "There is no playbook to run.",
                )
                .on("playbook_file"),
            );
        }
        if !one.is_empty() && !many.is_empty() {
            problems.push(
                Diagnostic::error(
                    "Only one of playbook_file and playbook_files can be specified",
                    "It is not clear what runs first.",
                )
                .on("playbook_files")
                .hint("Put every playbook into `playbook_files`."),
            );
        }
        for path in many.iter().filter(|path| path.is_empty()) {
            check::required("playbook_files", path, "an entry is empty", problems);
        }
    }
}
