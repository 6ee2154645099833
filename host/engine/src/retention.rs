//! Destroying artifacts that nobody wanted to keep.

use std::io;

use host_plugin_client::Artifact;

/// Removes what the artifact says it consists of, in its order. What is gone already is as good, and
/// so is a folder behind parts of its own that holds more than those: only the parts were meant.
/// Every part is tried; the error names all that are still there.
pub(crate) async fn destroy(artifact: &Artifact) -> Result<(), String> {
    let mut errors = Vec::new();
    for (index, path) in artifact.destroy.iter().enumerate() {
        let has_parts = artifact.destroy[..index]
            .iter()
            .any(|part| part != path && part.starts_with(path));
        let removed = match tokio::fs::symlink_metadata(path).await {
            Ok(data) if data.is_dir() && has_parts => tokio::fs::remove_dir(path).await,
            Ok(data) if data.is_dir() => tokio::fs::remove_dir_all(path).await,
            Ok(_) => tokio::fs::remove_file(path).await,
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if has_parts && error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                errors.push(format!("cannot remove `{}`: {error}", path.display()));
            }
            _ => {}
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use host_eval::Value;

    use super::*;

    fn artifact(destroy: Vec<PathBuf>) -> Artifact {
        Artifact {
            builder_id: String::new(),
            id: String::new(),
            files: Vec::new(),
            description: String::new(),
            state: Value::dynamic(),
            destroy,
        }
    }

    #[tokio::test]
    async fn removes_files_folders_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("out/deep")).unwrap();
        std::fs::write(path("file"), "x").unwrap();
        std::fs::create_dir(path("target")).unwrap();
        std::os::unix::fs::symlink(path("target"), path("link")).unwrap();
        let paths = vec![path("out"), path("file"), path("link"), path("never")];
        destroy(&artifact(paths)).await.unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(left.len(), 1);
        assert!(path("target").is_dir());
    }

    #[tokio::test]
    async fn a_folder_behind_its_parts_goes_when_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (file, stays) in [("alone/image", false), ("shared/image", true)] {
            let (file, above) = (path(file), path(file).parent().unwrap().to_owned());
            std::fs::create_dir(&above).unwrap();
            std::fs::write(&file, "x").unwrap();
            if stays {
                std::fs::write(above.join("archive"), "x").unwrap();
            }
            destroy(&artifact(vec![file.clone(), above.clone()]))
                .await
                .unwrap();
            assert_eq!((file.exists(), above.exists()), (false, stays));
        }
        assert!(path("shared/archive").exists());
    }

    #[tokio::test]
    async fn says_what_cannot_be_removed() {
        let error = destroy(&artifact(vec!["/proc/version".into()]))
            .await
            .unwrap_err();
        assert!(
            error.starts_with("cannot remove `/proc/version`: "),
            "{error}"
        );
    }
}
