//! Where downloads lie, who may write there, and what is known about them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sdk_component::RunContext;
use serde::{Deserialize, Serialize};

use crate::checksum::{Checksum, sha1_hex};
use crate::error::DownloadError;

/// How often a lock that another build holds is tried again.
const LOCK_POLL: Duration = Duration::from_millis(200);
/// How long another build may hold a lock; its death frees it at once.
const LOCK_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

/// Where a download shall lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The shared cache.
    pub cache_dir: PathBuf,
    /// `iso_target_path`: a file, or a folder when it has no extension; empty for the cache.
    pub path: PathBuf,
    /// `iso_target_extension`, without a dot.
    pub extension: String,
}

impl Target {
    /// The file for a download from `url`. Its name is the SHA-1 of the checksum's text, or of
    /// the URL when there is none, so every mirror of an image shares one file.
    #[must_use]
    pub fn file(&self, url: &str, checksum: Option<&Checksum>) -> PathBuf {
        let key = sha1_hex(&checksum.map_or_else(|| url.to_owned(), ToString::to_string));
        let name = format!("{key}.{}", self.extension);
        if self.path.as_os_str().is_empty() {
            self.cache_dir.join(name)
        } else if self.path.extension().is_none() {
            self.path.join(name)
        } else {
            self.path.clone()
        }
    }
}

/// `path` with `.suffix` after its own extension.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<(), DownloadError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DownloadError::file("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// The right to write one target. Gone when dropped, also when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other build, in this process or another, writes `target`.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Cancelled`], [`DownloadError::Locked`], or what the file system says.
    pub(crate) async fn acquire(cx: &RunContext, target: &Path) -> Result<Self, DownloadError> {
        if let Some(folder) = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder)
                .map_err(|source| DownloadError::file("create", folder, source))?;
        }
        let path = beside(target, "lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| DownloadError::file("open", &path, source))?;
        let started = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(source)) => {
                    return Err(DownloadError::file("lock", &path, source));
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if started.elapsed() > LOCK_LIMIT {
                return Err(DownloadError::Locked {
                    lock: path,
                    waited: started.elapsed(),
                });
            }
            if !told {
                told = true;
                cx.say(format!(
                    "Waiting for another download of {}",
                    target.display()
                ))
                .await;
            }
            cx.until_cancelled(tokio::time::sleep(LOCK_POLL))
                .await
                .map_err(|_| DownloadError::Cancelled)?;
        }
    }
}

/// What is known about a file in the cache that its bytes do not tell; kept beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Fingerprint of where it came from; the address itself may hold a password.
    pub(crate) url: String,
    /// The server's mark for this version of it: an entity tag or a modification date.
    pub(crate) validator: Option<String>,
    /// The checksum of the archive it was unpacked from.
    pub(crate) archive: Option<String>,
    /// Its own SHA-256, when it was unpacked from an archive.
    pub(crate) unpacked: Option<String>,
}

impl Note {
    /// The note beside `path`; nothing when there is none or it cannot be understood.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(beside(path, "note")).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), DownloadError> {
        let path = beside(path, "note");
        let text = serde_json::to_string(self).expect("a struct of strings is always JSON");
        std::fs::write(&path, text).map_err(|source| DownloadError::file("write", &path, source))
    }

    pub(crate) fn forget(path: &Path) -> Result<(), DownloadError> {
        remove(&beside(path, "note"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        let target = Target {
            cache_dir: PathBuf::from("/cache"),
            path: PathBuf::from(path),
            extension: "iso".into(),
        };
        let checksum = Checksum::parse("md5:900150983cd24fb0d6963f7d28e17f72").expect("good");
        let file = target.file("http://a.test/x.iso", Some(&checksum));
        assert_eq!(file, Path::new(expected));
    }

    #[test]
    fn is_named_by_the_hash_of_the_checksum_text() {
        check("", "/cache/eb1bf275e6d170e63a6282ff84ed2de68b50ced6.iso");
        check(
            "/isos",
            "/isos/eb1bf275e6d170e63a6282ff84ed2de68b50ced6.iso",
        );
        check("/isos/debian.iso", "/isos/debian.iso");
    }
}
