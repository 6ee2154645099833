//! `kiln sbom-generate`: the packages of a folder with a root file system, on standard output.
//!
//! kiln becomes this program with [`WORD`] and the words of the command. Not here: images and
//! machines, which the components `sbom` read.
//!
//! # Source
//!
//! Packer's hidden command of that name. Differs: packages come from databases, so paths cannot be
//! excluded, and a folder has only one scope; who asks for that is told.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bom::{Bom, Format, Image};
use crate::clock;
use crate::packages::root;

/// What this program is started with to be the command.
const WORD: &str = "sbom-generate";
const USAGE: &str = "\
Usage: kiln sbom-generate [options] [PATH]

  Prints what is installed in a root file system: the packages of dpkg, apk
  and pacman. PATH is its folder, / unless given.

Options:

  -o, --output FORMAT  cyclonedx-json (the default) or spdx-json
";
/// The only scope that a folder has.
const SCOPE: &str = "squashed";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    format: Format,
    root: PathBuf,
    /// Options that have no effect, each with why.
    notes: Vec<String>,
}

/// What a command line amounts to.
#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    Generate(Wanted),
    Help,
    Wrong(String),
}

/// The words of the command, when this program was started to be it.
pub fn words() -> Option<Vec<String>> {
    let mut words = std::env::args_os().skip(1);
    let asked = words.next()? == WORD;
    asked
        .then(|| words.map(|word| word.to_string_lossy().into_owned()))
        .map(Iterator::collect)
}

/// Carries out the command.
pub fn run(words: Vec<String>) -> ExitCode {
    let done = match parse(words) {
        Parsed::Generate(wanted) => generate(&wanted),
        Parsed::Help => Ok(USAGE.to_owned()),
        Parsed::Wrong(problem) => Err(format!("{problem}\n\n{USAGE}")),
    };
    let written = done.and_then(|text| {
        let written = std::io::stdout().write_all(text.as_bytes());
        written.map_err(|error| format!("the document cannot be written: {error}"))
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tell(&problem);
            ExitCode::FAILURE
        }
    }
}

/// Tells the person; the document has standard output for itself.
fn tell(text: &str) {
    // Nobody can be told when standard error is closed.
    drop(writeln!(std::io::stderr(), "{}", text.trim_end()));
}

fn parse(words: Vec<String>) -> Parsed {
    let mut wanted = Wanted {
        format: Format::CycloneDx,
        root: PathBuf::from("/"),
        notes: Vec::new(),
    };
    let mut paths = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if word.starts_with('-') => (name, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        match name {
            "-h" | "-help" | "--help" => return Parsed::Help,
            "-o" | "--output" | "--exclude" | "--scope" => {
                let Some(value) = value.or_else(|| words.next()) else {
                    return Parsed::Wrong(format!("`{name}` needs a value behind it."));
                };
                if let Err(problem) = wanted.set(name, &value) {
                    return Parsed::Wrong(problem);
                }
            }
            name if name.starts_with('-') => {
                wanted.notes.push(format!("`{name}` is no option here"));
            }
            _ => paths.push(word),
        }
    }
    match paths.as_slice() {
        [] => {}
        [path] => wanted.root = PathBuf::from(path),
        _ => return Parsed::Wrong("There can be only one PATH.".to_owned()),
    }
    Parsed::Generate(wanted)
}

impl Wanted {
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "--exclude" => {
                let text = "packages come from databases, not from paths";
                self.notes.push(format!("`--exclude {value}`: {text}"));
            }
            "--scope" if value == SCOPE => {}
            "--scope" => {
                let text = format!("a folder has only the scope `{SCOPE}`");
                self.notes.push(format!("`--scope {value}`: {text}"));
            }
            _ => {
                let known = "Known are cyclonedx-json and spdx-json.";
                let format = Format::of_name(value);
                self.format =
                    format.ok_or_else(|| format!("`{value}` is no format kiln writes. {known}"))?;
            }
        }
        Ok(())
    }
}

fn generate(wanted: &Wanted) -> Result<String, String> {
    for note in &wanted.notes {
        tell(&format!("Without effect: {note}."));
    }
    tell(&format!(
        "Reading the packages of {}",
        wanted.root.display()
    ));
    document(wanted.format, &wanted.root, &clock::of_documents())
}

fn document(format: Format, folder: &Path, time: &str) -> Result<String, String> {
    if folder.is_file() {
        return Err(format!(
            "`{}` is no folder. For an image, use the post-processor `sbom`.",
            folder.display()
        ));
    }
    let databases = root::read(folder).map_err(|failure| failure.message)?;
    let name = folder.display().to_string();
    let image = Image { name: &name, time };
    let bom = Bom::write(format, &image, &databases.inventory());
    bom.to_text().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Parsed {
        parse(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn the_command_line_is_packers() {
        let check = |line: &str, format, root: &str, notes: usize| match parsed(line) {
            Parsed::Generate(wanted) => {
                assert_eq!(
                    (wanted.format, wanted.root),
                    (format, root.into()),
                    "{line}"
                );
                assert_eq!(wanted.notes.len(), notes, "{line}: {:?}", wanted.notes);
            }
            other => panic!("{line}: {other:?}"),
        };
        check("", Format::CycloneDx, "/", 0);
        check("-o spdx-json /mnt", Format::Spdx, "/mnt", 0);
        check("/mnt --output=spdx-json", Format::Spdx, "/mnt", 0);
        check(
            "--scope squashed --scope=squashed",
            Format::CycloneDx,
            "/",
            0,
        );
        check("--scope all-layers", Format::CycloneDx, "/", 1);
        check("--exclude ./a --exclude=b -q x", Format::CycloneDx, "x", 3);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (line, part) in [
            ("-o", "needs a value"),
            ("-o syft-json", "`syft-json` is no format"),
            ("a b", "only one PATH"),
        ] {
            match parsed(line) {
                Parsed::Wrong(problem) => assert!(problem.contains(part), "{problem}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert_eq!(parsed("/mnt --help"), Parsed::Help);
    }
}
