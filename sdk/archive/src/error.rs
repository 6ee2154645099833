//! What can go wrong.

use std::io;
use std::path::PathBuf;

use sdk_component::Failure;

/// An archive was not written. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A file that belongs into the archive cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive cannot be written, for example because the disk is full.
    #[error("cannot write archive `{}`", path.display())]
    Write {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive would replace one of the files that belong into it.
    #[error(
        "the archive `{}` is one of the files to pack; give it another name",
        path.display()
    )]
    OutputIsInput {
        /// The archive.
        path: PathBuf,
    },
    /// A format for one file was asked to hold another number.
    #[error("this format holds exactly one file, not {count}; use tar or zip")]
    NotOneFile {
        /// How many there are.
        count: usize,
    },
    /// The run was cancelled.
    #[error("context canceled")]
    Cancelled,
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Cancelled => Self::cancelled(),
            other => Self::from_error(&other),
        }
    }
}
