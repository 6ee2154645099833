//! The order of a run.

use std::path::Path;
use std::sync::Arc;

use kiln_sdk::communicator::Exit;
use kiln_sdk::staging::{Guest, GuestOs, check, ended};
use kiln_sdk::{BuildInfo, Communicator, Failure, Prepared, Provisioner, RunContext, Value};

use crate::config::SaltConfig;
use crate::formula::Formula;
use crate::places::Places;
use crate::{bootstrap, command, windows};

/// The exit status of a POSIX shell, and of `cmd.exe`, that does not find the program.
const NOT_FOUND: [u32; 2] = [127, 9009];

/// The provisioner.
pub struct SaltMasterless;

impl Provisioner for SaltMasterless {
    type Config = SaltConfig;

    fn prepare(&self, config: &mut SaltConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: SaltConfig,
        machine: Arc<dyn Communicator>,
        _generated: Value,
    ) -> Result<(), Failure> {
        cx.say("Provisioning with Salt...").await;
        let run = Run {
            guest: Guest {
                cx: &cx,
                machine: machine.as_ref(),
                os: config.guest_os_type,
                sudo: config.sudo(),
            },
            places: Places::new(&config),
            config: &config,
        };
        run.all().await
    }
}

struct Run<'a> {
    guest: Guest<'a>,
    places: Places,
    config: &'a SaltConfig,
}

impl Run<'_> {
    async fn all(&self) -> Result<(), Failure> {
        let (guest, config, places) = (&self.guest, self.config, &self.places);
        let fetched = tempfile::Builder::new()
            .prefix("formulas")
            .tempdir_in(&guest.cx.build().run_dir)
            .map_err(|error| Failure::new(format!("cannot make a folder for formulas: {error}")))?;
        let mut formulas = Vec::new();
        for (number, text) in config.formulas.iter().enumerate() {
            let formula = Formula::parse(text)
                .map_err(|why| Failure::new(format!("cannot use formula `{text}`: {why}")))?;
            let target = fetched.path().join(number.to_string());
            let folder = formula.fetch(guest.cx, &target).await?;
            formulas.push((formula, folder));
        }
        if !config.skip_bootstrap {
            bootstrap::run(guest, config, places).await?;
        }
        guest.make_own_folder(&places.temporary).await?;
        self.configure("minion", &config.minion_config).await?;
        self.configure("grains", &config.grains_file).await?;
        self.states(&formulas).await?;
        if !config.local_pillar_roots.is_empty() {
            let local = check::expand(&config.local_pillar_roots);
            let staged = self.stage("pillar", &local).await?;
            self.place(&staged, &places.pillars).await?;
        }
        self.apply().await
    }

    /// Puts a file of the minion's configuration where the minion reads it.
    async fn configure(&self, name: &str, local: &str) -> Result<(), Failure> {
        if local.is_empty() {
            return Ok(());
        }
        let (guest, places) = (&self.guest, &self.places);
        guest
            .cx
            .say(format!("Uploading {name} configuration: {local}"))
            .await;
        let staged = format!("{}/{name}", places.temporary);
        guest.remove(&staged).await?;
        guest.upload_file(&check::expand(local), &staged).await?;
        self.privileged_folder(&places.configuration).await?;
        guest
            .rename(&staged, &format!("{}/{name}", places.configuration))
            .await
    }

    async fn states(&self, formulas: &[(Formula, std::path::PathBuf)]) -> Result<(), Failure> {
        let local = check::expand(&self.config.local_state_tree);
        let staged = self.stage("states", &local).await?;
        for (formula, folder) in formulas {
            let name = formula.name();
            self.guest
                .cx
                .say(format!("Uploading formula: {name}"))
                .await;
            let remote = format!("{staged}/{name}");
            if local.join(name).exists() {
                let replaced = format!("`{name}` of the local state tree gives way to the formula");
                self.guest.cx.say(replaced).await;
                self.guest.remove(&remote).await?;
            }
            self.guest.upload_folder(folder, &remote).await?;
        }
        self.place(&staged, &self.places.states).await
    }

    /// Uploads a folder to where it is on its way; what an earlier run left there is removed first.
    /// The history of the folder, with what once was in it, is nobody's business there.
    async fn stage(&self, name: &str, local: &Path) -> Result<String, Failure> {
        let guest = &self.guest;
        let staged = format!("{}/{name}", self.places.temporary);
        guest.remove(&staged).await?;
        guest
            .cx
            .say(format!("Uploading local {name} tree: {}", local.display()))
            .await;
        guest
            .upload_folder_without(local, &staged, &[".git"])
            .await?;
        Ok(staged)
    }

    /// Moves a staged folder to its place; what is there is replaced.
    async fn place(&self, staged: &str, target: &str) -> Result<(), Failure> {
        let guest = &self.guest;
        if guest.exists(target).await? {
            guest
                .cx
                .say(format!("Replacing {target}, which is there already"))
                .await;
            guest.remove(target).await?;
        }
        if let Some((parent, _)) = target.rsplit_once('/')
            && !parent.is_empty()
        {
            self.privileged_folder(parent).await?;
        }
        guest.rename(staged, target).await
    }

    /// Makes a folder that belongs to root.
    async fn privileged_folder(&self, path: &str) -> Result<(), Failure> {
        let what = format!("cannot create folder `{path}` in the machine");
        let command = self.guest.privileged(&self.guest.make_command(path));
        self.guest.must(&what, &command).await
    }

    async fn apply(&self) -> Result<(), Failure> {
        let (guest, config, places) = (&self.guest, self.config, &self.places);
        let program = match guest.os {
            GuestOs::Unix => command::program(config),
            GuestOs::Windows => windows::program(guest, config).await?,
        };
        if guest.os == GuestOs::Windows {
            let refreshed = windows::refresh_packages(guest, config, places, &program).await;
            self.tolerate(refreshed).await?;
        }
        let call = command::call(&program, config, places);
        let command = self.guest.privileged(&call);
        self.guest.cx.say(format!("Running: {command}")).await;
        let exit = self.guest.run(&command).await?;
        if self.is_missing(&exit, &program).await? {
            return Err(Failure::new(
                "salt-call is not in the machine: let it be installed, or install it first, or say \
                 where it is with `salt_bin_dir`",
            ));
        }
        let failed = Err(Failure::new(format!("salt-call failed: {}", ended(&exit))));
        match exit {
            Exit::Code(0) => Ok(()),
            Exit::Code(_) => self.tolerate(failed).await,
            Exit::Signal(_) | Exit::Disconnected(_) => failed,
        }
    }

    /// Whether Salt failed because it is not there.
    async fn is_missing(&self, exit: &Exit, program: &str) -> Result<bool, Failure> {
        Ok(match exit {
            Exit::Code(code) if NOT_FOUND.contains(code) => true,
            // `sudo` says 1 for everything.
            Exit::Code(1) if self.guest.sudo.is_used() => !self.guest.has_program(program).await?,
            _ => false,
        })
    }

    /// A failure that the template wants to be none is only said.
    async fn tolerate(&self, result: Result<(), Failure>) -> Result<(), Failure> {
        match result {
            Err(failure) if self.config.no_exit_on_failure && !failure.cancelled => {
                let text = format!("{}; `no_exit_on_failure` is set", failure.message);
                self.guest.cx.say(text).await;
                Ok(())
            }
            result => result,
        }
    }
}
