//! Which scripts to run: `inline`, `script` or `scripts`, as files on this machine.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use kiln_sdk::config::{Path as OptionPath, PathStep};
use kiln_sdk::go_template::{self, Context, Data};
use kiln_sdk::{Diagnostic, Diagnostics, Failure};

/// The options that name scripts, each with whether it is set.
pub struct Given<'a> {
    /// `command` (shell-local only).
    pub command: Option<&'a str>,
    /// `inline`.
    pub inline: &'a [String],
    /// `script`.
    pub script: &'a str,
    /// `scripts`.
    pub scripts: &'a [String],
}

impl Given<'_> {
    /// Checks that exactly one kind is given and that every file is there.
    pub fn check(&self, diagnostics: &mut Diagnostics) {
        let kinds = [
            (
                "command",
                self.command.is_some_and(|command| !command.is_empty()),
            ),
            ("inline", !self.inline.is_empty()),
            ("script", !self.script.is_empty()),
            ("scripts", !self.scripts.is_empty()),
        ];
        let set: Vec<&str> = kinds
            .iter()
            .filter(|kind| kind.1)
            .map(|kind| kind.0)
            .collect();
        let names = if self.command.is_some() {
            "command, inline, script, scripts"
        } else {
            "inline, script, scripts"
        };
        match set.as_slice() {
            [] => diagnostics.push(
                Diagnostic::error(
                    "Nothing to run",
                    format!("One of these options must be set: {names}."),
                )
                .hint("Add `inline = [\"…\"]` with commands, or `script = \"path\"`."),
            ),
            [_] => {}
            [_, second, ..] => diagnostics.push(
                Diagnostic::error(
                    "Too many kinds of scripts",
                    format!(
                        "You may only specify one of the following options: {names}. Here these \
                         are set: {}.",
                        set.join(", ")
                    ),
                )
                .on(second)
                .hint("Put the parts into blocks of their own; they run in order."),
            ),
        }
        for (place, path) in self.named() {
            if let Err(error) = readable(Path::new(path)) {
                diagnostics.push(
                    Diagnostic::error(
                        format!("Bad script '{path}': {error}"),
                        "The file must exist and be readable when the template is checked.",
                    )
                    .at(place)
                    .hint("Relative paths start at the folder kiln runs in, not at the template."),
                );
            }
        }
    }

    /// The scripts that are files already.
    pub fn files(&self) -> Vec<PathBuf> {
        self.named().map(|(_, path)| PathBuf::from(path)).collect()
    }

    /// The scripts that are files already, each with the place that names it.
    fn named(&self) -> impl Iterator<Item = (OptionPath, &str)> {
        let one = (OptionPath::attribute("script"), self.script);
        let one = std::iter::once(one).filter(|(_, path)| !path.is_empty());
        let several = self.scripts.iter().enumerate().map(|(index, path)| {
            let place = OptionPath::attribute("scripts").then(PathStep::Index(index));
            (place, path.as_str())
        });
        one.chain(several)
    }

    /// The failure, because of the script at `path`; a file of inline commands is no option.
    pub fn blame(&self, failure: Failure, path: &Path) -> Failure {
        match self.named().find(|(_, named)| Path::new(named) == path) {
            Some((place, _)) => failure.at(place),
            None => failure,
        }
    }
}

fn readable(path: &Path) -> std::io::Result<()> {
    if std::fs::metadata(path)?.is_dir() {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
    }
    std::fs::File::open(path).map(drop)
}

/// Checks the syntax of the template calls in the texts of an option.
pub fn check_templates<'a>(
    option: &str,
    texts: impl IntoIterator<Item = &'a str>,
    diagnostics: &mut Diagnostics,
) {
    for (number, text) in texts.into_iter().enumerate() {
        if let Err(error) = go_template::check(text) {
            let summary = format!("Invalid template in {option}");
            let detail = format!("Text {} of `{option}`: {error}.", number + 1);
            diagnostics.push(
                Diagnostic::error(summary, detail)
                    .on(option)
                    .hint("Write braces that are meant literally as {{ \"{{\" }}."),
            );
        }
    }
}

