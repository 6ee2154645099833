//! The folders that a plugin made for what it built.
//!
//! Builders of whole machines make a folder for their output, refuse one that is there already, and
//! remove it with the artifact; the wire names only the files in it.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

/// What to remove with an artifact of `files`: these, then the folders below `here` that hold
/// nothing else, innermost first. What somebody puts there later keeps them.
pub(super) fn with_own_folders(files: &[PathBuf], here: &Path) -> Vec<PathBuf> {
    let files = files.iter().map(|file| here.join(file));
    let mut all: Vec<PathBuf> = files.collect();
    let listed: HashSet<PathBuf> = all.iter().cloned().collect();
    let mut own: Vec<PathBuf> = Vec::new();
    for file in &listed {
        // A path with `..` may lead anywhere.
        if file.components().any(|part| part == Component::ParentDir) {
            continue;
        }
        let below = file.ancestors().skip(1);
        let below = below.take_while(|folder| folder.starts_with(here) && *folder != here);
        let holding = below.take_while(|folder| holds_only(folder, &listed));
        own.extend(holding.map(Path::to_owned));
    }
    own.sort_unstable_by_key(|folder| std::cmp::Reverse(folder.components().count()));
    own.dedup();
    all.extend(own);
    all
}

/// Whether there is nothing in `folder` but what is `listed`, and folders of that.
fn holds_only(folder: &Path, listed: &HashSet<PathBuf>) -> bool {
    let real = std::fs::symlink_metadata(folder).is_ok_and(|data| data.is_dir());
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    real && entries.into_iter().all(|entry| {
        entry.is_ok_and(|entry| {
            let path = entry.path();
            listed.contains(&path) || holds_only(&path, listed)
        })
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::with_own_folders;

    /// What is removed with the artifact of `files` where `made` is, below the folder of both.
    fn removed(made: &[&str], files: &[&str]) -> Vec<String> {
        let here = tempfile::tempdir().expect("a folder");
        for file in made {
            let path = here.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap_or(&path)).expect("it can be made");
            std::fs::write(path, "x").expect("it can be written");
        }
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        let removed = with_own_folders(&files, here.path());
        let relative = |path: &PathBuf| path.strip_prefix(here.path()).map(Path::to_owned);
        let removed = removed
            .iter()
            .map(|path| relative(path).expect("it is below"));
        removed.map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn a_folder_of_the_artifact_alone_goes_with_it() {
        let files = ["out/vm/disk", "out/vm.ovf"];
        let wanted = ["out/vm/disk", "out/vm.ovf", "out/vm", "out"];
        assert_eq!(removed(&files, &files), wanted);
    }

    #[test]
    fn a_folder_that_holds_more_stays() {
        let made = ["out/vm/disk", "out/notes"];
        let wanted = ["out/vm/disk", "out/vm"];
        assert_eq!(removed(&made, &["out/vm/disk"]), wanted);
    }

    #[test]
    fn the_working_folder_stays_and_paths_that_lead_up_are_not_followed() {
        assert_eq!(removed(&["disk"], &["disk"]), ["disk"]);
        let up = ["out/../disk"];
        assert_eq!(removed(&["disk"], &up), up);
    }
}
