//! What there is in the tree.

use std::io;
use std::path::{Path, PathBuf};

use super::file_name::{FileName, NameProblem, Platform, is_plugin_name};

/// What the file with an executable's checksum ends with.
pub const CHECKSUM_SUFFIX: &str = "_SHA256SUM";
/// Folders below the root that are looked into.
const DEPTH_LIMIT: usize = 16;
/// Entries that are looked at; more than this is no folder of plugins.
const ENTRY_LIMIT: usize = 200_000;

/// A file that may be the executable of a plugin.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The file.
    pub path: PathBuf,
    /// The folder as seen from the root, with `/` between its parts: `github.com/hashicorp/amazon`.
    pub source: String,
    /// Its name.
    pub name: Result<FileName, NameProblem>,
}

/// The file that has the checksum of an executable.
#[must_use]
pub fn checksum_file(executable: &Path) -> PathBuf {
    let mut name = executable.as_os_str().to_owned();
    name.push(CHECKSUM_SUFFIX);
    PathBuf::from(name)
}

/// Executables of plugins in `below`, a folder as seen from `root`, and in the folders within it;
/// links to folders are not followed. Sorted by path; folders that are not there are empty, and what else cannot be read is
/// added to `trouble`.
pub fn walk(
    root: &Path,
    below: &str,
    here: &Platform,
    trouble: &mut Vec<(PathBuf, io::Error)>,
) -> Vec<Seen> {
    let mut walk = Walk {
        here,
        seen: Vec::new(),
        left: ENTRY_LIMIT,
        trouble,
    };
    let depth = below.split('/').filter(|part| !part.is_empty()).count();
    walk.folder(&root.join(below), below, depth);
    walk.seen.sort_by(|one, other| one.path.cmp(&other.path));
    walk.seen
}

struct Walk<'a> {
    here: &'a Platform,
    seen: Vec<Seen>,
    left: usize,
    trouble: &'a mut Vec<(PathBuf, io::Error)>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, source: &str, depth: usize) {
        if depth > DEPTH_LIMIT {
            let error = io::Error::other("it is too deep in the folder of plugins");
            self.trouble.push((folder.to_path_buf(), error));
            return;
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.trouble.push((folder.to_path_buf(), error)),
        };
        for entry in entries {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            if self.left == 0 {
                let error = io::Error::other("it has too many files for a folder of plugins");
                return self.trouble.push((folder.to_path_buf(), error));
            }
            match entry {
                Ok(entry) => self.entry(&entry, source, depth),
                Err(error) => self.trouble.push((folder.to_path_buf(), error)),
            }
        }
    }

    fn entry(&mut self, entry: &std::fs::DirEntry, source: &str, depth: usize) {
        let name = entry.file_name();
        // A name that is not text is none that Packer gives.
        let Some(name) = name.to_str() else {
            return;
        };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let inner = match source {
                "" => name.to_owned(),
                _ => format!("{source}/{name}"),
            };
            return self.folder(&entry.path(), &inner, depth + 1);
        }
        if is_plugin_name(name) {
            self.seen.push(Seen {
                path: entry.path(),
                source: source.to_owned(),
                name: match depth {
                    0 => Err(NameProblem::NoSource),
                    _ => FileName::parse(name, self.here),
                },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[&str], below: &str, expected: &[&str]) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let mut trouble = Vec::new();
        let here = Platform {
            os: "linux".into(),
            arch: "amd64".into(),
        };
        let seen = walk(root.path(), below, &here, &mut trouble);
        assert!(trouble.is_empty(), "{trouble:?}");
        let shown: Vec<String> = seen
            .iter()
            .map(|one| match &one.name {
                Ok(name) => format!("{} {} {}", one.source, name.name, name.version),
                Err(_) => format!("{} ?", one.source),
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn executables_are_found_with_their_sources() {
        check(
            &[
                "github.com/a/x/packer-plugin-x_v1.0.0_x5.0_linux_amd64",
                "github.com/a/x/packer-plugin-x_v1.0.0_x5.0_linux_amd64_SHA256SUM",
                "github.com/a/x/README.md",
                "github.com/b/y/kiln-plugin-y_v2.0.0_k1_linux_amd64",
                "github.com/b/y/packer-plugin-y_v2.0.0_x5.0_plan9_arm",
                "packer-plugin-z_v1.0.0_x5.0_linux_amd64",
            ],
            "",
            &[
                "github.com/a/x x 1.0.0",
                "github.com/b/y y 2.0.0",
                "github.com/b/y ?",
                " ?",
            ],
        );
    }

    #[test]
    fn a_search_can_begin_further_down() {
        check(
            &[
                "github.com/a/x/packer-plugin-x_v1.0.0_x5.0_linux_amd64",
                "github.com/b/y/packer-plugin-y_v1.0.0_x5.0_linux_amd64",
            ],
            "github.com/b",
            &["github.com/b/y y 1.0.0"],
        );
        check(&[], "github.com/none", &[]);
    }

    #[test]
    fn links_to_folders_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a")).unwrap();
        std::os::unix::fs::symlink("..", root.path().join("a/loop")).unwrap();
        let mut trouble = Vec::new();
        let seen = walk(root.path(), "", &Platform::current(), &mut trouble);
        assert!(seen.is_empty() && trouble.is_empty());
    }

    #[test]
    fn what_lies_too_deep_is_told() {
        let root = tempfile::tempdir().unwrap();
        let deep = vec!["d"; 18].join("/");
        std::fs::create_dir_all(root.path().join(deep)).unwrap();
        let mut trouble = Vec::new();
        walk(root.path(), "", &Platform::current(), &mut trouble);
        assert_eq!(trouble.len(), 1);
    }
}
