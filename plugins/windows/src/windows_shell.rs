//! The `windows-shell` provisioner: runs batch files in the machine.

use std::path::Path;
use std::sync::Arc;

use kiln_sdk::staging::{Late, check};
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostics, Failure, Prepared, Provisioner, RunContext,
    Template, Value,
};

use crate::environment::{self, Escape};
use crate::run;
use crate::scripts::{self, ScriptOptions};

/// Runs batch files in a Windows machine.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct WindowsShellConfig {
    #[config(flatten)]
    pub(crate) scripts: ScriptOptions,
    /// How one variable is written, for printf with name and value.
    #[config(default = "set \"%s=%s\" && ")]
    pub(crate) env_var_format: String,
    /// How a script is run: a template with `{{.Vars}}` and `{{.Path}}`.
    #[config(default = "{{.Vars}}\"{{.Path}}\"")]
    pub(crate) execute_command: Template,
    /// Path of the script in the machine, where it stays; one that ends with a separator is a
    /// folder.
    #[config(default = "c:/Windows/Temp/script.bat")]
    pub(crate) remote_path: String,
    /// Accepted for templates that have it: scripts are always uploaded as they are.
    #[expect(
        dead_code,
        reason = "both of its values mean what is done anyway, as in Packer"
    )]
    pub(crate) binary: bool,
}

/// The provisioner.
pub(crate) struct WindowsShell;

impl Provisioner for WindowsShell {
    type Config = WindowsShellConfig;

    fn prepare(&self, config: &mut WindowsShellConfig, _build: &BuildInfo) -> Prepared {
        let mut diagnostics = Diagnostics::new();
        config.scripts.check(&mut diagnostics);
        check::template(
            "execute_command",
            &config.execute_command.0,
            &mut diagnostics,
        );
        diagnostics.into()
    }

    /// # Source
    ///
    /// Packer's texts and commands. As there, nobody touches the line ends of a script, whatever
    /// `binary` says, and `inline` has those of Unix.
    async fn provision(
        &self,
        cx: RunContext,
        config: WindowsShellConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        let options = &config.scripts;
        let late = Late::new(&cx, &generated);
        let (list, env) = options.variables(&late)?;
        let variables = environment::text(
            &list,
            &env,
            (cx.build(), &generated),
            &config.env_var_format,
            Escape::None,
        )
        .map_err(|failure| failure.on("env_var_format"))?;
        cx.say("Provisioning with windows-shell...").await;
        let mut files = options.files();
        let inline = match options.inline_lines(&late)? {
            lines if lines.is_empty() => None,
            lines => {
                let text = format!("{}\n", lines.join("\n"));
                Some(scripts::write(&cx.build().run_dir, ".bat", &text)?)
            }
        };
        files.extend(inline.as_ref().map(|file| file.path().to_owned()));
        for file in &files {
            let shown = file.display();
            cx.say(format!("Provisioning with shell script: {shown}"))
                .await;
            script(&cx, &config, machine.as_ref(), (&late, &variables), file).await?;
        }
        Ok(())
    }
}

async fn script(
    cx: &RunContext,
    config: &WindowsShellConfig,
    machine: &dyn Communicator,
    (late, variables): (&Late, &str),
    file: &Path,
) -> Result<(), Failure> {
    let bytes = scripts::read(file).await?;
    let path = run::place(&config.remote_path, file);
    let late = late
        .clone()
        .with("Vars", variables)
        .with("Path", path.as_str());
    let command = late
        .render("execute_command", &config.execute_command.0)
        .map_err(|failure| failure.on("execute_command"))?;
    let limit = config.scripts.start_retry_timeout;
    let exit = run::start(cx, limit, || async {
        run::upload(machine, &path, bytes.clone()).await?;
        run::command(cx, machine, &command).await
    })
    .await?;
    run::judge(exit, &config.scripts.valid_exit_codes)
}
