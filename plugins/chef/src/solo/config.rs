//! Options of `chef-solo`: types, docs, rules.

use kiln_sdk::staging::check;
use kiln_sdk::{Config, Diagnostic, Diagnostics};

use crate::options::ChefOptions;

/// Runs Chef in the machine with cookbooks of this one, without a Chef server.
#[derive(Debug, Clone, Default, Config)]
pub struct SoloConfig {
    /// Folders of cookbooks.
    pub cookbook_paths: Vec<String>,
    /// Folders of cookbooks that are in the machine already; they come first.
    pub remote_cookbook_paths: Vec<String>,
    /// Folder of roles.
    pub roles_path: String,
    /// Folder of data bags.
    pub data_bags_path: String,
    /// Folder of environments; `chef_environment` names one of them.
    pub environments_path: String,
    /// Folder in the machine for everything. Default `/tmp/packer-chef-solo`, on Windows
    /// `C:/Windows/Temp/packer-chef-solo`.
    pub staging_directory: String,
    #[config(flatten)]
    pub options: ChefOptions,
}

impl SoloConfig {
    pub fn check(&self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        check::folders("cookbook_paths", &self.cookbook_paths, &mut problems);
        for (option, path) in [
            ("roles_path", &self.roles_path),
            ("data_bags_path", &self.data_bags_path),
            ("environments_path", &self.environments_path),
        ] {
            check::folder(option, path, &mut problems);
        }
        if !self.options.chef_environment.is_empty() && self.environments_path.is_empty() {
            let detail = "chef-solo looks for `chef_environment` in `environments_path`, which is \
                          not set: the option has no effect.";
            problems.push(
                Diagnostic::warning("Environment without environments", detail)
                    .on("chef_environment")
                    .hint("Set `environments_path` to the folder that has the environment."),
            );
        }
        self.options.check(&mut problems);
        problems
    }
}
