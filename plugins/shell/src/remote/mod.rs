//! The `shell` provisioner: runs scripts in the machine.

mod retry;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kiln_sdk::communicator::{Command, Exit, FileTarget};
use kiln_sdk::config::template_data;
use kiln_sdk::go_template::{Context, Data};
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostics, Failure, Prepared, Provisioner, RunContext,
    Template, Value, run_remote,
};

use self::retry::{Patience, Trouble, retry};
use crate::environment;
use crate::scripts::{self, Given};

/// What Packer reports as exit status when the connection ended before the script did.
const DISCONNECTED: i64 = 2_300_218;

/// Runs shell scripts in the machine.
#[derive(Debug, Clone, Config)]
pub struct ShellConfig {
    /// Commands, run as one script in order.
    #[config(late)]
    pub inline: Vec<String>,
    /// Path of one script.
    pub script: String,
    /// Paths of scripts, run in order.
    pub scripts: Vec<String>,
    /// Environment of the scripts, as `NAME=value`.
    pub environment_vars: Vec<String>,
    /// Environment of the scripts; wins over `environment_vars`.
    pub env: BTreeMap<String, String>,
    /// How one variable is written, for printf with name and value. Default `%s='%s' `, or
    /// `export %s='%s'\n` with `use_env_var_file`.
    pub env_var_format: Option<String>,
    /// How a script is run: a template with `{{.Path}}`, `{{.Vars}}` and `{{.EnvVarFile}}`. Default
    /// `chmod +x {{.Path}}; {{.Vars}} {{.Path}}`, or
    /// `chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}` with `use_env_var_file`.
    pub execute_command: Option<Template>,
    /// Whether the variables go into a file that the script's shell reads.
    pub use_env_var_file: bool,
    /// The interpreter of `inline`, default `/bin/sh -e`; not used when the first command is a
    /// `#!` line of its own and this is not set.
    pub inline_shebang: Option<String>,
    /// Folder in the machine for scripts.
    #[config(default = "/tmp")]
    pub remote_folder: String,
    /// Name of the script in the machine; default `script_NNNN.sh` with a random number.
    pub remote_file: String,
    /// Path of the script in the machine; default `remote_folder` and `remote_file`.
    pub remote_path: String,
    /// Whether scripts stay in the machine.
    pub skip_clean: bool,
    /// How long to try to start a script, for machines that are rebooting.
    #[config(default = "5m")]
    pub start_retry_timeout: Duration,
    /// Whether a script may end the connection, for example by rebooting.
    pub expect_disconnect: bool,
    /// Exit codes that are success; a script that a signal ended has 128 and the signal's number.
    #[config(default = [0])]
    pub valid_exit_codes: Vec<i64>,
    /// Time to wait afterwards.
    pub pause_after: Duration,
    /// Whether scripts are uploaded as they are, without making line ends Unix ones.
    pub binary: bool,
}

/// The provisioner.
pub struct Shell;

impl Provisioner for Shell {
    type Config = ShellConfig;

    fn prepare(&self, config: &mut ShellConfig, _build: &BuildInfo) -> Prepared {
        let mut diagnostics = Diagnostics::new();
        config.given().check(&mut diagnostics);
        environment::check(&config.environment_vars, &mut diagnostics);
        let command = config
            .execute_command
            .as_ref()
            .map(|command| command.0.as_str());
        scripts::check_templates("execute_command", command, &mut diagnostics);
        let lines = config.inline.iter().map(String::as_str);
        scripts::check_templates("inline", lines, &mut diagnostics);
        diagnostics.into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: ShellConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        let run = RemoteRun::new(&cx, &config, machine.as_ref(), generated)?;
        let result = cx.until_cancelled(run.all()).await.unwrap_or_else(Err);
        result?;
        if !config.pause_after.is_zero() {
            let pause = kiln_sdk::format_duration(config.pause_after);
            cx.say(format!("Pausing {pause} after this provisioner..."))
                .await;
            cx.until_cancelled(tokio::time::sleep(config.pause_after))
                .await?;
        }
        Ok(())
    }
}

