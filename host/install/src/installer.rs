//! Choosing, downloading, checking and placing one plugin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use host_plugin_client::tree::{FileName, Platform, checksum_file};
use host_plugin_client::{Reason, Said, Settings, ask_executable};
use host_template::{Constraints, SourceAddress, Version};

use crate::archive::extract;
use crate::error::InstallError;
use crate::fetch::{ARCHIVE_LIMIT, Part, Web};
use crate::lock::LockedPlugin;
use crate::origin::{Listing, Location, Origin, Release};
use crate::place::{Draft, hash_file, is_installed, remove_empty};
use crate::progress::{Meter, Watcher};
use crate::signature::Keys;

/// Plugins that are installed at the same time.
const AT_ONCE: usize = 4;
/// Versions that are tried before it is given up.
const VERSION_LIMIT: usize = 20;
/// How often an executable that was just written is started: another thread of this program may
/// have had it open while it started something.
const START_ATTEMPTS: u32 = 40;
const START_PAUSE: Duration = Duration::from_millis(25);

/// What is installed, where from and where to.
pub struct Installer<'a> {
    /// Where plugins are published; what comes first is tried first.
    pub origins: Vec<Origin>,
    /// The keys of those whose signatures count; without any, signatures are not looked at.
    pub keys: Option<Keys>,
    /// Token for GitHub.
    pub github_token: Option<String>,
    /// The folder of plugins.
    pub tree: PathBuf,
    /// Folder for downloads that are not whole.
    pub downloads: PathBuf,
    /// How plugins are asked for their description.
    pub settings: &'a Settings,
    /// Who is told.
    pub watcher: &'a dyn Watcher,
}

/// A plugin that is to be installed.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where it comes from.
    pub source: SourceAddress,
    /// What its version has to be; the newest that meets all of it is taken.
    pub constraints: Vec<Constraints>,
    /// What the lock file has of it.
    pub locked: Option<LockedPlugin>,
    /// What is done when it is there already.
    pub again: Again,
}

/// What is done when a plugin is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Nothing.
    Keep,
    /// It is installed once more.
    Replace,
}

/// A plugin that is installed.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Where it comes from.
    pub source: SourceAddress,
    /// Its version.
    pub version: Version,
    /// The executable.
    pub path: PathBuf,
    /// SHA-256 of the executable, in hexadecimal.
    pub sha256: String,
    /// SHA-256 of the archives of all platforms, by file name, when they are known.
    pub archives: BTreeMap<String, String>,
    /// Whether it was installed just now.
    pub is_new: bool,
}

/// Why a version is not installed.
enum Failure {
    /// Another version may do.
    Unsuitable(String),
    /// Something is wrong that another version must not hide.
    Error(InstallError),
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        Self::Error(error)
    }
}