/// Writes inline commands, each rendered with `data`, as one script into `folder`; the shebang comes
/// first unless the commands bring one and `keep_shebang` says that theirs may stay.
///
/// # Errors
///
/// When a command cannot be rendered or the file not be written.
pub fn write_inline(
    folder: &Path,
    commands: &[String],
    shebang: &str,
    own_shebang_wins: bool,
    extension: &str,
    data: &Data,
    context: &Context,
) -> Result<tempfile::NamedTempFile, Failure> {
    let mut text = String::new();
    for (number, command) in commands.iter().enumerate() {
        let line = go_template::render(command, data, context).map_err(|error| {
            let place = OptionPath::attribute("inline").then(PathStep::Index(number));
            Failure::new(format!(
                "cannot render line {} of `inline`: {error}",
                number + 1
            ))
            .at(place)
        })?;
        text.push_str(&line);
        text.push('\n');
    }
    let has_its_own = own_shebang_wins && text.starts_with("#!");
    if !has_its_own && !shebang.is_empty() {
        text.insert_str(0, &format!("#!{shebang}\n"));
    }
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "cannot write a script into `{}`: {error}",
            folder.display()
        ))
    };
    let mut file = tempfile::Builder::new()
        .prefix("packer-shell")
        .suffix(extension)
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.flush())
        .map_err(failed)?;
    Ok(file)
}

/// A copy of the script at `path` with Unix line ends and a final line end.
///
/// # Errors
///
/// When the script cannot be read or the copy not be written.
pub fn with_unix_lines(path: &Path, folder: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "cannot prepare script `{}`: {error}",
            path.display()
        ))
    };
    let mut reader = BufReader::new(std::fs::File::open(path).map_err(failed)?);
    let file = tempfile::Builder::new()
        .prefix("script-")
        .tempfile_in(folder)
        .map_err(failed)?;
    let mut writer = BufWriter::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - 2);
            line.push(b'\n');
        } else if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        writer.write_all(&line).map_err(failed)?;
    }
    writer
        .into_inner()
        .map_err(|error| failed(error.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_given(inline: &[String], script: &str, scripts: &[String]) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        Given {
            command: None,
            inline,
            script,
            scripts,
        }
        .check(&mut diagnostics);
        diagnostics
            .into_iter()
            .map(|diagnostic| diagnostic.summary)
            .collect()
    }

    #[test]
    fn exactly_one_kind_must_be_given() {
        assert_eq!(check_given(&[], "", &[]), ["Nothing to run"]);
        assert_eq!(check_given(&["true".into()], "", &[]), Vec::<String>::new());
        let both = check_given(&["true".into()], "/bin/sh", &[]);
        assert_eq!(both, ["Too many kinds of scripts"]);
    }

    #[test]
    fn every_missing_script_is_named() {
        let found = check_given(&[], "", &["no-a".into(), "/bin/sh".into(), "no-b".into()]);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("Bad script 'no-a': "), "{found:?}");
        assert!(found[1].starts_with("Bad script 'no-b': "), "{found:?}");
    }

    #[test]
    fn line_ends_become_unix_and_the_last_line_gets_one() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("s");
        std::fs::write(&script, "a\r\nb\nc\rd").unwrap();
        let copy = with_unix_lines(&script, folder.path()).unwrap();
        assert_eq!(
            std::fs::read_to_string(copy.path()).unwrap(),
            "a\nb\nc\rd\n"
        );
    }

    #[test]
    fn a_shebang_of_the_commands_stays_when_none_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let check = |commands: &[&str], wins: bool, expected: &str| {
            let commands: Vec<String> = commands.iter().map(|&c| c.to_owned()).collect();
            let data: Data = [("ID", "7")].into_iter().collect();
            let file = write_inline(
                folder.path(),
                &commands,
                "/bin/sh -e",
                wins,
                "",
                &data,
                &Context::default(),
            )
            .unwrap();
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), expected);
        };
        check(
            &["echo {{.ID}}", "true"],
            true,
            "#!/bin/sh -e\necho 7\ntrue\n",
        );
        check(&["#!/bin/bash", "true"], true, "#!/bin/bash\ntrue\n");
        check(&["#!/bin/bash"], false, "#!/bin/sh -e\n#!/bin/bash\n");
    }
}
