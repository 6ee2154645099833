//! What a build leaves.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sdk_config::Value;

use crate::resource::Resource;

/// A finished thing: files, or something that lives elsewhere.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Artifact {
    /// Which component's kind of artifact it is, for example `transcend.qemu`.
    pub builder_id: String,
    /// Its identity, for example a cloud image id; empty for plain files.
    pub id: String,
    /// Files it consists of.
    pub files: Vec<PathBuf>,
    /// What the summary prints.
    pub description: String,
    /// Facts for post-processors; `generated_data` holds the machine's values.
    pub state: Value,
    /// Files and folders to remove, in order, to destroy it. A folder behind parts of its own is
    /// removed only when nothing else is in it.
    pub destroy: Vec<PathBuf>,
    /// What it consists of that is no file, such as an image in a cloud. To destroy the artifact, the
    /// plugin's reclaimer of that kind gets these after the files are gone.
    pub resources: Vec<Resource>,
}

impl Artifact {
    /// Removes what it consists of. What is gone already counts as removed.
    ///
    /// # Errors
    ///
    /// What cannot be removed first, and why.
    pub fn remove(&self) -> Result<(), String> {
        for (index, path) in self.destroy.iter().enumerate() {
            let mut before = self.destroy[..index].iter();
            let has_parts = before.any(|part| part != path && part.starts_with(path));
            match removed(path, has_parts) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(format!("cannot remove `{}`: {error}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn removed(path: &Path, has_parts: bool) -> std::io::Result<()> {
    if !std::fs::symlink_metadata(path)?.is_dir() {
        return std::fs::remove_file(path);
    }
    if !has_parts {
        return std::fs::remove_dir_all(path);
    }
    match std::fs::remove_dir(path) {
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => removed,
    }
}

/// What a post-processor made.
#[derive(Clone, Debug, PartialEq)]
pub struct PostProcessed {
    /// The result; `None` ends the chain quietly.
    pub artifact: Option<Artifact>,
    /// Whether the input should stay.
    pub keep_input: bool,
    /// Whether the template may not override `keep_input`.
    pub force_keep_input: bool,
}

#[cfg(test)]
mod tests {
    use super::Artifact;

    #[test]
    fn what_others_put_into_its_folder_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for file in [
            "alone/image",
            "shared/image",
            "shared/archive",
            "whole/image",
        ] {
            std::fs::create_dir_all(path(file).parent().expect("it has one")).expect("made");
            std::fs::write(path(file), "x").expect("it can be written");
        }
        let parts = [
            "alone/image",
            "alone",
            "shared/image",
            "shared",
            "whole",
            "gone",
        ];
        let artifact = Artifact {
            destroy: parts.map(path).to_vec(),
            ..Artifact::default()
        };
        artifact.remove().expect("everything can be removed");
        let stays = |name| path(name).exists();
        assert!(!stays("alone") && !stays("shared/image") && !stays("whole"));
        assert!(stays("shared/archive"));
    }
}