impl Installer<'_> {
    /// Installs several plugins side by side; results are in the order of `wanted`.
    pub async fn install_all(&self, wanted: &[Wanted]) -> Vec<Result<Placed, InstallError>> {
        let web = Web::new(self.github_token.as_deref());
        let web = match web {
            Ok(web) => web,
            Err(error) => return vec![Err(error)],
        };
        futures::stream::iter(wanted)
            .map(|one| Box::pin(self.install(&web, one)))
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    async fn install(&self, web: &Web, wanted: &Wanted) -> Result<Placed, InstallError> {
        let source = &wanted.source;
        let origins: Vec<&Origin> = self
            .origins
            .iter()
            .filter(|one| one.serves(source))
            .collect();
        if origins.is_empty() {
            return Err(InstallError::Unreachable {
                source_address: source.to_string(),
            });
        }
        let (mut tried, mut unreached) = (Vec::new(), None);
        for origin in origins {
            match self.install_from(web, origin, wanted, &mut tried).await {
                Ok(Some(placed)) => return Ok(placed),
                Ok(None) => {}
                Err(error) if error.is_of_server() || error.is_absence() => {
                    tried.push(error.report());
                    unreached = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match unreached {
            Some(error) if tried.len() == 1 => Err(error),
            _ => Err(InstallError::NoVersion {
                source_address: source.to_string(),
                wanted: wanted.text(),
                platform: Platform::current(),
                tried,
            }),
        }
    }

    /// Installs the newest version that will do; `None` when this origin has none, which `tried`
    /// explains.
    async fn install_from(
        &self,
        web: &Web,
        origin: &Origin,
        wanted: &Wanted,
        tried: &mut Vec<String>,
    ) -> Result<Option<Placed>, InstallError> {
        let listing = origin.versions(web, &wanted.source).await?;
        let versions = wanted.choose(&listing);
        if versions.is_empty() {
            tried.push(format!("{}: {}", origin.shown(), wanted.none_of(&listing)));
        }
        for version in versions.iter().take(VERSION_LIMIT) {
            let done = self.install_version(web, origin, (wanted, &listing), version);
            match done.await {
                Ok(placed) => return Ok(Some(placed)),
                Err(Failure::Unsuitable(reason)) => {
                    tracing::debug!(%version, reason, "a version is not installed");
                    tried.push(format!("{} {version}: {reason}", origin.shown()));
                }
                Err(Failure::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn install_version(
        &self,
        web: &Web,
        origin: &Origin,
        (wanted, listing): (&Wanted, &Listing),
        version: &Version,
    ) -> Result<Placed, Failure> {
        let release = origin
            .release(
                (web, self.keys.as_ref()),
                listing,
                (&wanted.source, version),
                &Platform::current(),
            )
            .await?
            .map_err(Failure::Unsuitable)?;
        let locked = wanted.locked.as_ref();
        let locked = locked.filter(|locked| locked.version.compare(version).is_eq());
        let expected = locked.and_then(|one| {
            let here = Platform::current().to_string();
            one.executables.get(&here)
        });
        if let Some(locked) = locked {
            check_lock(&locked.archives, expected.is_some(), &release)?;
        }
        let folder = self.tree.join(wanted.source.as_str());
        let target = folder.join(release.executable.to_string());
        if wanted.again == Again::Keep
            && let Some(sha256) = is_installed(&target)
        {
            check_executable(expected, &target.display().to_string(), &sha256)?;
            return Ok(placed(wanted, release, target, sha256, false));
        }
        let part = self.download(web, &release).await?;
        let (draft, sha256) = self.extract(&part, &release, &wanted.source).await?;
        check_executable(expected, &release.executable.to_string(), &sha256)?;
        let draft = draft.close();
        let said = self.ask(draft.path(), &release.executable).await?;
        check_version(&said, &release.executable)?;
        let path = draft.publish(&release.executable, &sha256)?;
        part.remove();
        Ok(placed(wanted, release, path, sha256, true))
    }

    /// The whole archive, with the checksum that it was published with.
    async fn download(&self, web: &Web, release: &Release) -> Result<Part, InstallError> {
        let mut part = Part::open(&self.downloads, &release.sha256).await?;
        let resumed = std::fs::metadata(part.path()).is_ok_and(|facts| facts.len() > 0);
        self.fill(web, release, &mut part).await?;
        let mut found = hash_file(part.path())?;
        if resumed && found != release.sha256 {
            // What an earlier run left was of no use.
            part.restart()?;
            self.fill(web, release, &mut part).await?;
            found = hash_file(part.path())?;
        }
        if found == release.sha256 {
            return Ok(part);
        }
        part.remove();
        Err(InstallError::Changed {
            what: release.location.to_string(),
            by: format!("`{}`", release.sums_shown),
            expected: release.sha256.clone(),
            found,
        })
    }

    async fn fill(
        &self,
        web: &Web,
        release: &Release,
        part: &mut Part,
    ) -> Result<(), InstallError> {
        match &release.location {
            Location::Web(url) => {
                let meter = Meter::new(self.watcher, release.archive.clone());
                web.archive(url, part, &meter).await
            }
            Location::File(path) => {
                part.restart()?;
                copy_limited(path, part)
            }
        }
    }

    async fn extract(
        &self,
        part: &Part,
        release: &Release,
        source: &SourceAddress,
    ) -> Result<(Draft, String), InstallError> {
        let (archive, shown) = (part.path().to_path_buf(), release.location.to_string());
        let wanted = release.executable.to_string();
        let mut draft = Draft::new(&self.tree, source)?;
        let folder = self.tree.clone();
        let work = tokio::task::spawn_blocking(move || {
            let sha256 = extract(&archive, &shown, &wanted, &mut draft)?;
            Ok((draft, sha256))
        });
        // Joining fails only when the runtime is shutting down.
        work.await.unwrap_or_else(|error| {
            let error = std::io::Error::other(error);
            Err(InstallError::file("write into", &folder, error))
        })
    }

    async fn ask(&self, path: &Path, name: &FileName) -> Result<Said, Failure> {
        let asked = self.ask_patiently(path, name).await;
        asked.map_err(|reason| Failure::Unsuitable(reason.report()))
    }

    /// What an executable that was just written says about itself.
    pub(crate) async fn ask_patiently(&self, path: &Path, name: &FileName) -> Result<Said, Reason> {
        let mut attempt = 1;
        loop {
            match ask_executable(self.settings, path, name).await {
                Err(reason) if attempt < START_ATTEMPTS && reason.is_busy() => {
                    tokio::time::sleep(START_PAUSE).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }
}

impl Wanted {
    /// The versions that will do, newest first. What the lock file has is the only one.
    fn choose(&self, listing: &Listing) -> Vec<Version> {
        let fits = |version: &&Version| {
            let locked = self.locked.as_ref();
            !version.is_prerelease()
                && self.constraints.iter().all(|limits| limits.allow(version))
                && locked.is_none_or(|locked| locked.version.compare(version).is_eq())
        };
        let mut versions: Vec<Version> = listing.versions.iter().filter(fits).cloned().collect();
        versions.sort_by(|one, other| other.compare(one));
        versions.dedup_by(|one, other| one.compare(other).is_eq());
        versions
    }

    /// What it has to be, in words.
    fn text(&self) -> Option<String> {
        let limits = self.constraints.iter().map(|limits| format!("`{limits}`"));
        let mut words: Vec<String> = limits.collect();
        let locked = self.locked.as_ref();
        words.extend(locked.map(|one| format!("`{}` (in the lock file)", one.version)));
        (!words.is_empty()).then(|| words.join(" and "))
    }

    fn none_of(&self, listing: &Listing) -> String {
        let mut newest = listing.versions.clone();
        newest.sort_by(|one, other| other.compare(one));
        let shown: Vec<String> = newest.iter().take(5).map(ToString::to_string).collect();
        match shown.as_slice() {
            [] => "it has no version".to_owned(),
            shown if newest.len() > shown.len() => {
                format!(
                    "its newest versions are {} and older ones",
                    shown.join(", ")
                )
            }
            shown => format!("its versions are {}", shown.join(", ")),
        }
    }
}

fn placed(
    wanted: &Wanted,
    release: Release,
    path: PathBuf,
    sha256: String,
    is_new: bool,
) -> Placed {
    Placed {
        source: wanted.source.clone(),
        version: release.executable.version,
        path,
        sha256,
        archives: release.archives,
        is_new,
    }
}

fn copy_limited(path: &Path, part: &mut Part) -> Result<(), InstallError> {
    let failed = |error| InstallError::file("read", path, error);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() > ARCHIVE_LIMIT {
        return Err(InstallError::TooLong {
            url: path.display().to_string(),
            limit: ARCHIVE_LIMIT,
        });
    }
    part.append_all(&mut file, path)
}

/// Whether a release is the one that is locked: no archive of it has changed, and the one that is
/// needed is locked itself, or its executable is.
fn check_lock(
    locked: &BTreeMap<String, String>,
    executable_is_locked: bool,
    release: &Release,
) -> Result<(), InstallError> {
    for (archive, found) in &release.archives {
        if let Some(expected) = locked.get(archive).filter(|expected| *expected != found) {
            return Err(InstallError::Changed {
                what: match *archive == release.archive {
                    true => release.location.to_string(),
                    false => archive.clone(),
                },
                by: "the lock file".to_owned(),
                expected: expected.clone(),
                found: found.clone(),
            });
        }
    }
    if locked.is_empty() || executable_is_locked || locked.contains_key(&release.archive) {
        return Ok(());
    }
    Err(InstallError::NotLocked {
        archive: release.archive.clone(),
    })
}

pub(crate) fn check_executable(
    expected: Option<&String>,
    what: &str,
    found: &str,
) -> Result<(), InstallError> {
    match expected {
        Some(expected) if expected != found => Err(InstallError::Changed {
            what: what.to_owned(),
            by: "the lock file".to_owned(),
            expected: expected.clone(),
            found: found.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Whether a plugin is what it was published as.
fn check_version(said: &Said, name: &FileName) -> Result<(), Failure> {
    let Ok(version) = Version::parse(&said.version) else {
        let text = format!("it says that it is version `{}`", said.version);
        return Err(Failure::Unsuitable(text));
    };
    if version.is_prerelease() {
        return Err(Failure::Error(InstallError::Prerelease {
            plugin: name.to_string(),
            version: said.version.clone(),
        }));
    }
    if version.compare(&name.version).is_ne() {
        let text = format!("it says that it is version {version}");
        return Err(Failure::Unsuitable(text));
    }
    match &said.api {
        Some(api) if *api != name.api => {
            let text = format!("it says that it speaks version {api} of the plugin protocol");
            Err(Failure::Unsuitable(text))
        }
        _ => Ok(()),
    }
}

/// Removes an installed executable with its checksum, and the folders below `tree` that are empty
/// then.
///
/// # Errors
///
/// When a file cannot be removed; a checksum that is not there is no error.
pub fn remove(executable: &Path, tree: &Path) -> Result<(), InstallError> {
    let failed = |path: &Path, error| InstallError::file("remove", path, error);
    let sum = checksum_file(executable);
    match std::fs::remove_file(executable) {
        // What is left of it may be the checksum alone.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && sum.exists() => {}
        Err(error) => return Err(failed(executable, error)),
        Ok(()) => {}
    }
    match std::fs::remove_file(&sum) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed(&sum, error));
        }
        _ => {}
    }
    remove_empty(executable.parent(), tree);
    Ok(())
}
