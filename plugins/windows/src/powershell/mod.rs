//! The `powershell` provisioner: runs PowerShell scripts in the machine.
//!
//! Here are its options and their rules, and the command lines they stand for. What happens with
//! them is in `session`.

mod session;

use std::sync::Arc;
use std::time::Duration;

use kiln_sdk::staging::check;
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostic, Diagnostics, Failure, Prepared, Provisioner,
    RunContext, Secret, Template, Value,
};

use crate::scripts::ScriptOptions;

const POLICIES: [&str; 8] = [
    "allsigned",
    "bypass",
    "default",
    "remotesigned",
    "restricted",
    "undefined",
    "unrestricted",
    "none",
];

/// Runs PowerShell scripts in a Windows machine.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct PowerShellConfig {
    #[config(flatten)]
    pub(crate) scripts: ScriptOptions,
    /// How one variable is written, for printf with name and value.
    #[config(default = "$env:%s=\"%s\"; ")]
    pub(crate) env_var_format: String,
    /// The same for scripts that run as `elevated_user`.
    #[config(default = "$env:%s=\"%s\"; ")]
    pub(crate) elevated_env_var_format: String,
    /// How a script is run: a template with `{{.Path}}` and, the file with the variables,
    /// `{{.Vars}}`. The default depends on `execution_policy`, `use_pwsh` and `debug_mode`.
    pub(crate) execute_command: Option<Template>,
    /// The same for scripts that run as `elevated_user`.
    pub(crate) elevated_execute_command: Option<Template>,
    /// Execution policy for the scripts: `allsigned`, `bypass`, `default`, `remotesigned`,
    /// `restricted`, `undefined`, `unrestricted`, or `none` to leave the interpreter out of the
    /// command.
    #[config(default = "bypass")]
    pub(crate) execution_policy: String,
    /// Path of the script in the machine, default `c:/Windows/Temp/script-UUID.ps1`; one that ends
    /// with a separator is a folder.
    pub(crate) remote_path: String,
    /// Path of the file with the variables in the machine, default
    /// `c:/Windows/Temp/packer-ps-env-vars-UUID.ps1`.
    pub(crate) remote_env_var_path: String,
    /// User that scripts run as, in a scheduled task with the highest privileges; `SYSTEM` needs no
    /// password.
    #[config(late)]
    pub(crate) elevated_user: String,
    /// Password of that user.
    #[config(late, sensitive)]
    pub(crate) elevated_password: Secret<String>,
    /// Accepted for templates that have it: scripts are always uploaded as they are.
    #[expect(
        dead_code,
        reason = "both of its values mean what is done anyway, as in Packer"
    )]
    pub(crate) binary: bool,
    /// What PowerShell traces: `0` nothing, `1` lines, `2` also assignments and calls.
    pub(crate) debug_mode: u8,
    /// Whether `pwsh`, PowerShell 6 and later, runs the scripts.
    pub(crate) use_pwsh: bool,
    /// Whether scripts stay in the machine; then `pause_after` does not count.
    pub(crate) skip_clean: bool,
    /// Time to wait afterwards.
    pub(crate) pause_after: Duration,
}

impl PowerShellConfig {
    fn check(&self, diagnostics: &mut Diagnostics) {
        self.scripts.check(diagnostics);
        for (option, command) in [
            ("execute_command", &self.execute_command),
            ("elevated_execute_command", &self.elevated_execute_command),
        ] {
            let text = command.as_ref().map_or("", |command| command.0.as_str());
            check::template(option, text, diagnostics);
        }
        let policy = self.execution_policy.to_ascii_lowercase();
        if !POLICIES.contains(&policy.as_str()) {
            let detail = format!("`{}` is no execution policy.", self.execution_policy);
            let problem = Diagnostic::error("Unknown execution policy", detail);
            let hint = format!("use one of: {}", POLICIES.join(", "));
            diagnostics.push(problem.on("execution_policy").hint(hint));
        }
        if self.elevated_user.is_empty() && !self.elevated_password.is_empty() {
            let detail = "Must supply an 'elevated_user' if 'elevated_password' provided.";
            let problem = Diagnostic::error("Password without user", detail);
            diagnostics.push(problem.on("elevated_password").hint("set `elevated_user`"));
        }
        if self.debug_mode > 2 {
            let detail = format!("`{}` is no trace level.", self.debug_mode);
            let problem = Diagnostic::error("Unknown debug mode", detail);
            diagnostics.push(problem.on("debug_mode").hint("use 0, 1 or 2"));
        }
    }

    fn is_elevated(&self) -> bool {
        !self.elevated_user.is_empty()
    }

    /// The option that says how scripts are run, and its text.
    fn command(&self) -> (&'static str, String) {
        let (option, given) = if self.is_elevated() {
            ("elevated_execute_command", &self.elevated_execute_command)
        } else {
            ("execute_command", &self.execute_command)
        };
        let text = given.as_ref().map(|given| given.0.clone());
        (option, text.unwrap_or_else(|| self.default_command()))
    }