impl ShellConfig {
    fn given(&self) -> Given<'_> {
        Given {
            command: None,
            inline: &self.inline,
            script: &self.script,
            scripts: &self.scripts,
        }
    }

    fn remote_path(&self) -> String {
        if !self.remote_path.is_empty() {
            return self.remote_path.clone();
        }
        let file = if self.remote_file.is_empty() {
            format!("script_{}.sh", rand::random_range(0..9999))
        } else {
            self.remote_file.clone()
        };
        format!("{}/{file}", self.remote_folder)
    }

    fn execute_command(&self) -> Template {
        let default = if self.use_env_var_file {
            "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}"
        } else {
            "chmod +x {{.Path}}; {{.Vars}} {{.Path}}"
        };
        self.execute_command
            .clone()
            .unwrap_or_else(|| Template(default.to_owned()))
    }
}

/// One run of the provisioner: what all its scripts share.
struct RemoteRun<'a> {
    cx: &'a RunContext,
    config: &'a ShellConfig,
    machine: &'a dyn Communicator,
    data: Data,
    context: Context,
    variables: String,
    remote_path: String,
    variables_file: Option<String>,
}

impl<'a> RemoteRun<'a> {
    fn new(
        cx: &'a RunContext,
        config: &'a ShellConfig,
        machine: &'a dyn Communicator,
        generated: Value,
    ) -> Result<Self, Failure> {
        let variables = environment::collect(
            &config.environment_vars,
            &config.env,
            cx.build(),
            &generated,
        );
        let format = config.env_var_format.clone().unwrap_or_else(|| {
            if config.use_env_var_file {
                "export %s='%s'\n"
            } else {
                "%s='%s' "
            }
            .to_owned()
        });
        let variables_file = config.use_env_var_file.then(|| {
            format!(
                "{}/varfile_{}.sh",
                config.remote_folder,
                rand::random_range(0..9999)
            )
        });
        Ok(Self {
            cx,
            config,
            machine,
            data: template_data(&generated),
            context: cx.build().template_context_with(&generated),
            variables: environment::text(&variables, &format)?,
            remote_path: config.remote_path(),
            variables_file,
        })
    }

