//! Where plugins are published.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use host_plugin_client::tree::{Family, FileName, Platform};
use host_template::{SourceAddress, Version};
use reqwest::Url;
use serde::Deserialize;

use self::listing::{folders, index, tags};
use crate::error::InstallError;
use crate::fetch::{Web, shown};
use crate::signature::Keys;
use crate::sums::{self, Sums};

mod listing;

/// The owner whose plugins the HashiCorp site has; it knows names only, so that a plugin of
/// somebody else by the same name must not be looked for there.
const HASHICORP: &str = "hashicorp";

/// Where plugins are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `https://releases.hashicorp.com`, or what stands for it.
    HashiCorp(Url),
    /// Releases on GitHub: `https://api.github.com` and `https://github.com`.
    GitHub {
        /// The programming interface, which lists versions.
        api: Url,
        /// The site, which has the files.
        site: Url,
    },
    /// A web server that has, for each source, `SOURCE/index.json` and `SOURCE/VERSION/` with the
    /// files of a release.
    Mirror(Url),
    /// The same as folders and files; `index.json` is not needed.
    Folder(PathBuf),
}

/// The versions of a plugin at an origin.
#[derive(Debug)]
pub(crate) struct Listing {
    /// What the names of its files begin with; both are looked for when it is not known.
    family: Option<Family>,
    pub(crate) versions: Vec<Version>,
}

/// The archive of one version for one platform.
#[derive(Debug)]
pub(crate) struct Release {
    /// The list of checksums that it is in.
    pub(crate) sums_shown: String,
    /// Every archive of the version.
    pub(crate) archives: Sums,
    /// The archive's file name.
    pub(crate) archive: String,
    /// Its SHA-256 in hexadecimal.
    pub(crate) sha256: String,
    pub(crate) location: Location,
    /// The executable in it.
    pub(crate) executable: FileName,
}

/// Where a file is.
#[derive(Clone, Debug)]
pub(crate) enum Location {
    Web(Url),
    File(PathBuf),
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Web(url) => f.write_str(&shown(url)),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Origin {
    /// The mirror at a URL, or in a folder as seen from `working_dir`.
    ///
    /// # Errors
    ///
    /// [`InstallError::Address`] for a URL of another kind than `http`, `https` and `file`.
    pub fn mirror(text: &str, working_dir: &Path) -> Result<Self, InstallError> {
        if !text.contains("://") {
            return Ok(Self::Folder(working_dir.join(text)));
        }
        let url = base_url(text)?;
        match url.scheme() {
            "file" => url.to_file_path().map(Self::Folder).map_err(|()| {
                let problem = "it names no folder of this machine".to_owned();
                address(text, problem)
            }),
            _ => Ok(Self::Mirror(url)),
        }
    }

    /// Whether it can have plugins of this source.
    pub(crate) fn serves(&self, source: &SourceAddress) -> bool {
        match (self, source.triple()) {
            (Self::Mirror(_) | Self::Folder(_), _) => true,
            (Self::GitHub { .. }, Some(("github.com", ..))) => true,
            (Self::HashiCorp(_), Some(("github.com", owner, _))) => owner == HASHICORP,
            _ => false,
        }
    }

    /// What messages call it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::HashiCorp(url) | Self::Mirror(url) => shown(url),
            Self::GitHub { site, .. } => site.to_string(),
            Self::Folder(path) => path.display().to_string(),
        }
    }

    /// The versions of a plugin, in no order; those that are not written as Packer writes versions
    /// are left out.
    pub(crate) async fn versions(
        &self,
        web: &Web,
        source: &SourceAddress,
    ) -> Result<Listing, InstallError> {
        let listing = |family, versions| Listing { family, versions };
        match self {
            Self::HashiCorp(base) => {
                let file = format!("{}/index.json", product(source));
                let url = join(base, &file)?;
                let versions = index(&url, &web.list(&url).await?.bytes)?;
                Ok(listing(Some(Family::Packer), versions))
            }
            Self::GitHub { api, .. } => {
                let packer = tags(web, api, source, Family::Packer).await;
                match packer {
                    Ok(versions) if !versions.is_empty() => {
                        Ok(listing(Some(Family::Packer), versions))
                    }
                    // A plugin of kiln's own kind may have a repository of its own.
                    Ok(_) => Ok(match tags(web, api, source, Family::Kiln).await {
                        Ok(versions) => listing(Some(Family::Kiln), versions),
                        Err(error) if error.is_absence() => listing(None, Vec::new()),
                        Err(error) => return Err(error),
                    }),
                    Err(error) if error.is_absence() => {
                        let own = tags(web, api, source, Family::Kiln).await;
                        match own {
                            Ok(versions) => Ok(listing(Some(Family::Kiln), versions)),
                            Err(own) if own.is_absence() => Err(error),
                            Err(own) => Err(own),
                        }
                    }
                    Err(error) => Err(error),
                }
            }
            Self::Mirror(base) => {
                let url = join(base, &format!("{source}/index.json"))?;
                let versions = index(&url, &web.list(&url).await?.bytes)?;
                Ok(listing(None, versions))
            }
            Self::Folder(root) => {
                let versions = folders(&root.join(source.as_str()))?;
                Ok(listing(None, versions))
            }
        }
    }

    /// The archive of a version for `here`.
    ///
    /// # Errors
    ///
    /// The second kind says why there is none that can be used.
    pub(crate) async fn release(
        &self,
        (web, keys): (&Web, Option<&Keys>),
        listing: &Listing,
        (source, version): (&SourceAddress, &Version),
        here: &Platform,
    ) -> Result<Result<Release, String>, InstallError> {
        let families = match listing.family {
            Some(family) => vec![family],
            None => vec![Family::Kiln, Family::Packer],
        };
        let mut lists = 0;
        let mut problem = None;
        for family in families {
            let files = Files::new(self, family, source, version)?;
            let Some(sums) = files.sums(web, keys).await? else {
                continue;
            };
            lists += 1;
            match files.release(web, sums, here).await? {
                Ok(release) => return Ok(Ok(release)),
                Err(reason) => problem = Some(reason),
            }
        }
        Ok(Err(match lists {
            0 => "it has no list of checksums".to_owned(),
            _ => problem.unwrap_or_default(),
        }))
    }
}

