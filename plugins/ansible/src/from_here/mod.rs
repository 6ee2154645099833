//! The `ansible` provisioner: runs Ansible on this machine against the guest.

mod access;
mod arguments;
mod command_line;
mod config;
mod control;
mod inventory;
mod version;

use std::sync::Arc;
use std::time::Duration;

use kiln_sdk::staging::{BuildFacts, Late, check};
use kiln_sdk::{BuildInfo, Communicator, Failure, Prepared, Provisioner, RunContext, Value};

use crate::galaxy::{Install, Wanted};
use access::Access;
use arguments::{Call, HostKeys};
use command_line::CommandLine;
use config::AnsibleConfig;
use control::ControlSockets;
use inventory::Inventory;
use version::Version;

/// How long `ansible-playbook --version` may take.
const VERSION_LIMIT: Duration = Duration::from_secs(60);

/// The provisioner.
pub struct Ansible;

impl Provisioner for Ansible {
    type Config = AnsibleConfig;

    fn prepare(&self, config: &mut AnsibleConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: AnsibleConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        cx.say("Provisioning with Ansible...").await;
        let late = Late::new(&cx, &generated);
        let mut run = Run {
            environment: environment(&config, &late)?,
            extra_arguments: late.render_all("extra_arguments", &config.extra_arguments)?,
            facts: BuildFacts::new(&cx, &generated),
            cx: &cx,
            config: &config,
            late,
        };
        let sockets = ControlSockets::make(&cx).await?;
        run.environment.insert(0, sockets.variable());
        let played = run.all(machine, &generated).await;
        sockets.close(&cx).await;
        played
    }
}

/// The variables Ansible gets: what makes it work with guests that nobody knows yet, then the
/// template's, which win.
fn environment(config: &AnsibleConfig, late: &Late) -> Result<Vec<(String, String)>, Failure> {
    // Without it, Python keeps what it prints until its buffer is full.
    let mut pairs = vec![("PYTHONUNBUFFERED".to_owned(), "1".to_owned())];
    if config.ssh_host_key_file.is_empty() {
        pairs.push(("ANSIBLE_HOST_KEY_CHECKING".to_owned(), "False".to_owned()));
    }
    if config.use_sftp == Some(false) {
        pairs.push(("ANSIBLE_SCP_IF_SSH".to_owned(), "True".to_owned()));
    }
    for entry in late.render_all("ansible_env_vars", &config.ansible_env_vars)? {
        let (name, value) = entry.split_once('=').ok_or_else(|| {
            Failure::new("an entry of `ansible_env_vars` has become one without `=`")
        })?;
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}

/// One run of the provisioner.
struct Run<'a> {
    cx: &'a RunContext,
    config: &'a AnsibleConfig,
    late: Late,
    environment: Vec<(String, String)>,
    extra_arguments: Vec<String>,
    facts: BuildFacts,
}

impl Run<'_> {
    async fn all(&self, machine: Arc<dyn Communicator>, generated: &Value) -> Result<(), Failure> {
        let version = self.version().await?;
        let access = Access::open(self.cx, self.config, machine, generated).await?;
        let played = self.play(&access, version).await;
        access.close().await;
        played
    }

    /// The version of Ansible; unless it shall not be asked for, it also shows that there is one.
    async fn version(&self) -> Result<Version, Failure> {
        if self.config.skip_version_check {
            return Ok(Version::default());
        }
        let command = self.command(&self.config.command, vec!["--version".to_owned()]);
        let asked = command.program().limit(VERSION_LIMIT);
        let ended = asked.collect(self.cx).await?;
        let version = Version::parse(&ended.stdout).filter(|_| ended.is_success());
        let version = version.ok_or_else(|| {
            Failure::new(format!(
                "`{} --version` says no version that is understood, and ends with {}: {:?}; set \
                 `skip_version_check = true` to go on",
                self.config.command,
                ended.code,
                format!("{}{}", ended.stdout, ended.stderr)
                    .lines()
                    .next()
                    .unwrap_or_default()
            ))
        })?;
        tracing::debug!(
            major = version.major,
            minor = version.minor,
            "version of ansible"
        );
        Ok(version)
    }

    async fn play(&self, access: &Access, version: Version) -> Result<(), Failure> {
        let inventory =
            Inventory::prepare(self.cx, self.config, &self.late, access, version).await?;
        let played = self.install_and_play(access, &inventory).await;
        inventory.finish(self.cx).await;
        played
    }

    async fn install_and_play(
        &self,
        access: &Access,
        inventory: &Inventory,
    ) -> Result<(), Failure> {
        if !self.config.galaxy_file.is_empty() {
            self.install().await?;
        }
        let playbook = std::path::absolute(check::expand(&self.config.playbook_file))
            .map_err(|error| Failure::new(format!("cannot find the playbook: {error}")))?;
        let call = Call {
            config: self.config,
            facts: &self.facts,
            access,
            extra_arguments: &self.extra_arguments,
            inventory: inventory.path(),
            playbook: &playbook,
            host_keys: HostKeys::of(&self.environment),
        };
        let password = self.password_file(access)?;
        let arguments = call.arguments(password.as_ref().map(|file| file.path()));
        let command = self.command(&self.config.command, arguments);
        let shown = command.shown(&access.secrets());
        self.cx.say(format!("Executing Ansible: {shown}")).await;
        match command.program().show(self.cx).await?.code {
            0 => Ok(()),
            code => Err(Failure::new(format!("Ansible failed: exit status {code}"))),
        }
    }

    /// The password that Ansible logs in with, as a file of variables: arguments of a process can be
    /// read by everybody on this machine.
    fn password_file(&self, access: &Access) -> Result<Option<tempfile::NamedTempFile>, Failure> {
        if !access.needs_password(&self.extra_arguments) {
            return Ok(None);
        }
        let text = serde_json::json!({ "ansible_password": access.password.expose() });
        let folder = &self.cx.build().run_dir;
        let file = private_file(folder, "ansible-password", ".json", &text.to_string());
        file.map(Some)
            .map_err(|error| Failure::new(format!("cannot write a file of variables: {error}")))
    }

    async fn install(&self) -> Result<(), Failure> {
        let path = check::expand(&self.config.galaxy_file);
        let text = tokio::fs::read_to_string(&path).await.map_err(|error| {
            Failure::new(format!(
                "cannot read `galaxy_file` {}: {error}",
                path.display()
            ))
        })?;
        let install = Install {
            file: &path.display().to_string(),
            roles_path: &self.config.roles_path,
            collections_path: &self.config.collections_path,
            force: self.config.galaxy_force_install,
            force_with_dependencies: self.config.galaxy_force_with_deps,
        };
        for arguments in install.calls(Wanted::read(&text)) {
            let command = self.command(&self.config.galaxy_command, arguments);
            let shown = command.shown(&[]);
            self.cx
                .say(format!("Executing Ansible Galaxy: {shown}"))
                .await;
            let code = command.program().show(self.cx).await?.code;
            if code != 0 {
                return Err(Failure::new(format!(
                    "Ansible Galaxy failed: exit status {code}"
                )));
            }
        }
        Ok(())
    }

    fn command(&self, program: &str, arguments: Vec<String>) -> CommandLine {
        CommandLine {
            program: check::expand(program).display().to_string(),
            arguments,
            environment: self.environment.clone(),
        }
    }
}

/// A file only this user reads, removed when dropped.
fn private_file(
    folder: &std::path::Path,
    prefix: &str,
    suffix: &str,
    text: &str,
) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(prefix)
        .suffix(suffix)
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .tempfile_in(folder)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(file)
}

#[cfg(test)]
mod tests;
