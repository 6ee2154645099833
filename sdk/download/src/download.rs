//! One file from the first source that has it.

use std::path::{Path, PathBuf};

use reqwest::{Client, Url};
use sdk_component::{Meter, RunContext};
use tokio_util::sync::CancellationToken;

use crate::cache::{self, Lock, Note, Target};
use crate::checksum::{Algorithm, Checksum, ChecksumSpec};
use crate::checksum_file;
use crate::error::{DownloadError, Tried, chain};
use crate::http::{self, Transfer};
use crate::source::{Place, Source};
use crate::unpack::Archive;

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// What it is, for messages, for example `ISO`.
    pub what: String,
    /// Where it can be had, tried in order; URLs or paths.
    pub urls: Vec<String>,
    /// How it is verified.
    pub checksum: ChecksumSpec,
    /// Where it shall lie when it comes from elsewhere.
    pub target: Target,
}

/// A file that is here and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Where it lies: in the cache, or where the template says for local files, which are used in
    /// place.
    pub path: PathBuf,
    /// The source that had it.
    pub url: String,
}

impl Download {
    /// Gets the file from the first source that works.
    ///
    /// # Errors
    ///
    /// [`DownloadError::AllFailed`] with what became of each source; [`DownloadError::Cancelled`];
    /// [`DownloadError::ChecksumFile`] and [`DownloadError::Checksum`] when the checksum cannot be
    /// told.
    pub async fn run(&self, cx: &RunContext) -> Result<Downloaded, DownloadError> {
        cx.say(format!("Retrieving {}", self.what)).await;
        let fetch = Fetch {
            cx,
            client: http::client()?,
            target: &self.target,
        };
        let checksum = self.resolved(&fetch).await?;
        let mut tried = Vec::new();
        for url in &self.urls {
            let shown = Source::parse(url).map_or_else(|_| url.clone(), |source| source.shown);
            cx.say(format!("Trying {shown}")).await;
            let full = with_checksum(&shown, checksum.as_ref());
            if full != shown {
                cx.say(format!("Trying {full}")).await;
            }
            match fetch.from(url, checksum.as_ref()).await {
                Ok(path) => {
                    cx.say(format!("{full} => {}", path.display())).await;
                    return Ok(Downloaded {
                        path,
                        url: url.clone(),
                    });
                }
                Err(DownloadError::Cancelled) => return Err(DownloadError::Cancelled),
                Err(error) => {
                    cx.error(format!("Download failed {}", chain(&error))).await;
                    tried.push(Tried { url: shown, error });
                }
            }
        }
        Err(DownloadError::AllFailed {
            what: self.what.clone(),
            tried,
        })
    }

    /// The checksum, read from its file when the template names one.
    async fn resolved(&self, fetch: &Fetch<'_>) -> Result<Option<Checksum>, DownloadError> {
        match &self.checksum {
            ChecksumSpec::None => Ok(None),
            ChecksumSpec::Known(checksum) => Ok(Some(checksum.clone())),
            ChecksumSpec::File(place) => {
                let text = fetch.text(place).await.map_err(|source| match source {
                    DownloadError::Cancelled => DownloadError::Cancelled,
                    other => DownloadError::ChecksumFile {
                        url: place.clone(),
                        source: Box::new(other),
                    },
                })?;
                let names = names(&self.urls);
                Ok(Some(checksum_file::find(&text, &names, place)?))
            }
        }
    }
}

/// The names a checksum file may know the file by: each URL and its last component.
pub(crate) fn names(urls: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for url in urls {
        names.extend(Source::parse(url).ok().map(|source| source.file_name()));
        names.push(url.clone());
    }
    names.retain(|name| !name.is_empty());
    names
}

fn with_checksum(shown: &str, checksum: Option<&Checksum>) -> String {
    match checksum {
        Some(checksum) => {
            let joint = if shown.contains('?') { '&' } else { '?' };
            format!("{shown}{joint}checksum={checksum}")
        }
        None => shown.to_owned(),
    }
}

