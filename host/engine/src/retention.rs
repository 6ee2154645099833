//! Destroying artifacts that nobody wanted to keep.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host_plugin_client::{Artifact, RunDirectory, destroy_parts};

/// Removes an artifact: its files, except those that are among the files `kept` of others, then
/// what its plugins have to remove. Every part is tried; the error names all that are still there.
pub(crate) async fn destroy(
    artifact: &Artifact,
    kept: &[PathBuf],
    directory: &Arc<RunDirectory>,
) -> Result<(), String> {
    let kept: Vec<PathBuf> = kept
        .iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    let paths = artifact.destroy.clone();
    let removing = tokio::task::spawn_blocking(move || remove(&paths, &kept));
    let mut errors = removing
        .await
        .unwrap_or_else(|error| vec![error.to_string()]);
    errors.extend(destroy_parts(directory, &artifact.resources).await);
    match errors.is_empty() {
        true => Ok(()),
        false => Err(errors.join("; ")),
    }
}

/// Removes files and folders in this order; gives the errors. What is gone already is as good, and
/// so is a folder behind parts of its own that holds more than those: only the parts were meant.
fn remove(paths: &[PathBuf], kept: &[PathBuf]) -> Vec<String> {
    let mut errors = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let mut before = paths[..index].iter();
        let has_parts = before.any(|part| part != path && part.starts_with(path));
        match remove_one(path, has_parts, kept) {
            Err(error) if has_parts && error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                errors.push(format!("cannot remove `{}`: {error}", path.display()));
            }
            _ => {}
        }
    }
    errors
}

fn remove_one(path: &Path, has_parts: bool, kept: &[PathBuf]) -> io::Result<()> {
    let is_folder = std::fs::symlink_metadata(path)?.is_dir();
    let real = match is_folder {
        true => path.canonicalize()?,
        // A link is removed itself, whatever it leads to.
        false => real_name(path)?,
    };
    if kept.contains(&real) {
        tracing::info!(path = %path.display(), "stays, because another artifact has it");
        return Ok(());
    }
    if !is_folder {
        return std::fs::remove_file(path);
    }
    if has_parts {
        return std::fs::remove_dir(path);
    }
    if !kept.iter().any(|one| one.starts_with(&real)) {
        return std::fs::remove_dir_all(path);
    }
    for entry in std::fs::read_dir(path)? {
        remove_one(&entry?.path(), false, kept)?;
    }
    Ok(())
}

/// A path with everything resolved but its last part.
fn real_name(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    match (path.parent(), path.file_name()) {
        (Some(above), Some(name)) => Ok(above.canonicalize()?.join(name)),
        _ => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_files_folders_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("out/deep")).unwrap();
        std::fs::write(path("file"), "x").unwrap();
        std::fs::create_dir(path("target")).unwrap();
        std::os::unix::fs::symlink(path("target"), path("link")).unwrap();
        let paths = vec![path("out"), path("file"), path("link"), path("never")];
        assert!(remove(&paths, &[]).is_empty());
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(left.len(), 1);
        assert!(path("target").is_dir());
    }

    #[test]
    fn a_folder_behind_its_parts_goes_when_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (file, stays) in [("alone/image", false), ("shared/image", true)] {
            let (file, above) = (path(file), path(file).parent().unwrap().to_owned());
            std::fs::create_dir(&above).unwrap();
            std::fs::write(&file, "x").unwrap();
            if stays {
                std::fs::write(above.join("archive"), "x").unwrap();
            }
            assert!(remove(&[file.clone(), above.clone()], &[]).is_empty());
            assert_eq!((file.exists(), above.exists()), (false, stays));
        }
        assert!(path("shared/archive").exists());
    }

    #[test]
    fn says_what_cannot_be_removed() {
        let errors = remove(&["/proc/version".into()], &[]);
        assert_eq!(errors.len(), 1);
        assert!(
            errors[0].starts_with("cannot remove `/proc/version`: "),
            "{errors:?}"
        );
    }

    #[test]
    fn what_another_artifact_has_stays() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let path = |name: &str| root.join(name);
        std::fs::create_dir_all(path("out/deep/er")).unwrap();
        for file in ["out/image", "out/deep/archive", "out/deep/er/x", "own"] {
            std::fs::write(path(file), "x").unwrap();
        }
        let kept = [path("out/deep/archive"), path("own")];
        assert!(remove(&[path("out"), path("own")], &kept).is_empty());
        assert!(path("own").exists() && path("out/deep/archive").exists());
        assert!(!path("out/image").exists() && !path("out/deep/er").exists());
    }
}
