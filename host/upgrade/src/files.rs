//! Writing a result.

use std::io::Write as _;
use std::path::Path;
use std::{fs, io};

use crate::error::UpgradeError;

/// Writes a file as one step, with the folders it needs: what was there before stays until all of
/// the text is on the disk.
///
/// # Errors
///
/// [`UpgradeError::Write`].
pub fn write(path: &Path, text: &str) -> Result<(), UpgradeError> {
    try_write(path, text).map_err(|source| UpgradeError::Write {
        path: path.to_owned(),
        source,
    })
}

fn try_write(path: &Path, text: &str) -> io::Result<()> {
    let existing = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if existing
        .as_ref()
        .is_some_and(|metadata| !metadata.is_file())
    {
        // A pipe or a device such as /dev/stdout; it cannot be replaced, only written to.
        return fs::write(path, text);
    }
    // Behind a symbolic link, the file it leads to is the one to replace.
    let path = if existing.is_some() {
        path.canonicalize()?
    } else {
        path.to_owned()
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kiln-upgrade-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut new = builder.tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    if let Some(existing) = existing {
        new.as_file().set_permissions(existing.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(&path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_and_old_text_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c.pkr.hcl");
        write(&path, "old and longer").unwrap();
        write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), "x").unwrap_err();
        assert!(matches!(error, UpgradeError::Write { .. }), "{error}");
        assert!(folder.path().is_dir());
    }
}
