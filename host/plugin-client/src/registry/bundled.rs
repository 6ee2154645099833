//! The plugins that come with kiln.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::reason::{Reason, Rejected};
use crate::journal::{Behind, Owner};
use crate::process::owner_of;
use crate::tree::Family;

/// Executables beside the others that run plugins of other kinds, and offer nothing themselves.
pub(super) const PACKER_BRIDGE: &str = "kiln-plugin-packer";
/// The same for plugins that are shared libraries.
const LIBRARY_LOADER: &str = "kiln-plugin-dylib";
/// What the name of such a library ends with.
const LIBRARY_SUFFIX: &str = ".so";

/// The executables in `folders`, by folder and name. A folder that is not there has none.
pub(super) fn executables(folders: &[PathBuf], rejected: &mut Vec<Rejected>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        let mut paths: Vec<_> = entries
            .flatten()
            .filter(|entry| is_bundled_name(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect();
        paths.sort();
        for path in paths {
            let same = found
                .iter()
                .find(|other| other.file_name() == path.file_name());
            match same.map_or_else(
                || check_file(&path),
                |same| Err(Reason::Shadowed(same.clone())),
            ) {
                Ok(()) => found.push(path),
                Err(reason) => rejected.push(Rejected { path, reason }),
            }
        }
    }
    found
}

/// The bridge that runs plugins made for Packer: the first executable of its name in `folders`.
pub fn packer_bridge(folders: &[PathBuf]) -> Option<PathBuf> {
    let paths = folders.iter().map(|folder| folder.join(PACKER_BRIDGE));
    let mut usable = paths.filter(|path| check_executable(path).is_ok());
    usable.next()
}

/// What runs the plugin at `path`: itself, or for a shared library the loader in one of `folders`;
/// `None` when there is no loader.
pub(super) fn owner_in(folders: &[PathBuf], path: &Path) -> Option<Owner> {
    let Some(library) = library_name(path) else {
        return Some(owner_of(path.to_path_buf()));
    };
    let loaders = folders.iter().map(|folder| folder.join(LIBRARY_LOADER));
    let mut loaders = loaders.filter(|loader| check_executable(loader).is_ok());
    Some(Owner {
        name: library.clone(),
        behind: Some(Behind {
            executable: path.to_path_buf(),
            name: library,
        }),
        ..owner_of(loaders.next()?)
    })
}

/// The plugin's name when the file is a shared library.
fn library_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_prefix(Family::Kiln.prefix())?;
    name.strip_suffix(LIBRARY_SUFFIX).map(str::to_owned)
}

/// `kiln-plugin-` and a family, perhaps as a shared library; what a compiler leaves beside an
/// executable has another suffix.
fn is_bundled_name(name: &str) -> bool {
    let name = name.strip_suffix(LIBRARY_SUFFIX).unwrap_or(name);
    name != PACKER_BRIDGE
        && name != LIBRARY_LOADER
        && name
            .strip_prefix(Family::Kiln.prefix())
            .is_some_and(|family| {
                !family.is_empty()
                    && family
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            })
}

/// A library need not be executable.
fn check_file(path: &Path) -> Result<(), Reason> {
    match library_name(path) {
        Some(_) if path.is_file() => Ok(()),
        _ => check_executable(path),
    }
}

pub(super) fn check_executable(path: &Path) -> Result<(), Reason> {
    let data = std::fs::metadata(path).map_err(Reason::Unreadable)?;
    let executable = data.is_file() && data.permissions().mode() & 0o111 != 0;
    if executable {
        Ok(())
    } else {
        Err(Reason::NotExecutable)
    }
}
