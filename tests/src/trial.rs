//! The host with a plugin that does what its template says (`src/bin/trial_plugin.rs`).

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::kiln::{Finished, Kiln, Running, program_folder};
use crate::terminal::Terminal;

/// Kiln in a world of its own, with the plugin `trial` besides the bundled ones.
#[derive(Debug, Default)]
pub struct Trial {
    /// The world.
    pub kiln: Kiln,
}

impl Trial {
    /// A world with a template `t.pkr.hcl`.
    pub fn new(template: &str) -> Self {
        let trial = Self::default();
        trial.kiln.write("t.pkr.hcl", template);
        trial
    }

    /// A world whose template has the source `trial.t` with these lines, and a build with those.
    pub fn with(source: &str, build: &str) -> Self {
        Self::new(&format!(
            "source \"trial\" \"t\" {{\n{source}\n}}\nbuild {{\n  sources = [\"trial.t\"]\n{build}\n}}\n"
        ))
    }

    /// The command `kiln WORDS`.
    ///
    /// # Errors
    ///
    /// When the host cannot be installed.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(installed()?.join("bin/kiln"));
        command.args(words);
        Ok(command)
    }

    /// The same on a terminal of its own, for a program that asks and takes Ctrl-C.
    ///
    /// # Errors
    ///
    /// When the host cannot be installed or there is no terminal.
    pub fn terminal(&self, words: &[&str]) -> Result<Terminal> {
        let mut command = Command::new("setsid");
        let program = installed()?.join("bin/kiln");
        command.args(["--ctty", "--wait"]).arg(program).args(words);
        Terminal::start(&self.kiln, command)
    }

    /// Starts a command.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(&self, words: &[&str]) -> Result<Running> {
        self.kiln.start_command(self.command(words)?)
    }

    /// Builds the template, without colours, and with further words before its name.
    ///
    /// # Errors
    ///
    /// When that does not end.
    pub fn build(&self, words: &[&str]) -> Result<Finished> {
        let words: Vec<&str> = ["build", "-color=false"]
            .iter()
            .chain(words)
            .chain(&["t.pkr.hcl"])
            .copied()
            .collect();
        self.start(&words)?
            .finish(std::time::Duration::from_secs(300))
    }
}

/// The folder with the host in `bin` and its plugins in `libexec/kiln`.
fn installed() -> Result<PathBuf> {
    static DONE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let done = DONE.get_or_init(|| install().map_err(|error| format!("{error:#}")));
    done.clone().map_err(anyhow::Error::msg)
}

fn install() -> Result<PathBuf> {
    let programs = program_folder();
    let folder = programs.join("trial");
    let plugins = folder.join("libexec/kiln");
    std::fs::create_dir_all(folder.join("bin"))?;
    std::fs::create_dir_all(&plugins)?;
    link(&programs.join("kiln"), &folder.join("bin/kiln"))?;
    let trial = "kiln-plugin-trial";
    link(&programs.join("trial_plugin"), &plugins.join(trial))?;
    for entry in std::fs::read_dir(&programs)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("kiln-plugin-") && path.extension().is_none() {
            link(&path, &plugins.join(name.as_ref()))?;
        }
    }
    Ok(folder)
}

/// Makes `to` the same file as `from`; others may do so at the same time.
pub(crate) fn link(from: &Path, to: &Path) -> Result<()> {
    let number = |path: &Path| std::fs::metadata(path).map(|facts| facts.ino()).ok();
    if number(from).is_some() && number(from) == number(to) {
        return Ok(());
    }
    let new = to.with_extension(std::process::id().to_string());
    std::fs::hard_link(from, &new)
        .with_context(|| format!("cannot link {} to {}", from.display(), new.display()))?;
    std::fs::rename(&new, to)?;
    // A rename to the same file leaves both names.
    if new.exists() {
        std::fs::remove_file(&new)?;
    }
    Ok(())
}
