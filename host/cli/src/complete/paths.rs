//! File names at the cursor.

use std::fs::DirEntry;
use std::path::{Path, PathBuf};

use super::Places;

/// Entries of a folder that are looked at.
const MOST_ENTRIES: usize = 20_000;

/// Which files are of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// HCL2 and legacy templates.
    Templates,
    /// Legacy templates.
    LegacyTemplates,
    /// Legacy templates in JSON.
    JsonTemplates,
    /// What `fmt` formats.
    Layout,
    /// Files of variables' values.
    Values,
    /// All.
    Files,
}

impl Wanted {
    fn takes(self, name: &str) -> bool {
        let is = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        let json = || is(&[".json"]) && !is(&[".pkr.json", ".pkrvars.json"]);
        let legacy = || json() || host_template::is_yaml(name);
        match self {
            Self::Templates => is(&[".pkr.hcl", ".pkr.json"]) || legacy(),
            Self::LegacyTemplates => legacy(),
            Self::JsonTemplates => json(),
            Self::Layout => is(&[".pkr.hcl", ".pkrvars.hcl"]),
            Self::Values => is(&[".hcl", ".json"]) && !is(&[".pkr.hcl", ".pkr.json"]),
            Self::Files => true,
        }
    }
}

/// Files that begin as `typed`, and folders, which may lead to some. A folder that is the only
/// candidate comes with what is in it, so that no shell takes its name for the end of the word.
pub(super) fn paths(places: &Places, typed: &str, wanted: Wanted) -> Vec<String> {
    let mut found = in_folder(places, typed, wanted);
    if let [only] = found.as_slice()
        && only.ends_with('/')
    {
        found.extend(in_folder(places, &only.clone(), wanted));
    }
    found
}

fn in_folder(places: &Places, typed: &str, wanted: Wanted) -> Vec<String> {
    let (folder, begun) = match typed.rfind('/') {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let Some(place) = place_of(places, folder) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(place) else {
        return Vec::new();
    };
    let named = entries.take(MOST_ENTRIES).filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let hidden = name.starts_with('.') && !begun.starts_with('.');
        if !name.starts_with(begun) || hidden {
            return None;
        }
        match is_folder(&entry) {
            true => Some(format!("{folder}{name}/")),
            false => wanted.takes(&name).then(|| format!("{folder}{name}")),
        }
    });
    named.collect()
}

/// Links count as what they lead to.
fn is_folder(entry: &DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
        Ok(kind) => kind.is_dir(),
        Err(_) => false,
    }
}

/// The path of something as the user names it; `~/` is the home folder.
pub(super) fn place_of(places: &Places, typed: &str) -> Option<PathBuf> {
    match typed.strip_prefix("~/") {
        Some(rest) => Some(places.home.as_ref()?.join(rest)),
        None => Some(places.working_dir.join(Path::new(typed))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, wanted: Wanted, expected: &[&str]) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for name in ["images/deep", "empty"] {
            std::fs::create_dir_all(root.join(name)).expect("a folder");
        }
        for name in [
            "a.pkr.hcl",
            "b.json",
            "c.pkrvars.hcl",
            "c.pkrvars.json",
            "notes.txt",
            ".hidden.json",
            "images/d.pkr.json",
            "images/e.pkr.yaml",
        ] {
            std::fs::write(root.join(name), "").expect("a file");
        }
        let places = Places {
            working_dir: root.to_owned(),
            home: Some(root.join("images")),
        };
        let mut found = paths(&places, typed, wanted);
        found.sort_unstable();
        assert_eq!(found, expected, "{typed}");
    }

    #[test]
    fn only_files_of_use_are_offered() {
        let templates = ["a.pkr.hcl", "b.json", "empty/", "images/"];
        check("", Wanted::Templates, &templates);
        check(
            "",
            Wanted::LegacyTemplates,
            &["b.json", "empty/", "images/"],
        );
        let values = [
            "b.json",
            "c.pkrvars.hcl",
            "c.pkrvars.json",
            "empty/",
            "images/",
        ];
        check("", Wanted::Values, &values);
        check("n", Wanted::Files, &["notes.txt"]);
        check(".h", Wanted::Templates, &[".hidden.json"]);
    }

    #[test]
    fn a_folder_alone_comes_with_what_is_in_it() {
        let images = [
            "images/",
            "images/d.pkr.json",
            "images/deep/",
            "images/e.pkr.yaml",
        ];
        check("im", Wanted::Templates, &images);
        check("empty/", Wanted::Templates, &[]);
        check("~/d.", Wanted::Templates, &["~/d.pkr.json"]);
        check("nowhere/", Wanted::Templates, &[]);
    }
}