/// The files of one version.
struct Files<'a> {
    origin: &'a Origin,
    family: Family,
    source: &'a SourceAddress,
    version: &'a Version,
    /// Where they are; ends with `/`.
    folder: Location,
}

impl<'a> Files<'a> {
    fn new(
        origin: &'a Origin,
        family: Family,
        source: &'a SourceAddress,
        version: &'a Version,
    ) -> Result<Self, InstallError> {
        let folder = match origin {
            Origin::HashiCorp(base) => {
                Location::Web(join(base, &format!("{}/{version}/", product(source)))?)
            }
            Origin::GitHub { site, .. } => {
                let (repository, v) = (repository(source, family), version);
                Location::Web(join(
                    site,
                    &format!("{repository}/releases/download/v{v}/"),
                )?)
            }
            Origin::Mirror(base) => Location::Web(join(base, &format!("{source}/{version}/"))?),
            Origin::Folder(root) => {
                Location::File(root.join(source.as_str()).join(version.to_string()))
            }
        };
        Ok(Self {
            origin,
            family,
            source,
            version,
            folder,
        })
    }

    fn location(&self, file: &str) -> Result<Location, InstallError> {
        Ok(match &self.folder {
            Location::Web(url) => Location::Web(join(url, file)?),
            Location::File(folder) => Location::File(folder.join(file)),
        })
    }

    /// What file names begin with.
    fn stem(&self) -> String {
        let (prefix, name, version) = (self.family.prefix(), self.source.name(), self.version);
        match self.origin {
            Origin::HashiCorp(_) => format!("{prefix}{name}_{version}_"),
            _ => format!("{prefix}{name}_v{version}_"),
        }
    }

