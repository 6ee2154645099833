//! The inventory: the file that tells Ansible where the guest is.

use std::path::{Path, PathBuf};

use kiln_sdk::staging::{Late, check, quote};
use kiln_sdk::{Failure, Held, Resource, RunContext};
use uuid::Uuid;

use super::access::{Access, Kind};
use super::config::AnsibleConfig;
use super::version::Version;

/// An inventory on disk.
pub struct Inventory {
    path: PathBuf,
    made: Option<Made>,
}

/// One that was made for this run.
enum Made {
    /// It goes when the run ends.
    Temporary(Held),
    /// It stays.
    Kept,
}

impl Inventory {
    /// The template's own inventory, or a new one.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or `inventory_file_template` not be rendered.
    pub async fn prepare(
        cx: &RunContext,
        config: &AnsibleConfig,
        late: &Late,
        access: &Access,
        version: Version,
    ) -> Result<Self, Failure> {
        if !config.inventory_file.is_empty() {
            let path = check::expand(&config.inventory_file);
            return Ok(Self { path, made: None });
        }
        let line = host_line(config, late, access, version)?;
        let text = text(config, &line);
        let folder = match (
            config.inventory_directory.as_str(),
            config.keep_inventory_file,
        ) {
            ("", false) => cx.build().run_dir.clone(),
            ("", true) => std::env::temp_dir(),
            (folder, _) => check::expand(folder),
        };
        let name = format!("packer-provisioner-ansible{}", Uuid::new_v4().simple());
        let path = std::path::absolute(folder.join(name))
            .map_err(|error| Failure::new(format!("cannot place the inventory: {error}")))?;
        let made = if config.keep_inventory_file {
            Made::Kept
        } else {
            Made::Temporary(cx.announce(Resource::file(&path)).await?)
        };
        if let Err(error) = tokio::fs::write(&path, text).await {
            let shown = path.display().to_string();
            Self::remove(&path, made).await;
            return Err(Failure::new(format!(
                "cannot write the inventory `{shown}`: {error}"
            )));
        }
        Ok(Self {
            path,
            made: Some(made),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, unless it is to stay.
    pub async fn finish(self, cx: &RunContext) {
        match self.made {
            None => {}
            Some(Made::Kept) => {
                cx.say(format!("Keeping inventory file: {}", self.path.display()))
                    .await;
            }
            Some(made) => Self::remove(&self.path, made).await,
        }
    }

    async fn remove(path: &Path, made: Made) {
        if let Err(error) = tokio::fs::remove_file(path).await {
            tracing::debug!(%error, path = %path.display(), "the inventory is gone already");
        }
        if let Made::Temporary(held) = made {
            held.release().await;
        }
    }
}

/// The whole file: the machine, then the same line below each of its groups, then empty groups.
fn text(config: &AnsibleConfig, line: &str) -> String {
    let mut text = line.to_owned();
    for group in &config.groups {
        text.push_str(&format!("[{group}]\n{line}"));
    }
    for group in &config.empty_groups {
        text.push_str(&format!("[{group}]\n"));
    }
    text
}

fn host_line(
    config: &AnsibleConfig,
    late: &Late,
    access: &Access,
    version: Version,
) -> Result<String, Failure> {
    let template = &config.inventory_file_template;
    if template.is_empty() {
        return Ok(default_line(&config.host_alias, access, version));
    }
    let rendered = late
        .clone()
        .with("HostAlias", config.host_alias.as_str())
        .with("Host", access.host.as_str())
        .with("User", access.user.as_str())
        .with("Port", access.port)
        .render("inventory_file_template", template)?;
    // What Go's templates write for a name they do not know.
    if rendered.contains("<no value>") {
        return Err(Failure::new(format!(
            "`inventory_file_template` asks for a value that there is not: {:?}; there are \
             HostAlias, Host, User, Port and what the builder says of its machine",
            rendered.trim_end()
        )));
    }
    Ok(if rendered.ends_with('\n') {
        rendered
    } else {
        format!("{rendered}\n")
    })
}

fn default_line(alias: &str, access: &Access, version: Version) -> String {
    let ssh = if version.has_plain_names() {
        ""
    } else {
        "ssh_"
    };
    let connection = match access.kind {
        Kind::Winrm => {
            " ansible_connection=winrm ansible_winrm_transport=basic ansible_shell_type=powershell"
        }
        Kind::Proxy | Kind::Ssh => "",
    };
    let (host, user) = (
        quote::posix_when_needed(&access.host),
        quote::posix_when_needed(&access.user),
    );
    let port = access.port;
    format!(
        "{alias} ansible_{ssh}host={host}{connection} ansible_{ssh}user={user} \
         ansible_{ssh}port={port}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_here::tests::config;

    fn check(options: &[(&str, &str)], kind: Kind, version: Version, expected: &str) {
        let config = config(options);
        let line = default_line(
            &config.host_alias,
            &Access::for_test(kind, None, ""),
            version,
        );
        assert_eq!(text(&config, &line), expected);
    }

    #[test]
    fn each_kind_of_connection_has_its_line() {
        check(
            &[],
            Kind::Ssh,
            Version::default(),
            "default ansible_host=10.0.0.7 ansible_user=me ansible_port=2222\n",
        );
        check(
            &[("host_alias", "web")],
            Kind::Winrm,
            Version::default(),
            "web ansible_host=10.0.0.7 ansible_connection=winrm ansible_winrm_transport=basic \
             ansible_shell_type=powershell ansible_user=me ansible_port=2222\n",
        );
        check(
            &[],
            Kind::Proxy,
            Version { major: 1, minor: 9 },
            "default ansible_ssh_host=10.0.0.7 ansible_ssh_user=me ansible_ssh_port=2222\n",
        );
    }

    #[test]
    fn groups_repeat_the_line_and_empty_ones_are_bare() {
        let line = "default ansible_host=10.0.0.7 ansible_user=me ansible_port=2222\n";
        check(
            &[("groups", "web,db"), ("empty_groups", "cache")],
            Kind::Proxy,
            Version::default(),
            &format!("{line}[web]\n{line}[db]\n{line}[cache]\n"),
        );
    }

    #[test]
    fn a_user_with_blanks_stays_one_word() {
        let mut access = Access::for_test(Kind::Ssh, None, "");
        access.user = "build user".to_owned();
        let line = default_line("h", &access, Version::default());
        assert!(line.contains(" ansible_user='build user' "), "{line}");
    }
}
