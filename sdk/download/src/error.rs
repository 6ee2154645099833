//! What can go wrong during a download.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sdk_component::Failure;

use crate::checksum::{Checksum, ChecksumError};

/// A download failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The run was told to stop.
    #[error("the download was cancelled")]
    Cancelled,
    /// No source worked; each one says why.
    #[error("error downloading {what}: [{}]", listed(tried))]
    AllFailed {
        /// What was wanted, for example `ISO`.
        what: String,
        /// Every source, in the order they were tried.
        tried: Vec<Tried>,
    },
    /// The source needs something that is not here.
    #[error(
        "`{url}` cannot be downloaded: `{scheme}` sources are not supported, only http, https and \
         local files"
    )]
    Unsupported {
        /// The source as the template has it.
        url: String,
        /// Its scheme or forced getter.
        scheme: String,
    },
    /// The source is no URL and no path.
    #[error("`{url}` is not a usable URL: {problem}")]
    Url {
        /// The source as the template has it.
        url: String,
        /// Why.
        problem: String,
    },
    /// The server does not give the file.
    #[error("`{url}`: the server answered {status}")]
    Status {
        /// The source.
        url: String,
        /// The status line.
        status: reqwest::StatusCode,
    },
    /// The connection failed.
    #[error("`{url}`: the connection failed{}", after(*attempts))]
    Transfer {
        /// The source.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// Why.
        source: reqwest::Error,
    },
    /// The server sent fewer bytes than it promised, or others than asked for.
    #[error("`{url}`: the server sent {received} of {expected} bytes")]
    Cut {
        /// The source.
        url: String,
        /// Bytes that arrived.
        received: u64,
        /// Bytes that were announced.
        expected: u64,
    },
    /// The file is not the one the checksum is about.
    #[error("checksums did not match for `{}`: expected {expected}, got {actual}", path.display())]
    Mismatch {
        /// The file that was checked; it is removed when it was downloaded.
        path: PathBuf,
        /// What the template says.
        expected: Checksum,
        /// What the file has.
        actual: Checksum,
    },
    /// The checksum option is not usable.
    #[error("the checksum is not usable")]
    Checksum {
        /// Why.
        #[from]
        source: ChecksumError,
    },
    /// The checksum file could not be had.
    #[error("cannot read the checksum file `{url}`")]
    ChecksumFile {
        /// Where it should be.
        url: String,
        /// Why.
        source: Box<DownloadError>,
    },
    /// The archive cannot be unpacked.
    #[error("cannot unpack `{}`: {problem}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// There is no room; what was written of the file is removed.
    #[error(
        "no space left on the disk while writing `{}`; the unfinished file was removed. Make room \
         there or set PACKER_CACHE_DIR to a larger disk",
        path.display()
    )]
    DiskFull {
        /// The file that was being written.
        path: PathBuf,
    },
    /// A local file failed.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// What was attempted: `open`, `create`, `read`, ….
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another download of the same file holds the lock.
    #[error(
        "another build has been downloading to `{}` for {} s; when none is running, remove the lock",
        lock.display(), waited.as_secs()
    )]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The HTTP client cannot be set up.
    #[error("cannot set up the HTTP client")]
    Client {
        /// Why.
        source: reqwest::Error,
    },
    /// An environment variable has no usable value.
    #[error(
        "the environment variable {name} has the value `{value}`, which is not a duration like `30m`"
    )]
    Environment {
        /// Which one.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

/// One source and what came of it.
#[derive(Debug)]
pub struct Tried {
    /// The source, without passwords.
    pub url: String,
    /// Why it failed.
    pub error: DownloadError,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", chain(&self.error))
    }
}

impl DownloadError {
    /// What became of writing `path`: a full disk is told apart, because the remedy differs.
    pub(crate) fn file(operation: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                path: path.to_owned(),
            },
            _ => Self::File {
                operation,
                path: path.to_owned(),
                source,
            },
        }
    }
}

impl From<DownloadError> for Failure {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::Cancelled => Self::cancelled(),
            other => Self::new(chain(&other)),
        }
    }
}

/// The error with all its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    Failure::from_error(error).message
}

fn listed(tried: &[Tried]) -> String {
    tried
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

fn after(attempts: u32) -> String {
    if attempts > 1 {
        format!(" after {attempts} attempts")
    } else {
        String::new()
    }
}
