//! Putting an executable where it belongs, whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host_plugin_client::tree::{FileName, checksum_file};
use host_template::SourceAddress;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::error::InstallError;

/// What the names of half-written files begin with; nobody takes them for plugins.
const TEMPORARY_PREFIX: &str = ".kiln-install-";

/// No installation takes this long.
const DRAFT_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// An executable on its way into the tree. Dropping it removes it.
pub(crate) struct Draft {
    file: NamedTempFile,
    folder: Folder,
}

/// The folder of a plugin's source. Dropping it removes it, and those around it in the tree, if they
/// are empty.
struct Folder {
    path: PathBuf,
    tree: PathBuf,
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove_empty(Some(&self.path), &self.tree);
    }
}

/// Removes a folder, and those around it below `tree`, as long as they are empty.
pub(crate) fn remove_empty(mut folder: Option<&Path>, tree: &Path) {
    while let Some(empty) = folder.filter(|folder| *folder != tree && folder.starts_with(tree)) {
        // One that is not empty stays, and so do those around it.
        if std::fs::remove_dir(empty).is_err() {
            break;
        }
        folder = empty.parent();
    }
}

impl Draft {
    /// An empty one, in the folder of `source` in `tree`, which is made.
    pub(crate) fn new(tree: &Path, source: &SourceAddress) -> Result<Self, InstallError> {
        let path = tree.join(source.as_str());
        std::fs::create_dir_all(&path)
            .map_err(|error| InstallError::file("create folder", &path, error))?;
        remove_old_drafts(&path);
        let file = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .tempfile_in(&path)
            .map_err(|error| InstallError::file("write into", &path, error))?;
        let tree = tree.to_path_buf();
        let folder = Folder { path, tree };
        Ok(Self { file, folder })
    }

    /// Copies everything from `reader`, `limit` bytes at most, and makes it executable; its SHA-256
    /// in hexadecimal. `None` when there is more.
    pub(crate) fn fill(&mut self, reader: impl io::Read, limit: u64) -> io::Result<Option<String>> {
        let mut copied = Hashing {
            file: self.file.as_file_mut(),
            hasher: Sha256::new(),
        };
        let length = io::copy(&mut reader.take(limit + 1), &mut copied)?;
        let hash = hex::encode(copied.hasher.finalize());
        let file = self.file.as_file();
        file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
        file.sync_all()?;
        Ok((length <= limit).then_some(hash))
    }

    /// Nobody may write to a file that is executed; the path stays good as long as this lives.
    pub(crate) fn close(self) -> ClosedDraft {
        let Self { file, folder } = self;
        ClosedDraft {
            path: file.into_temp_path(),
            folder,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }
}

/// A draft that can be executed.
pub(crate) struct ClosedDraft {
    path: tempfile::TempPath,
    folder: Folder,
}

impl ClosedDraft {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, and then its checksum: until both are there, it is not used.
    pub(crate) fn publish(self, name: &FileName, sha256: &str) -> Result<PathBuf, InstallError> {
        let Self { path, folder } = self;
        let target = folder.path.join(name.to_string());
        path.persist(&target)
            .map_err(|error| InstallError::file("write", &target, error.error))?;
        write_whole(&checksum_file(&target), sha256.as_bytes(), 0o644)?;
        File::open(&folder.path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| InstallError::file("write", &folder.path, error))?;
        Ok(target)
    }
}

/// Removes what processes that were killed left here long ago.
fn remove_old_drafts(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_draft = entry
            .file_name()
            .to_string_lossy()
            .starts_with(TEMPORARY_PREFIX);
        let written = entry.metadata().and_then(|facts| facts.modified()).ok();
        let age = written.and_then(|written| written.elapsed().ok());
        if is_draft
            && age.is_some_and(|age| age > DRAFT_LIMIT)
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::debug!(path = %entry.path().display(), %error, "cannot remove an old draft");
        }
    }
}

struct Hashing<'a> {
    file: &'a mut File,
    hasher: Sha256,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), InstallError> {
    let failed = |error: io::Error| InstallError::file("write", path, error);
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// SHA-256 of a file, in hexadecimal.
pub(crate) fn hash_file(path: &Path) -> Result<String, InstallError> {
    let failed = |error: io::Error| InstallError::file("read", path, error);
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path).map_err(failed)?, &mut hasher).map_err(failed)?;
    Ok(hex::encode(hasher.finalize()))
}

/// Whether an executable is there whose checksum file has `sha256` of it.
pub(crate) fn is_installed(executable: &Path) -> Option<String> {
    let noted = std::fs::read_to_string(checksum_file(executable)).ok()?;
    let noted = noted.get(..64)?.to_ascii_lowercase();
    (hash_file(executable).ok()? == noted).then_some(noted)
}

#[cfg(test)]
mod tests {
    use host_plugin_client::tree::Platform;

    use super::*;

    #[test]
    fn a_published_draft_has_its_name_and_checksum() {
        let tree = tempfile::tempdir().unwrap();
        let source = SourceAddress::parse("github.com/a/x").unwrap();
        let here = Platform::current();
        let text = format!(
            "packer-plugin-x_v1.0.0_x5.0_{here}{}",
            here.executable_suffix()
        );
        let name = FileName::parse(&text, &here).unwrap();
        let mut draft = Draft::new(tree.path(), &source).unwrap();
        let hash = draft.fill(&b"#!/bin/sh\n"[..], 100).unwrap().unwrap();
        let path = draft.close().publish(&name, &hash).unwrap();
        assert_eq!(path, tree.path().join("github.com/a/x").join(text));
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o755
        );
        assert_eq!(std::fs::read_to_string(checksum_file(&path)).unwrap(), hash);
        assert_eq!(is_installed(&path), Some(hash));
        std::fs::write(&path, "something else").unwrap();
        assert_eq!(is_installed(&path), None);
    }

    #[test]
    fn what_is_too_long_leaves_nothing() {
        let tree = tempfile::tempdir().unwrap();
        let source = SourceAddress::parse("github.com/a/x").unwrap();
        let mut draft = Draft::new(tree.path(), &source).unwrap();
        assert_eq!(draft.fill(&b"12345"[..], 4).unwrap(), None);
        drop(draft);
        assert_eq!(std::fs::read_dir(tree.path()).unwrap().count(), 0);
    }
}
