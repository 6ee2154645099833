//! What the user said about the template.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Which language a path without a telling suffix is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ConfigType {
    /// Legacy JSON, or YAML with the same keys where the name says so.
    #[default]
    Json,
    /// HCL2.
    Hcl2,
}

/// What the user said about the template.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// As given: a file, a folder, `-` for standard input.
    pub path: String,
    /// For paths without a telling suffix.
    pub config_type: ConfigType,
    /// `-var`, in order: name and text.
    pub variables: Vec<(String, String)>,
    /// `-var-file`, in order.
    pub variable_files: Vec<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The working directory.
    pub working_dir: PathBuf,
    /// Warn about names in variable files that the template does not declare.
    pub warn_undeclared: bool,
    /// `-only`, in order.
    pub only: Vec<String>,
    /// `-except`, in order.
    pub except: Vec<String>,
    /// The version templates see, and constraints are checked against: the Packer version kiln
    /// speaks for, for example `1.16.0`.
    pub core_version: String,
    /// Start of the process, in nanoseconds since 1970 UTC.
    pub started_at_unix_nanos: i64,
    /// Texts that count instead of what the disk has: the open files of an editor.
    pub overlay: Overlay,
    /// Whether it is no error that a variable has no value; then its value is unknown. For editors,
    /// which do not know the command line.
    pub unset_variables_allowed: bool,
}

/// Texts that count instead of what the disk has, by absolute path. Such a file need not exist.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    texts: Arc<BTreeMap<PathBuf, Arc<str>>>,
}

impl Overlay {
    /// These texts.
    #[must_use]
    pub fn new(texts: BTreeMap<PathBuf, Arc<str>>) -> Self {
        Self {
            texts: Arc::new(texts),
        }
    }

    /// Names of the files directly in `folder`.
    pub(crate) fn names_in(&self, folder: &Path) -> BTreeSet<String> {
        let folder = plain(folder);
        let paths = self.texts.keys();
        paths
            .filter(|path| path.parent() == Some(&*folder))
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect()
    }
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

impl LoadOptions {
    /// The text of a file, named as the user does.
    ///
    /// # Errors
    ///
    /// Those of [`host_syntax::read_file`].
    pub(crate) fn read_file(&self, name: impl AsRef<Path>) -> io::Result<String> {
        let path = self.working_dir.join(name);
        match self.overlay.texts.get(&plain(&path)) {
            Some(text) => host_syntax::read_text(text.as_bytes()),
            None => host_syntax::read_file(&path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overlay_counts_instead_of_the_disk_and_adds_files() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.pkr.hcl"), "on disk").expect("a file");
        let path = |name: &str| folder.path().join(name);
        let texts = [("a.pkr.hcl", "edited"), ("new.pkr.hcl", "unsaved")];
        let texts = texts.map(|(name, text)| (path(name), Arc::from(text)));
        let options = LoadOptions {
            working_dir: path("sub"),
            overlay: Overlay::new(texts.into()),
            ..LoadOptions::default()
        };
        let read = |name: &str| options.read_file(name).ok();
        assert_eq!(read("../a.pkr.hcl").as_deref(), Some("edited"));
        assert_eq!(read("./../new.pkr.hcl").as_deref(), Some("unsaved"));
        assert_eq!(read("../other.pkr.hcl"), None);
        let names = options.overlay.names_in(&path("sub/.."));
        assert_eq!(
            names,
            ["a.pkr.hcl", "new.pkr.hcl"].map(str::to_owned).into()
        );
    }
}
