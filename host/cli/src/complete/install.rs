//! Telling shells to ask kiln for completions.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use host_ui::Ui;

use crate::exit;
use crate::world::World;

/// The name that is completed.
const PROGRAM: &str = "kiln";

/// Makes the user's shells complete kiln's command lines. A shell that does so already is left as
/// it is, unless it asks a program at another place.
pub fn install(world: &World, ui: &Ui) -> u8 {
    let Some(program) = world.executable.to_str() else {
        ui.error("The path of this program is not UTF-8; shells cannot be told of it.");
        return exit::FAILED;
    };
    let shells = shells(world);
    if shells.is_empty() {
        ui.error(
            "No shell was found: there is neither a start-up file of bash or zsh (such as ~/.bashrc \
             or ~/.zshrc) nor a folder of fish's settings (~/.config/fish).",
        );
        return exit::FAILED;
    }
    report(ui, &shells, "is completed", |shell| shell.add(program))
}

/// Undoes [`install`]; nothing else in the shells' files changes.
pub fn uninstall(world: &World, ui: &Ui) -> u8 {
    report(
        ui,
        &shells(world),
        "is not completed any more",
        Shell::remove,
    )
}

/// What has become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Made,
    NotNeeded,
}

/// Changes every shell and says what was done; the exit code.
fn report(
    ui: &Ui,
    shells: &[Shell],
    result: &str,
    change: impl Fn(&Shell) -> io::Result<Change>,
) -> u8 {
    let mut status = exit::DONE;
    let mut changed = false;
    for shell in shells {
        let (name, file) = (shell.kind.name(), shell.file.display());
        match change(shell) {
            Ok(Change::Made) => {
                changed = true;
                ui.say(&format!(
                    "{PROGRAM} {result} in new sessions of {name} ({file})"
                ));
            }
            Ok(Change::NotNeeded) => {}
            Err(error) => {
                ui.error(&format!("Cannot change {file}: {error}"));
                status = exit::FAILED;
            }
        }
    }
    if !changed && status == exit::DONE {
        ui.say("Nothing had to be changed.");
    }
    status
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bash,
    Zsh,
    Fish,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

/// A shell of the user and the file that tells it what to complete.
#[derive(Debug)]
struct Shell {
    kind: Kind,
    file: PathBuf,
}

/// The shells that have settings.
fn shells(world: &World) -> Vec<Shell> {
    let Some(home) = world.home() else {
        return Vec::new();
    };
    let folder = |name: &str, default: PathBuf| {
        let set = world.variable(name).map(PathBuf::from);
        set.filter(|path| path.is_absolute()).unwrap_or(default)
    };
    let bash = [".bashrc", ".bash_profile", ".bash_login", ".profile"].map(|name| home.join(name));
    let bash = bash.into_iter().find(|file| file.is_file());
    let zsh = folder("ZDOTDIR", home.clone()).join(".zshrc");
    let fish = folder("XDG_CONFIG_HOME", home.join(".config")).join("fish");
    let found = [
        bash.map(|file| (Kind::Bash, file)),
        zsh.is_file().then_some((Kind::Zsh, zsh)),
        fish.is_dir()
            .then(|| (Kind::Fish, fish.join("completions").join("kiln.fish"))),
    ];
    let found = found.into_iter().flatten();
    found.map(|(kind, file)| Shell { kind, file }).collect()
}

impl Shell {
    fn add(&self, program: &str) -> io::Result<Change> {
        if self.kind == Kind::Fish {
            let text = fish_text(program);
            if std::fs::read(&self.file).is_ok_and(|old| old == text.as_bytes()) {
                return Ok(Change::NotNeeded);
            }
            if let Some(folder) = self.file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            return replace(&self.file, text.as_bytes()).map(|()| Change::Made);
        }
        let old = std::fs::read(&self.file)?;
        let line = self.line(program);
        if lines(&old).any(|found| found == line.as_bytes()) {
            return Ok(Change::NotNeeded);
        }
        let mut new = without(&old);
        if new.last().is_some_and(|last| *last != b'\n') {
            new.push(b'\n');
        }
        new.extend_from_slice(line.as_bytes());
        new.push(b'\n');
        replace(&self.file, &new).map(|()| Change::Made)
    }

    fn remove(&self) -> io::Result<Change> {
        if self.kind == Kind::Fish {
            return match std::fs::remove_file(&self.file) {
                Ok(()) => Ok(Change::Made),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Change::NotNeeded),
                Err(error) => Err(error),
            };
        }
        let old = std::fs::read(&self.file)?;
        let new = without(&old);
        if new == old {
            return Ok(Change::NotNeeded);
        }
        replace(&self.file, &new).map(|()| Change::Made)
    }

    fn line(&self, program: &str) -> String {
        // The shell reads the line, and what is in it when it completes.
        let command = quoted(&quoted(program));
        let line = format!("complete -C {command} {PROGRAM}");
        match self.kind {
            Kind::Zsh => format!("{ZSH_PREPARATION}{line}"),
            _ => line,
        }
    }
}