    /// # Source
    ///
    /// Packer's defaults.
    fn default_command(&self) -> String {
        let policy = self.execution_policy.to_ascii_lowercase();
        let program = if self.use_pwsh { "pwsh" } else { "powershell" };
        let start = match policy.as_str() {
            "none" => String::new(),
            policy => format!("{program} -executionpolicy {policy} "),
        };
        if !self.scripts.inline.is_empty() {
            return format!("{start}-file {{{{.Path}}}}");
        }
        let trace = self.trace().map(|line| format!("{line};"));
        let block = format!(
            "& {{ if (Test-Path variable:global:ProgressPreference)\
             {{set-variable -name variable:global:ProgressPreference -value 'SilentlyContinue'}};\
             {}. {{{{.Vars}}}}; &'{{{{.Path}}}}'; exit $LastExitCode }}",
            trace.unwrap_or_default()
        );
        match (policy.as_str(), self.use_pwsh) {
            ("none", _) => block,
            (_, true) => format!("{start}-command \"{block}\""),
            (_, false) => format!("{start}\"{block}\""),
        }
    }

    fn trace(&self) -> Option<String> {
        (self.debug_mode > 0).then(|| format!("Set-PsDebug -Trace {}", self.debug_mode))
    }

    /// The script that `lines` of `inline` become; `variables` is the path of their file.
    ///
    /// # Source
    ///
    /// Packer: an error ends the script with 1, and the last program's exit code is the script's.
    fn inline_script(&self, lines: &[String], variables: &str) -> String {
        let mut text = String::from("$global:ProgressPreference = 'SilentlyContinue'\r\n");
        if let Some(trace) = self.trace() {
            text.push_str(&trace);
            text.push_str("\r\n");
        }
        let variables = kiln_sdk::winrm::powershell::literal(variables);
        text.push_str(&format!(". {variables}\r\ntry {{\r\n"));
        for line in lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str(
            "} catch {\r\n\
             Write-Error \"An error occurred: $_\" -ErrorAction Continue\r\n\
             exit 1\r\n}\r\n\
             if ((Test-Path variable:LASTEXITCODE) -and $LASTEXITCODE -ne 0) {\r\n\
             exit $LASTEXITCODE\r\n}\r\n",
        );
        text
    }
}

/// The provisioner.
pub(crate) struct PowerShell;

impl Provisioner for PowerShell {
    type Config = PowerShellConfig;

    fn prepare(&self, config: &mut PowerShellConfig, _build: &BuildInfo) -> Prepared {
        let mut diagnostics = Diagnostics::new();
        config.check(&mut diagnostics);
        diagnostics.into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: PowerShellConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        session::run(&cx, &config, machine.as_ref(), &generated).await?;
        // Packer's order: with `skip_clean` it does not come this far.
        if !config.skip_clean && !config.pause_after.is_zero() {
            let pause = kiln_sdk::format_duration(config.pause_after);
            cx.say(format!("Pausing {pause} after this provisioner..."))
                .await;
            cx.until_cancelled(tokio::time::sleep(config.pause_after))
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::PowerShellConfig;

    fn command(set: impl FnOnce(&mut PowerShellConfig)) -> String {
        let mut config = PowerShellConfig {
            execution_policy: "Bypass".to_owned(),
            ..PowerShellConfig::default()
        };
        set(&mut config);
        config.default_command()
    }

    #[test]
    fn the_default_commands_are_packers() {
        let inline = |config: &mut PowerShellConfig| config.scripts.inline = vec!["x".to_owned()];
        assert_eq!(
            command(inline),
            "powershell -executionpolicy bypass -file {{.Path}}"
        );
        let block = "& { if (Test-Path variable:global:ProgressPreference){set-variable -name \
                     variable:global:ProgressPreference -value 'SilentlyContinue'};. {{.Vars}}; \
                     &'{{.Path}}'; exit $LastExitCode }";
        assert_eq!(
            command(|_| ()),
            format!("powershell -executionpolicy bypass \"{block}\"")
        );
        assert_eq!(
            command(|config| config.use_pwsh = true),
            format!("pwsh -executionpolicy bypass -command \"{block}\"")
        );
        assert_eq!(
            command(|config| config.execution_policy = "none".to_owned()),
            block
        );
        let both = |config: &mut PowerShellConfig| {
            inline(config);
            config.execution_policy = "none".to_owned();
        };
        assert_eq!(command(both), "-file {{.Path}}");
        let traced = command(|config| config.debug_mode = 2);
        assert!(
            traced.contains("};Set-PsDebug -Trace 2;. {{.Vars}}"),
            "{traced}"
        );
    }
}
