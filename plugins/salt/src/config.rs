//! Options: types, docs, rules.

use kiln_sdk::staging::{GuestOs, Sudo, check, quote};
use kiln_sdk::{Config, Diagnostic, Diagnostics};

use crate::formula::Formula;

/// Puts the machine into Salt states, without a Salt master.
#[derive(Debug, Clone, Config)]
pub struct SaltConfig {
    /// Folder of the state tree.
    pub local_state_tree: String,
    /// Folder of the pillar roots.
    pub local_pillar_roots: String,
    /// Where the state tree goes in the machine. Default `/srv/salt`, on Windows
    /// `C:/salt/state`. What is there is replaced.
    pub remote_state_tree: String,
    /// Where the pillar roots go in the machine. Default `/srv/pillar`, on Windows
    /// `C:/salt/pillar`. What is there is replaced.
    pub remote_pillar_roots: String,
    /// The state to apply, possibly with arguments, as the machine's shell reads them; the highstate
    /// when it is not set.
    pub custom_state: String,
    /// Configuration of the minion. It says where states and pillars are, so it excludes
    /// `remote_state_tree` and `remote_pillar_roots`.
    pub minion_config: String,
    /// Grains of the minion.
    pub grains_file: String,
    /// Formulas to fetch with Git: `https://HOST/PATH.git//FOLDER`, possibly with `?ref=BRANCH`.
    pub formulas: Vec<String>,
    /// Whether Salt is in the machine already.
    pub skip_bootstrap: bool,
    /// Arguments for Salt's bootstrap script, as the machine's shell reads them.
    pub bootstrap_args: String,
    /// Whether commands run without `sudo`.
    pub disable_sudo: bool,
    /// Whether a failed state is none of the build.
    pub no_exit_on_failure: bool,
    /// Folder in the machine for what is on its way. Default `/tmp/salt`, on Windows
    /// `C:/Windows/Temp/salt`.
    pub temp_config_dir: String,
    /// How much Salt says. Default `info`.
    #[config(default = "info")]
    pub log_level: String,
    /// Further arguments of `salt-call`, as the machine's shell reads them.
    pub salt_call_args: String,
    /// Folder of the programs in the machine; default where the machine finds them.
    pub salt_bin_dir: String,
    /// `unix` or `windows`.
    pub guest_os_type: GuestOs,
}

impl SaltConfig {
    /// Whether commands get `sudo`.
    pub fn sudo(&self) -> Sudo {
        Sudo::unless(self.disable_sudo, self.guest_os_type)
    }

    pub fn check(&self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        let what = "it names the folder of the state tree";
        check::required(
            "local_state_tree",
            &self.local_state_tree,
            what,
            &mut problems,
        );
        check::folder("local_state_tree", &self.local_state_tree, &mut problems);
        check::folder(
            "local_pillar_roots",
            &self.local_pillar_roots,
            &mut problems,
        );
        check::file("minion_config", &self.minion_config, &mut problems);
        check::file("grains_file", &self.grains_file, &mut problems);
        if !self.minion_config.is_empty() {
            for (option, value) in [
                ("remote_state_tree", &self.remote_state_tree),
                ("remote_pillar_roots", &self.remote_pillar_roots),
            ] {
                if !value.is_empty() {
                    let detail = format!(
                        "`{option}` and `minion_config` cannot both be set: the configuration of the \
                         minion says where things are."
                    );
                    problems.push(
                        Diagnostic::error("Two sources of one setting", detail)
                            .on(option)
                            .hint("Set `file_roots` and `pillar_roots` in the minion's configuration."),
                    );
                }
            }
        }
        for formula in &self.formulas {
            if let Err(why) = Formula::parse(formula) {
                problems.push(
                    Diagnostic::error(
                        "Unusable formula",
                        format!("`{}`: {why}.", formula.escape_debug()),
                    )
                    .on("formulas")
                    .hint("Write `https://github.com/saltstack-formulas/vim-formula.git//vim`."),
                );
            }
        }
        for (option, value) in [
            ("custom_state", &self.custom_state),
            ("log_level", &self.log_level),
        ] {
            if quote::breaks_lines(value) {
                let detail = format!("`{option}` has a line end or a control character in it.");
                problems.push(Diagnostic::error("Unusable name", detail).on(option));
            }
        }
        problems
    }
}
