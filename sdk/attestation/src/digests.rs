//! Digests of files.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256, SHA512};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// SHA-256 of bytes in memory, as lower-case hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&SHA256, bytes))
}

/// Why a file has no digests.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// It cannot be read.
    #[error("cannot read `{}` to compute its digests", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The caller wanted no more.
    #[error("computing the digests of `{}` was cancelled", path.display())]
    Stopped {
        /// The file.
        path: PathBuf,
    },
}

/// The digests of one file, as lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigests {
    /// SHA-256.
    pub sha256: String,
    /// SHA-512.
    pub sha512: String,
}

impl FileDigests {
    /// Reads the file once, a piece at a time, and asks `stopped` before each piece.
    ///
    /// # Errors
    ///
    /// [`DigestError::Read`], or [`DigestError::Stopped`] when `stopped` says so.
    pub fn of(path: &Path, stopped: &dyn Fn() -> bool) -> Result<Self, DigestError> {
        let failed = |source| DigestError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let (mut sha256, mut sha512) = (Context::new(&SHA256), Context::new(&SHA512));
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            if stopped() {
                return Err(DigestError::Stopped {
                    path: path.to_owned(),
                });
            }
            let count = file.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            sha256.update(&buffer[..count]);
            sha512.update(&buffer[..count]);
        }
        Ok(Self {
            sha256: hex::encode(sha256.finish()),
            sha512: hex::encode(sha512.finish()),
        })
    }

    /// By the names of in-toto's digest sets.
    #[must_use]
    pub fn to_set(&self) -> BTreeMap<String, String> {
        let pairs = [("sha256", &self.sha256), ("sha512", &self.sha512)];
        let owned = pairs.map(|(name, digest)| (name.to_owned(), digest.clone()));
        owned.into_iter().collect()
    }

    /// The digest with a name of in-toto's digest sets; `None` for those not computed.
    #[must_use]
    pub fn get(&self, algorithm: &str) -> Option<&str> {
        match algorithm {
            "sha256" => Some(&self.sha256),
            "sha512" => Some(&self.sha512),
            _ => None,
        }
    }
}