/// What zsh needs before it knows `complete`.
const ZSH_PREPARATION: &str = "whence compdef >/dev/null || { autoload -U +X compinit && compinit; }; \
                               autoload -U +X bashcompinit && bashcompinit && ";

fn fish_text(program: &str) -> String {
    let program = program.replace('\\', "\\\\").replace('\'', "\\'");
    format!(
        "function __complete_{PROGRAM}\n    set -lx COMP_LINE (commandline -cp)\n    \
         test -z (commandline -ct)\n    and set COMP_LINE \"$COMP_LINE \"\n    '{program}'\nend\n\
         complete -f -c {PROGRAM} -a \"(__complete_{PROGRAM})\"\n"
    )
}

fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%".contains(c);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// The text without the lines that an installation added.
fn without(text: &[u8]) -> Vec<u8> {
    let all = text.split_inclusive(|byte| *byte == b'\n');
    let kept = all.filter(|line| !is_ours(line));
    kept.flatten().copied().collect()
}

fn is_ours(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    let line = line.trim();
    let line = line.strip_prefix(ZSH_PREPARATION).unwrap_or(line);
    let command = line.strip_prefix("complete -C ");
    command.is_some_and(|rest| {
        rest.strip_suffix(PROGRAM)
            .is_some_and(|rest| rest.ends_with(' '))
    })
}

/// Writes a file as one step. A link stays one: what it leads to is replaced.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mode = file
        .metadata()
        .map_or(0o644, |old| old.permissions().mode());
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text)?;
    new.as_file()
        .set_permissions(Permissions::from_mode(mode & 0o7777))?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bash(text: &str) -> (tempfile::TempDir, Shell) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(".bashrc");
        std::fs::write(&file, text).expect("a file");
        let kind = Kind::Bash;
        (folder, Shell { kind, file })
    }

    fn text(shell: &Shell) -> String {
        std::fs::read_to_string(&shell.file).expect("a file")
    }

    #[test]
    fn a_line_is_added_once_and_removed_without_a_trace() {
        let old = "# mine\nexport A=1\ncomplete -C /usr/bin/packer packer\n";
        let (_folder, shell) = bash(old);
        assert_eq!(shell.add("/opt/kiln").expect("writable"), Change::Made);
        assert_eq!(text(&shell), format!("{old}complete -C /opt/kiln kiln\n"));
        assert_eq!(shell.add("/opt/kiln").expect("writable"), Change::NotNeeded);
        assert_eq!(shell.remove().expect("writable"), Change::Made);
        assert_eq!(text(&shell), old);
        assert_eq!(shell.remove().expect("writable"), Change::NotNeeded);
    }

    #[test]
    fn a_program_that_moved_replaces_its_line() {
        let (_folder, shell) = bash("no line break at the end");
        shell.add("/old/kiln").expect("writable");
        shell.add("/new place/kiln").expect("writable");
        let expected = "no line break at the end\ncomplete -C ''\\''/new place/kiln'\\''' kiln\n";
        assert_eq!(text(&shell), expected);
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_link_stays_one() {
        let (folder, mut shell) = bash("x\n");
        std::fs::set_permissions(&shell.file, Permissions::from_mode(0o600)).expect("ours");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&shell.file, &link).expect("a link");
        let file = std::mem::replace(&mut shell.file, link.clone());
        shell.add("/opt/kiln").expect("writable");
        assert!(link.is_symlink());
        assert_eq!(
            file.metadata().expect("there").permissions().mode() & 0o777,
            0o600
        );
        assert!(text(&shell).contains("complete -C /opt/kiln kiln\n"));
    }
}
