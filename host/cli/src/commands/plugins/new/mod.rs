//! `kiln plugins new`: a crate for a plugin, ready to build, test and run.
//!
//! The files are in `host/cli/templates/plugin`, as a plugin `myplugin` that can be built where it
//! is. Here its name and the place of the SDK are filled in.

mod files;
mod sdk;

use std::path::{Path, PathBuf};

use host_ui::Ui;

use self::files::{Kind, PLACEHOLDER};
use self::sdk::Sdk;
use crate::arguments::NewArguments;
use crate::commands::build::usage;
use crate::exit;
use crate::world::World;

/// A name is a part of file names and of the names of sockets.
const NAME_LIMIT: usize = 40;

/// Writes the crate.
pub fn run(world: &World, ui: &Ui, arguments: &NewArguments) -> u8 {
    let (name, folder) = match arguments.words.as_slice() {
        [name] => (name, world.working_dir.join(format!("kiln-plugin-{name}"))),
        [name, folder] => (name, world.working_dir.join(folder)),
        [] => return usage(ui, "The plugin's name is missing.", "plugins new"),
        [_, _, more, ..] => {
            let message = format!("`{more}` is too much: a name and a folder are expected.");
            return usage(ui, &message, "plugins new");
        }
    };
    if let Err(problem) = check_name(name) {
        return usage(ui, &problem, "plugins new");
    }
    let written = Sdk::find(arguments.sdk.as_deref(), world)
        .and_then(|sdk| write(&folder, name, Kind::named(&arguments.kind), &sdk).map(|()| sdk));
    match written {
        Ok(sdk) => {
            ui.say(&summary(&folder, name, &sdk));
            exit::DONE
        }
        Err(problem) => {
            ui.error(&problem);
            exit::FAILED
        }
    }
}

/// Names are what templates write, what folders of installed plugins are called, and a crate's.
fn check_name(name: &str) -> Result<(), String> {
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(lower)
        && name.chars().all(|c| lower(c) || c == '-')
        && !name.contains("--")
        && name.len() <= NAME_LIMIT;
    if !good {
        let bare = name.to_ascii_lowercase().replace(['_', ' ', '.'], "-");
        let hint = match bare != name && check_name(&bare).is_ok() {
            true => format!(" Perhaps `{bare}`?"),
            false => String::new(),
        };
        return Err(format!(
            "`{name}` cannot be a plugin's name: it has to be of lower-case letters, digits and \
             single dashes, begin with a letter, and have at most {NAME_LIMIT} characters.{hint}"
        ));
    }
    for prefix in ["kiln-", "packer-"] {
        if name.starts_with(prefix) {
            return Err(format!(
                "`{name}` cannot be a plugin's name: give it without `{prefix}`, which file names \
                 get by themselves."
            ));
        }
    }
    Ok(())
}

/// Writes all files, or none.
fn write(folder: &Path, name: &str, kind: Kind, sdk: &Sdk) -> Result<(), String> {
    let shown = folder.display();
    let parent = folder.parent().unwrap_or(Path::new("/"));
    if folder.symlink_metadata().is_ok() {
        return Err(format!(
            "`{shown}` exists already; name another folder behind the name."
        ));
    }
    let wrong =
        |path: &Path, error: &std::io::Error| format!("cannot write `{}`: {error}", path.display());
    std::fs::create_dir_all(parent).map_err(|error| wrong(parent, &error))?;
    let draft = tempfile::Builder::new()
        .prefix(".kiln-plugin-")
        .tempdir_in(parent)
        .map_err(|error| wrong(parent, &error))?;
    for (path, text) in kind.files() {
        let path = draft.path().join(path);
        let text = match path.ends_with("Cargo.toml") {
            true => sdk.fill(text),
            false => (*text).to_owned(),
        };
        let below = path.parent().unwrap_or(draft.path());
        std::fs::create_dir_all(below).map_err(|error| wrong(below, &error))?;
        std::fs::write(&path, text.replace(PLACEHOLDER, name))
            .map_err(|error| wrong(&path, &error))?;
    }
    let draft: PathBuf = draft.keep();
    let placed = open_to_readers(&draft).and_then(|()| std::fs::rename(&draft, folder));
    placed.map_err(|error| {
        // The message about the first failure is the one that helps.
        drop(std::fs::remove_dir_all(&draft));
        wrong(folder, &error)
    })
}

/// A temporary folder is private; a crate's is not.
fn open_to_readers(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

fn summary(folder: &Path, name: &str, sdk: &Sdk) -> String {
    let shown = folder.display();
    format!(
        "Wrote the plugin `{name}` to {shown}.\n  The SDK is {sdk}.\n  Next: cd {shown} && cargo \
         test"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_with_a_way_out() {
        for name in ["a", "oxide", "my-cloud2"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for (name, part) in [
            ("", "lower-case letters"),
            ("My_Cloud", "Perhaps `my-cloud`?"),
            ("-a", "begin with a letter"),
            ("a--b", "single dashes"),
            ("../a", "lower-case letters"),
            ("kiln-plugin-a", "without `kiln-`"),
            (&"a".repeat(41), "at most 40"),
        ] {
            let problem = check_name(name).unwrap_err();
            assert!(problem.contains(part), "{name}: {problem}");
        }
    }

    #[test]
    fn every_file_is_filled_in() {
        let place = tempfile::tempdir().unwrap();
        let sdk = Sdk::Version("1.2".to_owned());
        for kind in Kind::ALL {
            let folder = place.path().join(format!("new/{kind:?}"));
            write(&folder, "oxide", kind, &sdk).unwrap();
            for (path, _) in kind.files() {
                let text = std::fs::read_to_string(folder.join(path)).unwrap();
                assert!(!text.contains(PLACEHOLDER), "{path}: {text}");
                assert!(!text.contains("../sdk"), "{path}: {text}");
            }
            let again = write(&folder, "oxide", kind, &sdk).unwrap_err();
            assert!(again.contains("exists already"), "{again}");
        }
        let left = std::fs::read_dir(place.path().join("new")).unwrap().count();
        assert_eq!(left, Kind::ALL.len(), "nothing else is left");
    }
}
