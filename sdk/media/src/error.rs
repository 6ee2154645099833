//! What can go wrong while an image is made.

use std::io;
use std::path::PathBuf;

/// An image could not be made. All of these are the user's to fix, except [`MediaError::Write`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// A file or folder that shall go onto the image cannot be read.
    #[error("cannot read `{}` for the {medium}", path.display())]
    Read {
        /// `CD` or `floppy disk`.
        medium: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A wildcard cannot be understood.
    #[error("`{pattern}` is not a usable wildcard")]
    Pattern {
        /// As the template has it.
        pattern: String,
        /// Why.
        source: globset::Error,
    },
    /// A path on the image is empty or leaves the image.
    #[error("`{path}` is not a usable path on the {medium}: it must name a file below the root")]
    Path {
        /// `CD` or `floppy disk`.
        medium: &'static str,
        /// As the template has it.
        path: String,
    },
    /// Two inputs want to be the same thing in different ways.
    #[error("`{path}` would be both a file and a folder on the {medium}")]
    Conflict {
        /// `CD` or `floppy disk`.
        medium: &'static str,
        /// The path on the image.
        path: String,
    },
    /// A folder tree has no end.
    #[error("`{}` is more than {limit} folders deep; does a symbolic link lead back into it", path.display())]
    TooDeep {
        /// Where reading stopped.
        path: PathBuf,
        /// The deepest allowed level.
        limit: usize,
    },
    /// The files are too large for the medium.
    #[error(
        "the files do not fit on the floppy disk: they hold {needed_bytes} bytes, and a 1.44 MB \
         disk holds about {capacity_bytes}; use `cd_files` or fewer files"
    )]
    Full {
        /// Sum of all files, without what the file system itself needs.
        needed_bytes: u64,
        /// What fits.
        capacity_bytes: u64,
    },
    /// The image's layout was refused.
    #[error("cannot lay out the {medium}")]
    Layout {
        /// `CD` or `floppy disk`.
        medium: &'static str,
        /// Why.
        source: Box<hadris_fs::PathError>,
    },
    /// The image file could not be written.
    #[error("cannot write the {medium} image `{}`", path.display())]
    Write {
        /// `CD` or `floppy disk`.
        medium: &'static str,
        /// The image.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