struct Fetch<'a> {
    cx: &'a RunContext,
    client: Client,
    target: &'a Target,
}

impl Fetch<'_> {
    /// Reads a checksum file.
    async fn text(&self, place: &str) -> Result<String, DownloadError> {
        let source = Source::parse(place)?;
        match &source.place {
            Place::Web(url) => http::text(self.cx, &self.client, url, &source.shown).await,
            Place::Local(path) => tokio::fs::read_to_string(path)
                .await
                .map_err(|error| DownloadError::file("read", path, error)),
        }
    }

    async fn from(&self, url: &str, checksum: Option<&Checksum>) -> Result<PathBuf, DownloadError> {
        let source = Source::parse(url)?;
        let checksum = checksum.or(source.checksum.as_ref());
        match &source.place {
            Place::Local(path) => self.local(&source, path, checksum).await,
            Place::Web(address) => self.web(&source, address, url, checksum).await,
        }
    }

    /// A local file is used where it is; only an archive is unpacked into the cache.
    async fn local(
        &self,
        source: &Source,
        path: &Path,
        checksum: Option<&Checksum>,
    ) -> Result<PathBuf, DownloadError> {
        let facts =
            std::fs::metadata(path).map_err(|error| DownloadError::file("open", path, error))?;
        if facts.is_dir() {
            let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(DownloadError::file("open", path, error));
        }
        if let Some(expected) = checksum {
            self.verified(path, expected).await?;
        }
        let absolute =
            std::path::absolute(path).map_err(|error| DownloadError::file("find", path, error))?;
        let Some(archive) = source.archive else {
            return Ok(absolute);
        };
        let target = self.target.file(&source.shown, checksum);
        let _lock = Lock::acquire(self.cx, &target).await?;
        self.unpacked(archive, path, &target, checksum).await?;
        Ok(target)
    }

    async fn web(
        &self,
        source: &Source,
        address: &Url,
        url: &str,
        checksum: Option<&Checksum>,
    ) -> Result<PathBuf, DownloadError> {
        let target = self.target.file(url, checksum);
        let _lock = Lock::acquire(self.cx, &target).await?;
        if self.usable(source, address, &target, checksum).await? {
            return Ok(target);
        }
        let part = cache::beside(&target, "part");
        let transfer = Transfer {
            client: &self.client,
            url: address,
            shown: &source.shown,
            part: &part,
            verified: checksum.is_some(),
        };
        let continued = part.exists();
        let mut note = transfer.run(self.cx).await?;
        if let Some(expected) = checksum {
            match self.verified_or_removed(&part, expected).await {
                // The part of an earlier run may have been bad, which is no fault of the server.
                Err(DownloadError::Mismatch { .. }) if continued => {
                    note = transfer.run(self.cx).await?;
                    self.verified_or_removed(&part, expected).await?;
                }
                other => other?,
            }
        }
        match source.archive {
            Some(archive) => {
                self.unpacked(archive, &part, &target, checksum).await?;
                cache::remove(&part)?;
            }
            None => {
                std::fs::rename(&part, &target)
                    .map_err(|error| DownloadError::file("rename", &part, error))?;
                if checksum.is_none() {
                    note.write(&target)?;
                }
            }
        }
        Note::forget(&part)?;
        Ok(target)
    }

    /// Whether what lies at `target` is the file; a wrong one is removed.
    async fn usable(
        &self,
        source: &Source,
        address: &Url,
        target: &Path,
        checksum: Option<&Checksum>,
    ) -> Result<bool, DownloadError> {
        let Ok(found) = std::fs::metadata(target) else {
            return Ok(false);
        };
        if source.archive.is_some() {
            return self.usable_unpacked(target, checksum).await;
        }
        if let Some(expected) = checksum {
            return match self.verified_or_removed(target, expected).await {
                Ok(()) => Ok(true),
                Err(DownloadError::Mismatch { .. }) => Ok(false),
                Err(error) => Err(error),
            };
        }
        let facts = http::facts(self.cx, &self.client, address, &source.shown).await;
        let note = Note::read(target);
        Ok(facts.is_some_and(|facts| {
            let same_version = match note.and_then(|note| note.validator) {
                Some(known) => facts.validator.as_ref() == Some(&known),
                None => true,
            };
            same_version && facts.length == Some(found.len())
        }))
    }

    /// Whether `target` was unpacked from the right archive and is unchanged since.
    async fn usable_unpacked(
        &self,
        target: &Path,
        checksum: Option<&Checksum>,
    ) -> Result<bool, DownloadError> {
        let Some(note) = Note::read(target) else {
            return Ok(false);
        };
        let (Some(archive), Some(unpacked), Some(expected)) =
            (note.archive, note.unpacked, checksum)
        else {
            return Ok(false);
        };
        if archive != expected.to_string() {
            return Ok(false);
        }
        let Ok(own) = Checksum::parse(&unpacked) else {
            return Ok(false);
        };
        Ok(self.computed(target, &own).await? == own)
    }

    /// Unpacks into `target`, which appears only when it is whole.
    async fn unpacked(
        &self,
        archive: Archive,
        from: &Path,
        target: &Path,
        checksum: Option<&Checksum>,
    ) -> Result<(), DownloadError> {
        if self.usable_unpacked(target, checksum).await? {
            return Ok(());
        }
        let unfinished = cache::beside(target, "unpacking");
        let (source, out, cancel) = (
            from.to_owned(),
            unfinished.clone(),
            self.cx.cancel().clone(),
        );
        blocking(from, move || archive.unpack(&source, &out, &cancel)).await?;
        let zeros = Checksum::new(Algorithm::Sha256, &"0".repeat(64))?;
        let own = self.computed(&unfinished, &zeros).await?;
        std::fs::rename(&unfinished, target)
            .map_err(|error| DownloadError::file("rename", &unfinished, error))?;
        let note = Note {
            archive: checksum.map(ToString::to_string),
            unpacked: Some(own.to_string()),
            ..Note::default()
        };
        note.write(target)
    }

    async fn verified_or_removed(
        &self,
        path: &Path,
        expected: &Checksum,
    ) -> Result<(), DownloadError> {
        let result = self.verified(path, expected).await;
        if let Err(error @ DownloadError::Mismatch { .. }) = &result {
            tracing::warn!(%error, "a file has the wrong checksum");
            self.cx
                .say(format!(
                    "Checksum did not match, removing {}",
                    path.display()
                ))
                .await;
            cache::remove(path)?;
        }
        result
    }

    async fn verified(&self, path: &Path, expected: &Checksum) -> Result<(), DownloadError> {
        let actual = self.computed(path, expected).await?;
        if actual == *expected {
            return Ok(());
        }
        Err(DownloadError::Mismatch {
            path: path.to_owned(),
            expected: expected.clone(),
            actual,
        })
    }

    /// The checksum of a file, of the same type as `like`.
    async fn computed(&self, path: &Path, like: &Checksum) -> Result<Checksum, DownloadError> {
        let total = std::fs::metadata(path).map(|facts| facts.len()).ok();
        let meter = Meter::bytes(self.cx, format!("checking {}", path.display()), total);
        let (path, like) = (path.to_owned(), like.clone());
        let cancel: CancellationToken = self.cx.cancel().clone();
        blocking(&path.clone(), move || {
            let mut watch = |read| {
                meter.at(read);
                if cancel.is_cancelled() {
                    return Err(std::io::Error::from(std::io::ErrorKind::Interrupted));
                }
                Ok(())
            };
            like.of_file(&path, &mut watch).map_err(|error| {
                if cancel.is_cancelled() {
                    DownloadError::Cancelled
                } else {
                    DownloadError::file("read", &path, error)
                }
            })
        })
        .await
    }
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, DownloadError> + Send + 'static,
) -> Result<T, DownloadError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(DownloadError::file(
                "process",
                path,
                std::io::Error::other(error),
            ))
        })
}