    /// The list of checksums, and what it is called; its signature is good when there are keys.
    async fn sums(
        &self,
        web: &Web,
        keys: Option<&Keys>,
    ) -> Result<Option<(String, Sums)>, InstallError> {
        let name = format!("{}SHA256SUMS", self.stem());
        let location = self.location(&name)?;
        let url = location.to_string();
        let bytes = match read(web, &location).await {
            Ok(bytes) => bytes,
            Err(error) if error.is_absence() => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(keys) = keys {
            let signature = self.location(&format!("{name}.sig"))?;
            let signature = read(web, &signature).await;
            let refused = |problem: String| InstallError::Signature {
                url: url.clone(),
                problem,
            };
            let signature = match signature {
                Err(error) if error.is_absence() => {
                    return Err(refused("it is not signed, and keys are given".to_owned()));
                }
                other => other?,
            };
            keys.verify(&bytes, &signature, SystemTime::now())
                .map_err(refused)?;
        }
        let text = String::from_utf8_lossy(&bytes);
        let sums = sums::parse(&text).map_err(|problem| form(&url, problem))?;
        Ok(Some((url, sums)))
    }

    /// The archive for `here` in the list of checksums.
    async fn release(
        &self,
        web: &Web,
        (sums_shown, sums): (String, Sums),
        here: &Platform,
    ) -> Result<Result<Release, String>, InstallError> {
        let stem = self.stem();
        let mut archives = sums;
        archives.retain(|name, _| name.starts_with(&stem) && name.ends_with(".zip"));
        let found = match self.origin {
            Origin::HashiCorp(_) => {
                let archive = format!("{stem}{here}.zip");
                match archives.get(&archive).cloned() {
                    Some(sha256) => Ok((archive, sha256, self.named_by_manifest(web, here).await?)),
                    None => Err(format!("it has nothing for {here}")),
                }
            }
            _ => self.named_by_archive(&archives, here),
        };
        let (archive, sha256, executable) = match found {
            Ok(found) => found,
            Err(problem) => return Ok(Err(problem)),
        };
        if let Err(problem) = executable.check_api() {
            return Ok(Err(problem.to_string()));
        }
        Ok(Ok(Release {
            location: self.location(&archive)?,
            sums_shown,
            archives,
            archive,
            sha256,
            executable,
        }))
    }

    /// The archive whose name says that it is for `here`.
    fn named_by_archive(
        &self,
        archives: &Sums,
        here: &Platform,
    ) -> Result<(String, String, FileName), String> {
        let mut usable: Vec<_> = archives
            .iter()
            .filter_map(|(archive, sha256)| {
                let bare = archive.strip_suffix(".zip")?;
                let name = format!("{bare}{}", here.executable_suffix());
                let name = FileName::parse(&name, here).ok()?;
                Some((archive.clone(), sha256.clone(), name))
            })
            .collect();
        // The last one whose protocol kiln speaks; when there is none, the last of the others.
        usable.sort_by(|one, other| {
            let speaks = |name: &FileName| name.check_api().is_ok();
            let order = speaks(&one.2).cmp(&speaks(&other.2));
            order.then_with(|| one.2.compare(&other.2))
        });
        usable
            .pop()
            .ok_or_else(|| format!("it has nothing for {here}"))
    }

    /// The executable's name, for which the manifest has the version of the protocol.
    async fn named_by_manifest(
        &self,
        web: &Web,
        here: &Platform,
    ) -> Result<FileName, InstallError> {
        let manifest = self.location(&format!("{}manifest.json", self.stem()))?;
        let bytes = read(web, &manifest).await?;
        let read: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| form(&manifest.to_string(), error.to_string()))?;
        let name = format!(
            "{}{}_v{}_x{}_{here}{}",
            self.family.prefix(),
            self.source.name(),
            self.version,
            read.metadata.protocol_version,
            here.executable_suffix()
        );
        FileName::parse(&name, here)
            .map_err(|problem| form(&manifest.to_string(), problem.to_string()))
    }
}

#[derive(Deserialize)]
struct Manifest {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    protocol_version: String,
}

async fn read(web: &Web, location: &Location) -> Result<Vec<u8>, InstallError> {
    match location {
        Location::Web(url) => Ok(web.list(url).await?.bytes),
        Location::File(path) => {
            std::fs::read(path).map_err(|error| InstallError::file("read", path, error))
        }
    }
}

/// A version that is written as it is written in addresses and file names.
fn canonical(text: &str) -> Option<Version> {
    let version = Version::parse(text).ok()?;
    (version.to_string() == text).then_some(version)
}

/// `packer-plugin-amazon`.
fn product(source: &SourceAddress) -> String {
    format!("{}{}", Family::Packer.prefix(), source.name())
}

/// `hashicorp/packer-plugin-amazon`.
fn repository(source: &SourceAddress, family: Family) -> String {
    let owner = source.triple().map(|(_, owner, _)| owner);
    let (owner, prefix) = (owner.unwrap_or_default(), family.prefix());
    format!("{owner}/{prefix}{}", source.name())
}

/// An address that others are made from.
///
/// # Errors
///
/// [`InstallError::Address`] when it is no URL, or of a kind that is not read.
pub fn base_url(text: &str) -> Result<Url, InstallError> {
    // Without the slash, the last part would be replaced.
    let whole = match text.ends_with('/') {
        true => text.to_owned(),
        false => format!("{text}/"),
    };
    let url = Url::parse(&whole).map_err(|error| address(text, error.to_string()))?;
    match url.scheme() {
        "http" | "https" | "file" => Ok(url),
        other => Err(address(
            text,
            format!("`{other}` is not read; http, https and file are"),
        )),
    }
}

fn join(base: &Url, path: &str) -> Result<Url, InstallError> {
    base.join(path)
        .map_err(|error| address(&format!("{base}{path}"), error.to_string()))
}

fn address(text: &str, problem: String) -> InstallError {
    InstallError::Address {
        address: text.to_owned(),
        problem,
    }
}

fn form(url: &str, problem: String) -> InstallError {
    InstallError::Form {
        url: url.to_owned(),
        problem,
    }
}
