//! `shell-local`: runs scripts on the machine kiln runs on.

mod post_processor;
mod provisioner;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kiln_sdk::config::template_data;
use kiln_sdk::go_template::{Context, Data};
use kiln_sdk::program::Program;
use kiln_sdk::{BuildInfo, Config, Diagnostic, Diagnostics, Failure, RunContext, Template, Value};

pub use self::post_processor::ShellLocalPost;
pub use self::provisioner::ShellLocal;
use crate::environment;
use crate::scripts::{self, Given};

/// How a script is run when the template does not say.
const DEFAULT_COMMAND: [&str; 3] = ["/bin/sh", "-c", "{{.Vars}} {{.Script}}"];
/// How a variable is written when the template does not say.
const DEFAULT_FORMAT: &str = "%s='%s' ";
/// The operating systems `only_on` knows.
const SYSTEMS: [&str; 6] = [
    "darwin", "freebsd", "linux", "openbsd", "solaris", "windows",
];

/// Runs shell scripts on the machine kiln runs on.
#[derive(Debug, Clone, Config)]
pub struct LocalConfig {
    /// One command.
    #[config(late)]
    pub command: String,
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
    /// How one variable is written, for printf with name and value.
    #[config(default = "%s='%s' ")]
    pub env_var_format: String,
    /// How a script is run: program and arguments, templates with `{{.Vars}}`, `{{.Script}}` and
    /// `{{.Command}}`. A single item is run by `sh -c`.
    #[config(late, default = ["/bin/sh", "-c", "{{.Vars}} {{.Script}}"])]
    pub execute_command: Vec<String>,
    /// The interpreter of `inline` and `command`, default `/bin/sh -e`.
    pub inline_shebang: Option<String>,
    /// Run only on these operating systems: darwin, freebsd, linux, openbsd, solaris, windows.
    pub only_on: Vec<String>,
    /// Suffix of the file that holds `inline`.
    pub tempfile_extension: String,
    /// Whether Windows paths are written as WSL sees them; nothing changes elsewhere.
    pub use_linux_pathing: bool,
    /// Exit codes that are success.
    #[config(default = [0])]
    pub valid_exit_codes: Vec<i64>,
}

impl LocalConfig {
    fn given(&self) -> Given<'_> {
        Given {
            command: Some(&self.command),
            inline: &self.inline,
            script: &self.script,
            scripts: &self.scripts,
        }
    }

    fn check(&self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        self.given().check(&mut diagnostics);
        environment::check(&self.environment_vars, &mut diagnostics);
        let late = [
            ("command", vec![&self.command]),
            ("inline", self.inline.iter().collect()),
        ];
        for (option, texts) in late {
            scripts::check_templates(
                option,
                texts.into_iter().map(String::as_str),
                &mut diagnostics,
            );
        }
        let command = self.execute_command.iter().map(String::as_str);
        scripts::check_templates("execute_command", command, &mut diagnostics);
        for system in &self.only_on {
            if !SYSTEMS.contains(&system.as_str()) {
                diagnostics.push(
                    Diagnostic::error(
                        "Unknown operating system",
                        format!("`{system}` is none of {}.", SYSTEMS.join(", ")),
                    )
                    .on("only_on"),
                );
            }
        }
        if self.use_linux_pathing && !(self.inline.is_empty() && self.command.is_empty()) {
            diagnostics.push(
                Diagnostic::error(
                    "inline cannot be combined with use_linux_pathing",
                    "The file that holds inline commands is not where Linux paths lead.",
                )
                .on("use_linux_pathing")
                .hint("Put the commands into a script."),
            );
        }
        diagnostics
    }

    /// Whether it runs on this operating system.
    fn runs_here(&self) -> bool {
        let here = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        self.only_on.is_empty() || self.only_on.iter().any(|system| system == here)
    }
}

/// What late templates are rendered with.
struct Late {
    data: Data,
    context: Context,
}

/// Runs every script; the first that fails ends it.
async fn run(cx: &RunContext, config: &LocalConfig, generated: Value) -> Result<(), Failure> {
    if !config.runs_here() {
        cx.say("Skipping shell-local due to runtime OS").await;
        return Ok(());
    }
    let values = environment::collect(
        &config.environment_vars,
        &config.env,
        cx.build(),
        &generated,
    );
    // Arguments of a process can be read by every user of this machine, its environment cannot.
    let in_environment = config.execute_command == DEFAULT_COMMAND
        && config.env_var_format == DEFAULT_FORMAT
        && values.keys().all(|name| environment::is_name(name));
    let (variables, environment) = if in_environment {
        (String::new(), values)
    } else {
        (
            environment::text(&values, &config.env_var_format)?,
            BTreeMap::new(),
        )
    };
    let late = Late {
        data: template_data(&generated),
        context: cx.build().template_context_with(&generated),
    };
    let inline = inline_script(cx.build(), config, &late)?;
    let mut files = config.given().files();
    files.extend(inline.as_ref().map(|file| file.to_path_buf()));
    for file in &files {
        cx.say(format!("Running local shell script: {}", file.display()))
            .await;
        let arguments = arguments(config, &late, &variables, file)?;
        let code = run_script(cx, &arguments, &environment).await?;
        if !config.valid_exit_codes.contains(&code) {
            let codes: Vec<String> = config
                .valid_exit_codes
                .iter()
                .map(ToString::to_string)
                .collect();
            return Err(Failure::new(format!(
                "Script exited with non-zero exit status: {code}. Allowed exit codes are: [{}]",
                codes.join(" ")
            )));
        }
    }
    Ok(())
}

