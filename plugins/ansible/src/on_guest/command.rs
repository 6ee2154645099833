//! The command line of Ansible in the guest.

use kiln_sdk::staging::{BuildFacts, quote};

use super::config::LocalConfig;
use super::layout::Layout;
use crate::galaxy::Wanted;
use crate::variables;

/// How playbooks are run.
pub struct Playing<'a> {
    pub config: &'a LocalConfig,
    pub layout: &'a Layout,
    pub facts: &'a BuildFacts,
    /// What Galaxy installed; `None` when there was nothing to install.
    pub wanted: Option<Wanted>,
}

impl Playing<'_> {
    /// The command for the playbook at `playbook`.
    ///
    /// # Source
    ///
    /// Packer's command. Differs: each fact is a word of its own, whatever is in it; a variable that
    /// only looks like an option of `ssh` is not among them; roles of old-style requirements files
    /// are found too.
    pub fn command(&self, playbook: &str) -> String {
        let mut words = self.search_paths();
        words.push(self.config.command.clone());
        words.push(quote::posix_when_needed(playbook));
        for variable in variables::extra(self.facts) {
            words.push("--extra-vars".to_owned());
            words.push(quote::posix_when_needed(&variable));
        }
        words.extend(self.config.extra_arguments.iter().cloned());
        words.push("-c local -i".to_owned());
        words.push(quote::posix_when_needed(&self.layout.inventory));
        let staging = quote::posix_when_needed(&self.layout.staging);
        format!("cd {staging} && {}", words.join(" "))
    }

    /// Where Ansible finds what Galaxy installed, besides where it looks by itself.
    fn search_paths(&self) -> Vec<String> {
        let Some(wanted) = self.wanted else {
            return Vec::new();
        };
        let path = |name: &str, folder: &str| {
            format!("{name}=\"${name}\":{}", quote::posix_when_needed(folder))
        };
        let mut words = Vec::new();
        if wanted.collections {
            words.push(path(
                "ANSIBLE_COLLECTIONS_PATH",
                &self.layout.galaxy_collections,
            ));
        }
        if wanted.roles {
            words.push(path("ANSIBLE_ROLES_PATH", &self.layout.galaxy_roles));
        }
        words
    }
}