    async fn all(&self) -> Result<(), Failure> {
        let folder = &self.cx.build().run_dir;
        let mut files = self.config.given().files();
        let inline = if self.config.inline.is_empty() {
            None
        } else {
            Some(scripts::write_inline(
                folder,
                &self.config.inline,
                self.config
                    .inline_shebang
                    .as_deref()
                    .unwrap_or("/bin/sh -e"),
                self.config.inline_shebang.is_none(),
                "",
                &self.data,
                &self.context,
            )?)
        };
        files.extend(inline.as_ref().map(|file| file.path().to_owned()));
        if let Some(path) = &self.variables_file {
            let upload = |patience: Patience<'a>| async move {
                let upload = self.upload_text(path, &self.variables, 0o600);
                patience.bound(self.variables.len() as u64, upload).await
            };
            self.retry("upload of the variables", upload).await?;
        }
        for file in &files {
            self.cx
                .say(format!(
                    "Provisioning with shell script: {}",
                    file.display()
                ))
                .await;
            self.script(file).await?;
        }
        if let Some(path) = &self.variables_file
            && !self.config.skip_clean
        {
            self.remove(path).await?;
        }
        Ok(())
    }

    /// Uploads, runs and removes one script.
    async fn script(&self, path: &Path) -> Result<(), Failure> {
        let command = self.command()?;
        let unix = if self.config.binary {
            None
        } else {
            let copy = scripts::with_unix_lines(path, &self.cx.build().run_dir);
            Some(copy.map_err(|failure| self.config.given().blame(failure, path))?)
        };
        let local = unix.as_ref().map_or(path, |file| file.path());
        let bytes = local.metadata().map_or(0, |facts| facts.len());
        let command = command.as_str();
        let start = |patience: Patience<'a>| async move {
            patience.bound(bytes, self.place(local)).await?;
            // However long it runs: the machine was there a moment ago.
            Ok(run_remote(self.cx, self.machine, Command::new(command)).await?)
        };
        let exit = self.retry("start of the script", start).await?;
        self.judge(exit)?;
        if self.config.skip_clean {
            Ok(())
        } else {
            self.remove(&self.remote_path).await
        }
    }

    /// Makes the script `local` one of the machine's programs.
    async fn place(&self, local: &Path) -> Result<(), Trouble> {
        self.upload_file(&self.remote_path, local).await?;
        let chmod = format!("chmod 0755 {}", self.remote_path);
        match run_remote(self.cx, self.machine, Command::new(&chmod)).await? {
            Exit::Code(0) => {}
            Exit::Disconnected(seen) => return Err(Trouble::Passing(Failure::new(seen))),
            // Packer goes on, too: the script's own command may not need it, or do it as root.
            exit => tracing::warn!(command = chmod, ?exit, "the script is not made executable"),
        }
        Ok(())
    }

    /// See [`retry()`].
    async fn retry<T, W>(
        &self,
        what: &str,
        work: impl FnMut(Patience<'a>) -> W,
    ) -> Result<T, Failure>
    where
        W: Future<Output = Result<T, Trouble>>,
    {
        retry(self.machine, self.config.start_retry_timeout, what, work).await
    }

    fn command(&self) -> Result<String, Failure> {
        let mut data = self.data.clone();
        if !matches!(data, Data::Map(_)) {
            data = Data::Map(BTreeMap::new());
        }
        if let Data::Map(entries) = &mut data {
            let file = self.variables_file.as_deref().unwrap_or_default();
            entries.insert("Vars".to_owned(), self.variables.as_str().into());
            entries.insert("EnvVarFile".to_owned(), file.into());
            entries.insert("Path".to_owned(), self.remote_path.as_str().into());
        }
        self.config
            .execute_command()
            .render(&data, &self.context)
            .map_err(|error| {
                Failure::new(format!("cannot render `execute_command`: {error}"))
                    .on("execute_command")
            })
    }

    /// Decides whether the way a script ended is success.
    fn judge(&self, exit: Exit) -> Result<(), Failure> {
        let allowed = &self.config.valid_exit_codes;
        if exit
            .status()
            .is_some_and(|status| allowed.contains(&i64::from(status)))
        {
            return Ok(());
        }
        match exit {
            Exit::Code(code) => Err(Failure::new(format!(
                "Script exited with non-zero exit status: {code}. Allowed exit codes are: {}",
                bracketed(allowed)
            ))),
            Exit::Signal(signal) => Err(Failure::new(format!(
                "Script was ended by signal {signal}. Allowed exit codes are: {}",
                bracketed(allowed)
            ))),
            Exit::Disconnected(_)
                if self.config.expect_disconnect || allowed.contains(&DISCONNECTED) =>
            {
                Ok(())
            }
            Exit::Disconnected(seen) => Err(Failure::new(format!(
                "Script disconnected unexpectedly. If you expected your script to disconnect, for \
                 example because it reboots the machine, set `expect_disconnect = true`. What was \
                 seen: {seen}"
            ))
            .on("expect_disconnect")),
        }
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        let command = format!("rm -f {path}");
        let command = command.as_str();
        let once = || async move {
            match run_remote(self.cx, self.machine, Command::new(command)).await? {
                Exit::Code(0) => Ok(()),
                Exit::Disconnected(seen) => Err(Trouble::Passing(Failure::new(seen))),
                exit => {
                    let text = format!("`{command}` failed: {exit:?}");
                    Err(Trouble::Passing(Failure::new(text)))
                }
            }
        };
        let work = |patience: Patience<'a>| patience.bound(0, once());
        let removed = self.retry("removal of the script", work).await;
        removed.map_err(|mut failure| {
            failure.message = format!("cannot remove `{path}` from the machine: {failure}");
            failure
        })
    }

    async fn upload_file(&self, path: &str, local: &Path) -> Result<(), Trouble> {
        let failed = |error: std::io::Error| {
            let text = format!("cannot read script `{}`: {error}", local.display());
            Trouble::Lasting(Failure::new(text))
        };
        let file = tokio::fs::File::open(local).await.map_err(failed)?;
        let size = file.metadata().await.map_err(failed)?.len();
        let target = FileTarget {
            path: path.to_owned(),
            mode: 0o755,
            size: Some(size),
        };
        let uploaded = self.machine.upload(target, Box::new(file)).await;
        Ok(uploaded.map(drop)?)
    }

    async fn upload_text(&self, path: &str, text: &str, mode: u32) -> Result<(), Trouble> {
        let size = Some(text.len() as u64);
        let target = FileTarget {
            path: path.to_owned(),
            mode,
            size,
        };
        let reader = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
        let uploaded = self.machine.upload(target, reader).await;
        Ok(uploaded.map(drop)?)
    }
}

fn bracketed(codes: &[i64]) -> String {
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    format!("[{}]", codes.join(" "))
}

#[cfg(test)]
mod tests;
