//! Rules about files, enforced by Landlock.

use std::path::{Path, PathBuf};

use crate::ConfineError;
use crate::policy::Policy;

/// What the kernel can enforce about files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// Everything that a policy says.
    All,
    /// Reading and writing, but not every way around it: truncating, moving, signals.
    Some,
    /// Nothing: the kernel was built or started without Landlock.
    Nothing,
}

/// Folders and files that may be read: everything but what is hidden. Symbolic links are left out:
/// what they lead to is there by its own path.
fn readable(hidden: &[PathBuf]) -> Vec<PathBuf> {
    let mut hidden: Vec<PathBuf> = hidden
        .iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    hidden.sort();
    let mut found = Vec::new();
    collect(Path::new("/"), &hidden, &mut found);
    found
}

fn collect(folder: &Path, hidden: &[PathBuf], found: &mut Vec<PathBuf>) {
    if !hidden.iter().any(|path| path.starts_with(folder)) {
        found.push(folder.to_owned());
        return;
    }
    if hidden.iter().any(|path| path == folder) {
        return;
    }
    // A folder that cannot be listed has nothing that could be read.
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            collect(&entry.path(), hidden, found);
        }
    }
}

#[cfg(target_os = "linux")]
mod enforced {
    use landlock::{
        ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
    };

    use super::{ConfineError, Files, Policy, readable};
    use crate::policy::Signals;

    /// The rules that are known and tried.
    const KNOWN: ABI = ABI::V6;

    /// Everything but device controls: terminals and machines' devices need them.
    fn all() -> BitFlags<AccessFs> {
        AccessFs::from_all(KNOWN) & !AccessFs::IoctlDev
    }

    /// What is allowed where a process may change files: no devices, which would be a way to all.
    fn change() -> BitFlags<AccessFs> {
        all() & !(AccessFs::MakeBlock | AccessFs::MakeChar)
    }

    pub(crate) fn support() -> Files {
        let can = |abi: ABI| {
            Ruleset::default()
                .set_compatibility(CompatLevel::HardRequirement)
                .handle_access(AccessFs::from_all(abi))
                .and_then(|rules| match Scope::from_all(abi).is_empty() {
                    true => Ok(rules),
                    false => rules.scope(Scope::from_all(abi)),
                })
                .and_then(Ruleset::create)
                .is_ok()
        };
        match (can(KNOWN), can(ABI::V1)) {
            (true, _) => Files::All,
            (false, true) => Files::Some,
            (false, false) => Files::Nothing,
        }
    }

    pub(crate) fn restrict(policy: &Policy) -> Result<(), ConfineError> {
        let failed = |error: RulesetError| ConfineError::Files(error.to_string());
        let read = AccessFs::Execute | AccessFs::ReadFile | AccessFs::ReadDir;
        let scope = match policy.signals {
            Signals::Own => Scope::AbstractUnixSocket | Scope::Signal,
            Signals::Any => Scope::AbstractUnixSocket.into(),
        };
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(all())
            .and_then(|rules| rules.scope(scope))
            .and_then(Ruleset::create)
            // Names may be listed everywhere: a folder with something hidden in it has others, too.
            .and_then(|rules| rules.add_rules(path_beneath_rules(["/"], AccessFs::ReadDir)))
            .and_then(|rules| rules.add_rules(path_beneath_rules(readable(&policy.hidden), read)))
            .and_then(|rules| rules.add_rules(path_beneath_rules(&policy.read, read)))
            .and_then(|rules| rules.add_rules(path_beneath_rules(&policy.write, change())))
            .and_then(landlock::RulesetCreated::restrict_self)
            .map(drop)
            .map_err(failed)
    }
}

#[cfg(not(target_os = "linux"))]
mod enforced {
    use super::{ConfineError, Files, Policy};

    pub(crate) fn support() -> Files {
        Files::Nothing
    }

    pub(crate) fn restrict(_: &Policy) -> Result<(), ConfineError> {
        Ok(())
    }
}

pub(crate) use enforced::{restrict, support};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_folders_are_left_out_and_their_neighbours_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("a path");
        for name in ["home/.ssh/deep", "home/work", "other"] {
            std::fs::create_dir_all(folder.join(name)).expect("a folder");
        }
        std::os::unix::fs::symlink("/", folder.join("home/everything")).expect("a link");
        let found = readable(&[folder.join("home/.ssh"), folder.join("missing")]);
        assert!(found.contains(&folder.join("home/work")), "{found:?}");
        assert!(found.contains(&folder.join("other")), "{found:?}");
        for path in &found {
            assert!(!folder.join("home/.ssh").starts_with(path), "{path:?}");
            assert!(!path.ends_with("everything"), "{path:?}");
        }
        assert_eq!(readable(&[]), [Path::new("/")]);
    }
}