/// Runs a script to its end and that of its jobs, shows what they print, and returns its exit code.
async fn run_script(
    cx: &RunContext,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<i64, Failure> {
    let blame = |failure: Failure| failure.on("execute_command");
    let (name, rest) = arguments.split_first().ok_or_else(|| {
        let text = "`execute_command` is empty: there is no program to run";
        blame(Failure::new(text))
    })?;
    let mut program = Program::new(name.as_str())
        .args(rest.iter().cloned())
        .with_background();
    for (name, value) in environment {
        program = program.env(name.as_str(), value.as_str());
    }
    Ok(program.show(cx).await.map_err(blame)?.code)
}

/// `inline` or `command` as an executable file that is removed when dropped. It is closed before it
/// is run, because a file open for writing cannot be executed.
fn inline_script(
    build: &BuildInfo,
    config: &LocalConfig,
    late: &Late,
) -> Result<Option<tempfile::TempPath>, Failure> {
    let commands = if config.command.is_empty() {
        config.inline.clone()
    } else {
        vec![config.command.clone()]
    };
    if commands.is_empty() {
        return Ok(None);
    }
    let extension = match config.tempfile_extension.as_str() {
        "" => String::new(),
        text if text.starts_with('.') => text.to_owned(),
        text => format!(".{text}"),
    };
    let file = scripts::write_inline(
        &build.run_dir,
        &commands,
        config.inline_shebang.as_deref().unwrap_or("/bin/sh -e"),
        config.inline_shebang.is_none(),
        &extension,
        &late.data,
        &late.context,
    )?;
    Ok(Some(file.into_temp_path()))
}

/// Program and arguments for one script.
fn arguments(
    config: &LocalConfig,
    late: &Late,
    variables: &str,
    script: &Path,
) -> Result<Vec<String>, Failure> {
    let script: PathBuf = std::path::absolute(script).map_err(|error| {
        Failure::new(format!(
            "cannot resolve script `{}`: {error}",
            script.display()
        ))
    })?;
    let script = script.display().to_string();
    let mut entries = match &late.data {
        Data::Map(entries) => entries.clone(),
        _ => BTreeMap::new(),
    };
    entries.insert("Vars".to_owned(), variables.into());
    entries.insert("Script".to_owned(), script.as_str().into());
    entries.insert("Command".to_owned(), script.as_str().into());
    let data = Data::Map(entries);
    let mut arguments = Vec::new();
    if config.execute_command.len() == 1 {
        arguments.extend(["sh".to_owned(), "-c".to_owned()]);
    }
    for text in &config.execute_command {
        arguments.push(
            Template(text.clone())
                .render(&data, &late.context)
                .map_err(|error| {
                    Failure::new(format!("cannot render `execute_command`: {error}"))
                        .on("execute_command")
                })?,
        );
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use kiln_sdk::{Event, HostLink};
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[test]
    fn an_empty_option_is_one_that_is_not_set() {
        let mut options: Value = [
            ("command", "true"),
            ("env_var_format", ""),
            ("inline_shebang", ""),
        ]
        .into_iter()
        .collect();
        options.insert("execute_command", Vec::<Value>::new());
        options.insert("valid_exit_codes", Vec::<Value>::new());
        let (config, _) = kiln_sdk::config::decode::<LocalConfig>(&options).unwrap();
        assert_eq!(config.execute_command, DEFAULT_COMMAND);
        assert_eq!(config.env_var_format, DEFAULT_FORMAT);
        assert_eq!(config.valid_exit_codes, [0]);
        assert_eq!(config.inline_shebang, None);
    }

    // With the clock stopped, every wait that has a limit is over at once.
    #[tokio::test(start_paused = true)]
    async fn a_script_is_over_when_its_jobs_are() {
        let (link, mut events) = HostLink::new();
        let listening = tokio::spawn(async move {
            let mut said = Vec::new();
            while let Some(event) = events.recv().await {
                match event {
                    Event::Created(_, _, recorded) => recorded.send(()).unwrap(),
                    Event::Ui(_, text) => said.push(text),
                    _ => {}
                }
            }
            said
        });
        let cx = RunContext::new(link, CancellationToken::new(), BuildInfo::default());
        let words = ["/bin/sh", "-c", "(sleep 0.2; echo late) & echo done"].map(str::to_owned);
        let code = run_script(&cx, &words, &BTreeMap::new()).await;
        assert_eq!(code.unwrap(), 0);
        drop(cx);
        assert_eq!(listening.await.unwrap(), ["done", "late"]);
    }
}
