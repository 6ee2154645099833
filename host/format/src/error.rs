//! What can go wrong with files.

use std::io;
use std::path::{Path, PathBuf};

/// A file or folder cannot be dealt with. Whatever happens, the file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The name is not that of a template or of a variable file.
    #[error("file {} is not a HCL file{}", path.display(), advice(path))]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read as text.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder cannot be listed.
    #[error("cannot list the folder `{}`", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The new content cannot be stored.
    #[error("cannot write `{}`; it was left as it is", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What else there is to say about a file that is not HCL.
fn advice(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml") => {
            "; YAML templates are left as they are, since their layout means something"
        }
        _ => "",
    }
}

impl FileError {
    /// The file or folder concerned.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Name { path }
            | Self::Read { path, .. }
            | Self::List { path, .. }
            | Self::Write { path, .. } => path,
        }
    }
}
