//! What can go wrong with files.

use std::io;
use std::path::PathBuf;

/// A file or folder cannot be dealt with. Whatever happens, the file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The name is not that of a template or of a variable file.
    #[error("file {} is not a HCL file", path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
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
    /// The file holds bytes that are no text.
    #[error("`{}` is not UTF-8 text: byte {offset} begins no character", path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The first wrong byte, counted from zero.
        offset: usize,
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

impl FileError {
    /// The file or folder concerned.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        match self {
            Self::Name { path }
            | Self::Read { path, .. }
            | Self::List { path, .. }
            | Self::Encoding { path, .. }
            | Self::Write { path, .. } => path,
        }
    }
}
