//! Which files a path stands for, reading them, and replacing their content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use crate::FileError;

/// Whether folders within a folder are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only the folder itself.
    Folder,
    /// Everything below it, but not through symbolic links.
    Tree,
}

/// What a path stands for.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, folder by folder in the order of their names. Paths begin with the one given,
    /// without `.` and doubled slashes.
    pub files: Vec<PathBuf>,
    /// What could not be looked at.
    pub errors: Vec<FileError>,
}

/// Finds the templates (`*.pkr.hcl`) and variable files (`*.pkrvars.hcl`) that `path` stands for: a
/// file stands for itself and must have such a name, a folder for those in it. In folders, what is
/// hidden (`.x`) or an editor's copy (`x~`, `#x#`) is left out.
#[must_use]
pub fn find(path: &Path, reach: Reach) -> Found {
    let mut found = Found::default();
    let path = tidy(path);
    if path.is_dir() {
        look_into(&path, reach, &mut found);
    } else if is_ours(&path) {
        found.files.push(path);
    } else {
        found.errors.push(FileError::Name { path });
    }
    found
}

/// The path without the parts that mean nothing.
fn tidy(path: &Path) -> PathBuf {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let tidy: PathBuf = parts.collect();
    if tidy.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        tidy
    }
}

fn look_into(folder: &Path, reach: Reach, found: &mut Found) {
    let list = || -> io::Result<Vec<fs::DirEntry>> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        Ok(entries)
    };
    let entries = match list() {
        Ok(entries) => entries,
        Err(source) => {
            found.errors.push(FileError::List {
                path: folder.to_owned(),
                source,
            });
            return;
        }
    };
    for entry in entries {
        let name = entry.file_name();
        if is_ignored(&name.to_string_lossy()) {
            continue;
        }
        let path = if folder == Path::new(".") {
            PathBuf::from(name)
        } else {
            folder.join(name)
        };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if reach == Reach::Tree {
                look_into(&path, reach, found);
            }
        } else if is_ours(&path) {
            found.files.push(path);
        }
    }
}

fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

fn is_ours(path: &Path) -> bool {
    let name = path.as_os_str().to_string_lossy();
    name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl")
}

/// Reads a file of text.
///
/// # Errors
///
/// [`FileError::Read`], also when it is not UTF-8 or too large to be a template.
pub fn read(path: &Path) -> Result<String, FileError> {
    let file = File::open(path).map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })?;
    read_from(path, file)
}

/// Reads text to its end from something that errors call `path`.
///
/// # Errors
///
/// [`FileError::Read`], also when it is not UTF-8 or too large to be a template.
pub fn read_from(path: &Path, reader: impl Read) -> Result<String, FileError> {
    host_syntax::read_text(reader).map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Replaces the content of an existing file: readers see the old or the new content, never a part,
/// and after any failure the file is as it was. Its mode stays, and its owner where the system
/// allows that; behind a symbolic link the file it leads to is replaced.
///
/// # Errors
///
/// [`FileError::Write`], also when the file may not be written although its folder may.
pub fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    try_replace(path, text).map_err(|source| FileError::Write {
        path: path.to_owned(),
        source,
    })
}

fn try_replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    // Renaming asks only for the folder's permission; a file that is protected shall stay so.
    let old = OpenOptions::new().write(true).open(&path)?.metadata()?;
    let folder = path.parent().ok_or(io::ErrorKind::NotADirectory)?;
    let mut new = tempfile::Builder::new()
        .prefix(".kiln-fmt-")
        .tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    keep_owner(&old, new.as_file());
    new.as_file().set_permissions(old.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&path)?;
    Ok(())
}

#[cfg(unix)]
fn keep_owner(old: &fs::Metadata, new: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};

    // Only root may give files away; for others the owner of what they write is themselves.
    drop(fchown(new, Some(old.uid()), Some(old.gid())));
}

#[cfg(not(unix))]
fn keep_owner(_old: &fs::Metadata, _new: &File) {}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn check(names: &[&str], reach: Reach, expected: &[&str]) {
        let folder = folder(names);
        let found = find(folder.path(), reach);
        let below = |path: &PathBuf| {
            path.strip_prefix(folder.path())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(found.files.iter().map(below).collect::<Vec<_>>(), expected);
        assert!(found.errors.is_empty());
    }

    #[test]
    fn a_folder_stands_for_its_templates_and_variable_files_by_name() {
        let names = [
            "b.pkr.hcl",
            "a.pkrvars.hcl",
            "c.hcl",
            "d.pkr.json",
            "pkr.hcl",
            "s/e.pkr.hcl",
        ];
        check(&names, Reach::Folder, &["a.pkrvars.hcl", "b.pkr.hcl"]);
        check(
            &names,
            Reach::Tree,
            &["a.pkrvars.hcl", "b.pkr.hcl", "s/e.pkr.hcl"],
        );
    }

    #[test]
    fn hidden_things_and_copies_of_editors_are_left_out() {
        let names = [
            ".a.pkr.hcl",
            ".git/b.pkr.hcl",
            "c.pkr.hcl~",
            "#d.pkr.hcl#",
            "#e.pkr.hcl",
        ];
        check(&names, Reach::Tree, &["#e.pkr.hcl"]);
    }

    #[test]
    fn a_file_must_have_the_right_name_even_when_there_is_none() {
        let found = find(Path::new("./x//y.pkr.hcl"), Reach::Folder);
        assert_eq!(found.files, [Path::new("x/y.pkr.hcl")]);
        let found = find(Path::new("x.json"), Reach::Folder);
        assert_eq!(found.errors[0].to_string(), "file x.json is not a HCL file");
    }

    #[test]
    fn replacing_keeps_the_mode_and_follows_links() {
        let folder = folder(&["a.pkr.hcl"]);
        let (file, link) = (
            folder.path().join("a.pkr.hcl"),
            folder.path().join("b.pkr.hcl"),
        );
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("a.pkr.hcl", &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(read(&file).unwrap(), "new");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
            0o640
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing is left behind"
        );
    }

    #[test]
    fn a_failure_says_which_file_and_leaves_everything_alone() {
        let folder = folder(&["a.pkr.hcl"]);
        let missing = folder.path().join("missing.pkr.hcl");
        assert!(
            matches!(replace(&missing, "x"), Err(FileError::Write { path, .. }) if path == missing)
        );
        assert!(matches!(read(&missing), Err(FileError::Read { .. })));
        let file = folder.path().join("a.pkr.hcl");
        fs::write(&file, b"ab\xffc").unwrap();
        assert!(matches!(
            read(&file),
            Err(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::InvalidData
        ));
    }
}
