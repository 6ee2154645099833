//! The `ansible-local` provisioner: runs Ansible in the guest.

mod command;
mod config;
mod layout;

use std::path::Path;
use std::sync::Arc;

use kiln_sdk::communicator::Exit;
use kiln_sdk::staging::{BuildFacts, Guest, GuestOs, Sudo, check, quote};
use kiln_sdk::{BuildInfo, Communicator, Failure, Prepared, Provisioner, RunContext, Value};

use crate::galaxy::{Install, Wanted};
use command::Playing;
use config::LocalConfig;
use layout::{Layout, Playbook};

/// The exit status of a shell that does not find the program.
const NOT_FOUND: u32 = 127;

/// The provisioner.
pub struct AnsibleLocal;

impl Provisioner for AnsibleLocal {
    type Config = LocalConfig;

    fn prepare(&self, config: &mut LocalConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: LocalConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        cx.say("Provisioning with Ansible...").await;
        let layout = Layout::new(&config);
        let run = Run {
            guest: Guest {
                cx: &cx,
                machine: machine.as_ref(),
                os: GuestOs::Unix,
                // The staging folder belongs to the user who runs Ansible.
                sudo: Sudo::Avoid,
            },
            facts: BuildFacts::new(&cx, &generated),
            config: &config,
            layout,
        };
        run.all().await
    }
}

/// One run of the provisioner.
struct Run<'a> {
    guest: Guest<'a>,
    config: &'a LocalConfig,
    layout: Layout,
    facts: BuildFacts,
}

impl Run<'_> {
    async fn all(&self) -> Result<(), Failure> {
        self.stage().await?;
        let wanted = self.install().await?;
        let playing = Playing {
            config: self.config,
            layout: &self.layout,
            facts: &self.facts,
            wanted,
        };
        for playbook in &self.layout.playbooks {
            self.play(&playing, playbook).await?;
        }
        if self.config.clean_staging_directory {
            self.guest.cx.say("Removing staging directory...").await;
            self.guest.remove(&self.layout.staging).await?;
        }
        Ok(())
    }

    /// Puts everything into the staging folder.
    async fn stage(&self) -> Result<(), Failure> {
        let (guest, config, layout) = (&self.guest, self.config, &self.layout);
        guest.make_own_folder(&layout.staging).await?;
        if !config.playbook_dir.is_empty() {
            guest
                .cx
                .say("Uploading Playbook directory to Ansible staging directory...")
                .await;
            let folder = check::expand(&config.playbook_dir);
            guest.upload_folder(&folder, &layout.staging).await?;
        }
        for playbook in &layout.playbooks {
            if let Some(local) = &playbook.upload {
                guest.cx.say("Uploading main Playbook file...").await;
                self.file(local, &playbook.remote).await?;
            }
        }
        if let Some(remote) = &layout.galaxy_file {
            guest.cx.say("Uploading galaxy file...").await;
            self.file(&check::expand(&config.galaxy_file), remote)
                .await?;
        }
        guest.cx.say("Uploading inventory file...").await;
        match config.inventory_file.as_str() {
            "" => {
                let text = layout::inventory(&config.inventory_groups);
                guest.upload_text(&text, &layout.inventory, 0o644).await?;
            }
            file => self.file(&check::expand(file), &layout.inventory).await?,
        }
        for (local, remote) in &layout.folders {
            guest
                .cx
                .say(format!("Uploading directory: {}", local.display()))
                .await;
            guest.make_own_folder(remote).await?;
            guest.upload_folder(local, remote).await?;
        }
        Ok(())
    }

    /// Uploads a file; folders that its place is in are made.
    async fn file(&self, local: &Path, remote: &str) -> Result<(), Failure> {
        if let Some((folder, _)) = remote.rsplit_once('/')
            && folder != self.layout.staging
        {
            self.guest.make_own_folder(folder).await?;
        }
        self.guest.upload_file(local, remote).await
    }

    /// Installs what the requirements file asks for; what that was.
    async fn install(&self) -> Result<Option<Wanted>, Failure> {
        let Some(file) = &self.layout.galaxy_file else {
            return Ok(None);
        };
        let local = check::expand(&self.config.galaxy_file);
        let text = tokio::fs::read_to_string(&local).await.map_err(|error| {
            Failure::new(format!(
                "cannot read `galaxy_file` {}: {error}",
                local.display()
            ))
        })?;
        let wanted = Wanted::read(&text);
        let install = Install {
            file,
            roles_path: &self.layout.galaxy_roles,
            collections_path: &self.layout.galaxy_collections,
            force: self.config.galaxy_force_install,
            force_with_dependencies: false,
        };
        for call in install.calls(wanted) {
            let words: Vec<String> = call
                .iter()
                .map(|word| quote::posix_when_needed(word))
                .collect();
            let command = format!(
                "cd {} && {} {}",
                quote::posix_when_needed(&self.layout.staging),
                self.config.galaxy_command,
                words.join(" ")
            );
            self.guest
                .cx
                .say(format!("Executing Ansible Galaxy: {command}"))
                .await;
            let exit = self.guest.run(&command).await?;
            judge(&exit, &GALAXY, &self.config.galaxy_command)?;
        }
        Ok(Some(wanted))
    }

    async fn play(&self, playing: &Playing<'_>, playbook: &Playbook) -> Result<(), Failure> {
        let command = playing.command(&playbook.remote);
        self.guest
            .cx
            .say(format!("Executing Ansible: {command}"))
            .await;
        let exit = self.guest.run(&command).await?;
        judge(&exit, &ANSIBLE, &self.config.command)
    }
}

/// The program that a command runs: its first word that sets no variable.
fn program(command: &str) -> &str {
    let mut words = command.split_whitespace();
    words.find(|word| !word.contains('=')).unwrap_or(command)
}

/// A program of Ansible's.
struct Tool {
    name: &'static str,
    /// The option that says where it is.
    option: &'static str,
}

const ANSIBLE: Tool = Tool {
    name: "Ansible",
    option: "command",
};
const GALAXY: Tool = Tool {
    name: "Ansible Galaxy",
    option: "galaxy_command",
};

fn judge(exit: &Exit, Tool { name, option }: &Tool, command: &str) -> Result<(), Failure> {
    match exit {
        Exit::Code(0) => Ok(()),
        Exit::Code(NOT_FOUND) => Err(Failure::new(format!(
            "there is no `{}` on the machine's PATH; install Ansible in it first, or say with \
             `{option}` where it is",
            program(command)
        ))),
        Exit::Code(code) => Err(Failure::new(format!("{name} failed: exit status {code}"))),
        Exit::Signal(signal) => Err(Failure::new(format!(
            "{name} failed: ended by signal {signal}"
        ))),
        Exit::Disconnected(seen) => Err(Failure::new(format!(
            "{name} failed: the connection broke: {seen}"
        ))),
    }
}

#[cfg(test)]
mod tests;
