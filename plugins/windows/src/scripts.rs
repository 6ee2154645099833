//! Which scripts to run: `inline`, `script` or `scripts`, as files on this machine.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiln_sdk::config::{PLACEHOLDER, Path as OptionPath, PathStep};
use kiln_sdk::staging::Late;
use kiln_sdk::{Config, Diagnostic, Diagnostics, Failure};

/// The options both kinds of scripts have.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct ScriptOptions {
    /// Commands, run as one script in order.
    #[config(late)]
    pub(crate) inline: Vec<String>,
    /// Path of one script.
    pub(crate) script: String,
    /// Paths of scripts, run in order.
    pub(crate) scripts: Vec<String>,
    /// Environment of the scripts, as `NAME=value`.
    #[config(late)]
    pub(crate) environment_vars: Vec<String>,
    /// Environment of the scripts; wins over `environment_vars`.
    #[config(late)]
    pub(crate) env: BTreeMap<String, String>,
    /// How long to try to start a script, for machines that are restarting.
    #[config(default = "5m")]
    pub(crate) start_retry_timeout: Duration,
    /// Exit codes that are success.
    #[config(default = [0])]
    pub(crate) valid_exit_codes: Vec<i64>,
}

impl ScriptOptions {
    /// Checks that exactly one kind of script is given, that every file is there, and the form of
    /// `environment_vars`.
    pub(crate) fn check(&self, diagnostics: &mut Diagnostics) {
        let kinds = [
            ("inline", !self.inline.is_empty()),
            ("script", !self.script.is_empty()),
            ("scripts", !self.scripts.is_empty()),
        ];
        let set: Vec<&str> = kinds
            .into_iter()
            .filter_map(|(name, set)| set.then_some(name))
            .collect();
        match set.as_slice() {
            [_] => {}
            [] => diagnostics.push(
                Diagnostic::error(
                    "Nothing to run",
                    "One of these options must be set: inline, script, scripts.",
                )
                .hint("Add `inline = [\"…\"]` with commands, or `script = \"path\"`."),
            ),
            [_, second, ..] => diagnostics.push(
                Diagnostic::error(
                    "Too many kinds of scripts",
                    format!(
                        "Only one of inline, script, scripts can be set. Here these are: {}.",
                        set.join(", ")
                    ),
                )
                .on(second)
                .hint("Put the parts into blocks of their own; they run in order."),
            ),
        }
        for (place, path) in self.named() {
            if let Err(error) = readable(Path::new(path)) {
                let summary = format!("Bad script '{path}': {error}");
                let detail = "The file must exist and be readable when the template is checked.";
                let problem = Diagnostic::error(summary, detail).at(place);
                let hint = "Relative paths start at the folder kiln runs in, not at the template.";
                diagnostics.push(problem.hint(hint));
            }
        }
        self.check_variables(diagnostics);
        for line in &self.inline {
            kiln_sdk::staging::check::template("inline", line, diagnostics);
        }
    }

    fn check_variables(&self, diagnostics: &mut Diagnostics) {
        for (index, entry) in self.environment_vars.iter().enumerate() {
            let name = entry.split('=').next().unwrap_or_default();
            let fits = entry.contains('=') && !name.is_empty();
            if !fits && !entry.contains(PLACEHOLDER) {
                let summary = format!("Environment variable not in format 'key=value': {name}");
                let detail = "Each entry of `environment_vars` is a name, an equals sign and a \
                              value.";
                let place = OptionPath::attribute("environment_vars").then(PathStep::Index(index));
                let problem = Diagnostic::error(summary, detail).at(place);
                diagnostics
                    .push(problem.hint("Write `NAME=value`, or use `env = { NAME = \"value\" }`."));
            }
        }
    }

    /// The scripts that are files already, each with the place that names it.
    fn named(&self) -> impl Iterator<Item = (OptionPath, &str)> {
        let one = (OptionPath::attribute("script"), self.script.as_str());
        let one = std::iter::once(one).filter(|(_, path)| !path.is_empty());
        let several = self.scripts.iter().enumerate().map(|(index, path)| {
            let place = OptionPath::attribute("scripts").then(PathStep::Index(index));
            (place, path.as_str())
        });
        one.chain(several)
    }

    /// The scripts that are files already.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.named().map(|(_, path)| PathBuf::from(path)).collect()
    }

    /// `environment_vars` and `env`, rendered.
    ///
    /// # Errors
    ///
    /// When one is no template or a call in it fails.
    pub(crate) fn variables(
        &self,
        late: &Late,
    ) -> Result<(Vec<String>, BTreeMap<String, String>), Failure> {
        let list = late.render_all("environment_vars", &self.environment_vars)?;
        let map = self.env.iter().map(|(name, value)| {
            let value = late.render("env", value)?;
            Ok((name.clone(), value))
        });
        Ok((list, map.collect::<Result<_, Failure>>()?))
    }

    /// The lines of `inline`, rendered.
    ///
    /// # Errors
    ///
    /// When one is no template or a call in it fails.
    pub(crate) fn inline_lines(&self, late: &Late) -> Result<Vec<String>, Failure> {
        late.render_all("inline", &self.inline)
            .map_err(|failure| failure.on("inline"))
    }
}

fn readable(path: &Path) -> std::io::Result<()> {
    if std::fs::metadata(path)?.is_dir() {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
    }
    std::fs::File::open(path).map(drop)
}

/// Writes `text` as a script into `folder`, which is private to the run.
///
/// # Errors
///
/// When that fails.
pub(crate) fn write(
    folder: &Path,
    extension: &str,
    text: &str,
) -> Result<tempfile::NamedTempFile, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "cannot write a script into `{}`: {error}",
            folder.display()
        ))
    };
    let mut file = tempfile::Builder::new()
        .prefix("packer-windows-")
        .suffix(extension)
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.flush())
        .map_err(failed)?;
    Ok(file)
}

/// Reads a script.
///
/// # Errors
///
/// When that fails; the file was there when the template was checked.
pub(crate) async fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    tokio::fs::read(path)
        .await
        .map_err(|error| Failure::new(format!("cannot read script `{}`: {error}", path.display())))
}
