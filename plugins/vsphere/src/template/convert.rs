//! From machine to template.

use std::time::Duration;

use kiln_sdk::{Failure, RunContext};

use super::TemplateConfig;
use crate::soap::{Argument, Reference, Session, SoapError};

/// How long a machine may take to be off.
const OFF_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_secs(1);

/// One machine on its way.
pub(super) struct Conversion<'a> {
    pub(super) cx: &'a RunContext,
    pub(super) session: &'a Session,
    pub(super) config: &'a TemplateConfig,
    /// Where the machine is.
    pub(super) folder: String,
    /// What it is called.
    pub(super) machine: String,
}

impl Conversion<'_> {
    pub(super) async fn run(&self) -> Result<(), Failure> {
        self.cx.say("Choosing datacenter...").await;
        let datacenter = self.session.datacenter(&self.config.datacenter).await?;
        let base = format!("{datacenter}/vm");
        self.cx
            .say("Creating or checking destination folder...")
            .await;
        let (folder, folder_path) = self.ensure_folder(&base).await?;
        let path = joined(&[&base, &self.folder, &self.machine]);
        let machine = self.session.find(&path).await?;
        let machine = machine.filter(|object| object.kind == "VirtualMachine");
        let machine = machine
            .ok_or_else(|| Failure::new(format!("error finding virtual machine at path {path}")))?;
        self.wait_until_off(&machine).await?;
        self.take_snapshot(&machine).await?;
        let name = match self.config.template_name.as_str() {
            "" => &self.machine,
            name => name,
        };
        self.clear_name(&machine, &joined(&[&folder_path, name]), name)
            .await?;
        if self.config.reregister_vm {
            self.register(&machine, &folder, name).await
        } else {
            self.cx.say("Marking as a template...").await;
            self.session.invoke(&machine, "MarkAsTemplate", &[]).await?;
            Ok(())
        }
    }

    /// The folder of the template and its path. What is missing of it is made.
    async fn ensure_folder(&self, base: &str) -> Result<(Reference, String), Failure> {
        let missing = |path: &str| Failure::new(format!("error finding base path {path}"));
        let root = self.session.find(base).await?;
        let mut folder = root.ok_or_else(|| missing(base))?;
        let mut path = base.to_owned();
        for name in self
            .config
            .folder
            .split('/')
            .filter(|name| !name.is_empty())
        {
            path = joined(&[&path, name]);
            folder = match self.session.find(&path).await? {
                Some(found) if found.kind == "Folder" => found,
                Some(_) => {
                    return Err(Failure::new(format!(
                        "`{path}` cannot be the folder of the template: it is something else than \
                         a folder"
                    )));
                }
                None => {
                    self.cx
                        .say(format!("Creating virtual machine folder {name}..."))
                        .await;
                    let arguments = [("name", Argument::Text(name.to_owned()))];
                    let made = self.session.invoke(&folder, "CreateFolder", &arguments);
                    made.await?.ok_or_else(|| missing(&path))?
                }
            };
        }
        Ok((folder, path))
    }

    /// A machine that is just being switched off cannot become a template yet.
    async fn wait_until_off(&self, machine: &Reference) -> Result<(), Failure> {
        let mut waited = Duration::ZERO;
        while self.session.text(machine, "runtime.powerState").await? == "poweredOn" {
            if waited.is_zero() {
                self.cx.say("Waiting for the machine to be off").await;
            }
            if waited >= OFF_LIMIT {
                return Err(Failure::new(format!(
                    "the machine `{}` is still on after {} s: shut it down before it becomes a \
                     template",
                    self.machine,
                    OFF_LIMIT.as_secs()
                )));
            }
            self.cx.until_cancelled(tokio::time::sleep(POLL)).await?;
            waited += POLL;
        }
        Ok(())
    }

    async fn take_snapshot(&self, machine: &Reference) -> Result<(), Failure> {
        if !self.config.snapshot_enable {
            return Ok(());
        }
        self.cx.say("Creating virtual machine snapshot...").await;
        let text = |text: &str| Argument::Text(text.to_owned());
        let arguments = [
            ("name", text(&self.config.snapshot_name)),
            ("description", text(&self.config.snapshot_description)),
            ("memory", Argument::Bool(false)),
            ("quiesce", Argument::Bool(false)),
        ];
        let taken = self
            .session
            .work(machine, "CreateSnapshot_Task", &arguments);
        Ok(taken.await?)
    }

    /// Makes sure that nothing else has the template's path.
    async fn clear_name(&self, machine: &Reference, path: &str, name: &str) -> Result<(), Failure> {
        let Some(existing) = self.session.find(path).await? else {
            return Ok(());
        };
        if existing == *machine {
            return Ok(());
        }
        if existing.kind != "VirtualMachine" {
            return Err(Failure::new(format!(
                "`{name}` is the name of something else than a machine"
            )));
        }
        if !self.config.replace {
            return Err(Failure::new(format!(
                "there is a template `{name}` already; with `override = true` it is replaced"
            )));
        }
        self.cx
            .say(format!("Removing existing template '{name}'..."))
            .await;
        let removed = self.session.work(&existing, "Destroy_Task", &[]).await;
        removed.map_err(|error| {
            let reason = Failure::from(error);
            match reason.cancelled {
                true => reason,
                false => Failure::new(format!(
                    "failed to remove existing template '{name}': {}",
                    reason.message
                )),
            }
        })?;
        self.cx
            .say(format!("Successfully removed existing template '{name}'"))
            .await;
        Ok(())
    }

    /// Unregisters the machine and registers it again, as a template.
    async fn register(
        &self,
        machine: &Reference,
        folder: &Reference,
        name: &str,
    ) -> Result<(), Failure> {
        let session = self.session;
        let file = session.text(machine, "config.files.vmPathName").await?;
        let host = session
            .property(machine, "runtime.host", Reference::of)
            .await?;
        let host = host.flatten().filter(|_| !file.is_empty()).ok_or_else(|| {
            Failure::new(format!(
                "vSphere does not tell where the machine `{}` is stored and on which host it is",
                self.machine
            ))
        })?;
        session.invoke(machine, "UnregisterVM", &[]).await?;
        self.cx
            .say(format!("Registering virtual machine as a template: {name}"))
            .await;
        let arguments = [
            ("path", Argument::Text(file.clone())),
            ("name", Argument::Text(name.to_owned())),
            ("asTemplate", Argument::Bool(true)),
            ("host", Argument::Object(host)),
        ];
        let registered = session.work(folder, "RegisterVM_Task", &arguments).await;
        registered.map_err(|error| self.lost(&file, error))
    }

    /// The machine is unregistered and not a template: say where it is.
    fn lost(&self, file: &str, error: SoapError) -> Failure {
        let reason = Failure::from(error);
        Failure {
            message: format!(
                "{}; the machine `{}` is unregistered now, its files are still at {file}",
                reason.message, self.machine
            ),
            ..reason
        }
    }
}

/// Parts of a path, empty ones left out.
fn joined(parts: &[&str]) -> String {
    let parts = parts.iter().flat_map(|part| part.split('/'));
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}
