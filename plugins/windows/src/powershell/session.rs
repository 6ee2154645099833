//! One run: the variables go up, each script goes up and runs, and what went up goes away.

use std::path::Path;

use kiln_sdk::communicator::{Command, capture};
use kiln_sdk::staging::elevated::{self, Account};
use kiln_sdk::staging::{Guest, GuestOs, Late, Sudo};
use kiln_sdk::winrm::powershell;
use kiln_sdk::{Communicator, Failure, RunContext, Value};
use uuid::Uuid;

use super::PowerShellConfig;
use crate::environment::{self, Escape};
use crate::{run, scripts};

struct Session<'a> {
    cx: &'a RunContext,
    config: &'a PowerShellConfig,
    machine: &'a dyn Communicator,
    late: Late,
    script_path: String,
    variables_path: String,
}

/// Runs all scripts.
pub(super) async fn run(
    cx: &RunContext,
    config: &PowerShellConfig,
    machine: &dyn Communicator,
    generated: &Value,
) -> Result<(), Failure> {
    let or = |given: &str, prefix: &str| match given {
        "" => format!("c:/Windows/Temp/{prefix}-{}.ps1", Uuid::new_v4()),
        given => given.to_owned(),
    };
    let session = Session {
        cx,
        config,
        machine,
        late: Late::new(cx, generated),
        script_path: or(&config.remote_path, "script"),
        variables_path: or(&config.remote_env_var_path, "packer-ps-env-vars"),
    };
    let variables = session.variables(generated)?;
    cx.say("Provisioning with Powershell...").await;
    let mut files = config.scripts.files();
    let inline = match config.scripts.inline_lines(&session.late)? {
        lines if lines.is_empty() => None,
        lines => {
            let text = config.inline_script(&lines, &session.variables_path);
            Some(scripts::write(&cx.build().run_dir, ".ps1", &text)?)
        }
    };
    files.extend(inline.as_ref().map(|file| file.path().to_owned()));
    let mut places = vec![session.variables_path.clone()];
    for file in &files {
        let shown = file.display();
        cx.say(format!("Provisioning with powershell script: {shown}"))
            .await;
        places.push(run::place(&session.script_path, file));
        session.script(file, &variables).await?;
    }
    if !config.skip_clean {
        places.dedup();
        session.clean(&places).await?;
    }
    Ok(())
}

impl Session<'_> {
    /// The text of the file with the variables.
    fn variables(&self, generated: &Value) -> Result<String, Failure> {
        let options = &self.config.scripts;
        let (option, format) = if self.config.is_elevated() {
            (
                "elevated_env_var_format",
                &self.config.elevated_env_var_format,
            )
        } else {
            ("env_var_format", &self.config.env_var_format)
        };
        let (list, env) = options.variables(&self.late)?;
        let facts = (self.cx.build(), generated);
        environment::text(&list, &env, facts, format, Escape::PowerShell)
            .map_err(|failure| failure.on(option))
    }

    async fn script(&self, file: &Path, variables: &str) -> Result<(), Failure> {
        let path = run::place(&self.script_path, file);
        let (option, template) = self.config.command();
        let late = self
            .late
            .clone()
            .with("Path", path.as_str())
            .with("Vars", self.variables_path.as_str());
        let command = late
            .render(option, &template)
            .map_err(|failure| failure.on(option))?;
        let limit = self.config.scripts.start_retry_timeout;
        let bytes = scripts::read(file).await?;
        let exit = run::start(self.cx, limit, || async {
            let variables = variables.as_bytes().to_vec();
            run::upload(self.machine, &self.variables_path, variables).await?;
            run::upload(self.machine, &path, bytes.clone()).await?;
            // Last, because what it puts there holds the password and goes when it runs.
            let command = self.elevated(&command).await?;
            run::command(self.cx, self.machine, &command).await
        })
        .await?;
        run::judge(exit, &self.config.scripts.valid_exit_codes)
    }

    /// The command that runs `command` as `elevated_user`; itself when there is none.
    async fn elevated(&self, command: &str) -> Result<String, Failure> {
        if !self.config.is_elevated() {
            return Ok(command.to_owned());
        }
        let render = |option, text: &str| {
            let rendered = self.late.render(option, text);
            rendered.map_err(|failure| failure.on(option))
        };
        let user = render("elevated_user", &self.config.elevated_user)?;
        let password = self.config.elevated_password.expose();
        let password = render("elevated_password", password)?;
        if !password.is_empty() {
            self.cx.secret(password.clone()).await;
        }
        let guest = Guest {
            cx: self.cx,
            machine: self.machine,
            os: GuestOs::Windows,
            sudo: Sudo::Avoid,
        };
        let account = Account {
            user: &user,
            password: &password,
        };
        elevated::prepare(&guest, account, command, rand::random()).await
    }

    /// Removes what was uploaded. A failure is logged: the scripts did their work.
    async fn clean(&self, places: &[String]) -> Result<(), Failure> {
        let names: Vec<String> = places
            .iter()
            .map(|path| powershell::literal(path))
            .collect();
        let script = format!(
            "foreach ($name in @({})) {{ Remove-Item -LiteralPath $name -Force -ErrorAction \
             SilentlyContinue }}",
            names.join(", ")
        );
        let command = Command::new(powershell::command(&script));
        let removed = capture(self.machine, command);
        match self.cx.until_cancelled(removed).await? {
            Ok(captured) => tracing::debug!(exit = ?captured.exit, "scripts removed"),
            Err(error) => tracing::warn!(%error, "scripts not removed"),
        }
        Ok(())
    }
}
