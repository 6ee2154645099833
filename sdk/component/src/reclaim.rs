//! Removing what a dead run left, for the kinds of resources every plugin has.

use std::path::{Path, PathBuf};

use crate::process::ProcessIdentity;
use crate::resource::{DIRECTORY, FILE, PORT_LEASE, PROCESS, Resource};

/// A leftover could not be removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReclaimError {
    /// Neither the SDK nor the plugin knows the kind.
    #[error("nothing here can remove a resource of kind `{kind}`")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// The identity is not in the form of its kind, so nothing was touched.
    #[error("`{id}` does not name a {kind}")]
    BadIdentity {
        /// The kind.
        kind: String,
        /// What was on record.
        id: String,
    },
    /// A process would not end.
    #[error("cannot end process `{id}`")]
    Process {
        /// `pid:start-time`.
        id: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder could not be removed.
    #[error("cannot remove `{}`", path.display())]
    Remove {
        /// What.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The plugin's own code failed.
    #[error("cannot remove {kind} `{id}`: {message}")]
    Plugin {
        /// The kind.
        kind: String,
        /// Which one.
        id: String,
        /// What the plugin says.
        message: String,
    },
}

/// Removes `resource`, of kind `process`, `file`, `directory` or `port-lease`. What is gone already
/// counts as removed.
///
/// # Errors
///
/// [`ReclaimError::UnknownKind`] for every other kind; the other variants when it is still there.
pub async fn reclaim(resource: &Resource) -> Result<(), ReclaimError> {
    match resource.kind.as_str() {
        PROCESS => end_process(&resource.id).await,
        FILE => remove(absolute(resource)?, What::File).await,
        DIRECTORY => remove(absolute(resource)?, What::Tree).await,
        // A lease with a file is that file; one without ended with the process that held it.
        PORT_LEASE => match resource.reclaim.get(LEASE_FILE) {
            Some(file) => remove(PathBuf::from(file), What::File).await,
            None => Ok(()),
        },
        kind => Err(ReclaimError::UnknownKind {
            kind: kind.to_owned(),
        }),
    }
}

/// Key of a port lease's file in [`Resource::reclaim`].
pub(crate) const LEASE_FILE: &str = "file";

enum What {
    File,
    Tree,
}

async fn end_process(id: &str) -> Result<(), ReclaimError> {
    let identity = ProcessIdentity::parse(id).ok_or_else(|| ReclaimError::BadIdentity {
        kind: PROCESS.to_owned(),
        id: id.to_owned(),
    })?;
    identity
        .end()
        .await
        .map_err(|source| ReclaimError::Process {
            id: id.to_owned(),
            source,
        })
}

/// The path of a resource. Anything but an absolute path below the root is refused: a damaged
/// record must not remove the working directory.
fn absolute(resource: &Resource) -> Result<PathBuf, ReclaimError> {
    let path = PathBuf::from(&resource.id);
    let safe = path.is_absolute()
        && path.components().count() > 1
        && !path
            .components()
            .any(|part| part == std::path::Component::ParentDir);
    if safe {
        return Ok(path);
    }
    Err(ReclaimError::BadIdentity {
        kind: resource.kind.clone(),
        id: resource.id.clone(),
    })
}

async fn remove(path: PathBuf, what: What) -> Result<(), ReclaimError> {
    let removed = match what {
        What::File => tokio::fs::remove_file(&path).await,
        What::Tree => remove_tree(&path).await,
    };
    match removed {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(ReclaimError::Remove { path, source })
        }
        _ => Ok(()),
    }
}

/// Removes a folder with its content; a symbolic link is removed itself, not what it points to.
async fn remove_tree(path: &Path) -> std::io::Result<()> {
    if tokio::fs::symlink_metadata(path).await?.is_dir() {
        tokio::fs::remove_dir_all(path).await
    } else {
        tokio::fs::remove_file(path).await
    }
}

#[cfg(test)]
mod tests {
    use super::{ReclaimError, reclaim};
    use crate::Resource;

    #[tokio::test]
    async fn files_and_folders_are_removed_and_may_be_gone() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(tree.join("a/b")).expect("folders can be made");
        std::fs::write(tree.join("a/c"), "x").expect("a file can be written");
        let file = folder.path().join("file");
        std::fs::write(&file, "x").expect("a file can be written");
        let around = folder.path().join("tree/../file");
        let all = [
            Resource::file(&around),
            Resource::directory(&tree),
            Resource::file(&file),
        ];
        for resource in all {
            reclaim(&resource).await.expect("it is removed");
            reclaim(&resource).await.expect("it is gone");
        }
        assert!(!tree.exists() && !file.exists());
    }

    #[tokio::test]
    async fn a_damaged_record_removes_nothing() {
        for id in ["", "/", "relative", "/a/../..", "."] {
            let refused = reclaim(&Resource::of("directory", id)).await;
            assert!(
                matches!(refused, Err(ReclaimError::BadIdentity { .. })),
                "{id:?}"
            );
        }
        let refused = reclaim(&Resource::of("process", "1")).await;
        assert!(matches!(refused, Err(ReclaimError::BadIdentity { .. })));
        let refused = reclaim(&Resource::of("disk", "x")).await;
        assert!(matches!(refused, Err(ReclaimError::UnknownKind { .. })));
    }
}
