//! Installing a file that is on this machine: an executable, or an archive as it is published.

use std::fs::File;
use std::path::{Path, PathBuf};

use host_plugin_client::Reason;
use host_plugin_client::tree::{Family, FileName, Platform};
use host_template::{SourceAddress, Version};
use zip::ZipArchive;

use crate::archive::{EXECUTABLE_LIMIT, extract};
use crate::error::InstallError;
use crate::installer::{Installer, Placed};
use crate::place::{Draft, hash_file};
use crate::sums::{self, Sums};

/// The prerelease that can be installed.
const DEVELOPMENT: &str = "dev";
/// What lists of checksums are called.
const SUMS_SUFFIX: &str = "_SHA256SUMS";

impl Installer<'_> {
    /// Installs `file` as the plugin `source`. The list of checksums beside an archive has to have
    /// its checksum, when there is such a list.
    ///
    /// # Errors
    ///
    /// When it is not a plugin, has no version that can be installed, is for other machines, or
    /// cannot be written.
    pub async fn install_file(
        &self,
        file: &Path,
        source: &SourceAddress,
    ) -> Result<Placed, InstallError> {
        let is_archive = file.extension().is_some_and(|suffix| suffix == "zip");
        match is_archive {
            true => self.install_archive(file, source).await,
            false => self.install_executable(file, source).await,
        }
    }

    async fn install_executable(
        &self,
        file: &Path,
        source: &SourceAddress,
    ) -> Result<Placed, InstallError> {
        let mut draft = Draft::new(&self.tree, source)?;
        let reader = File::open(file).map_err(|error| InstallError::file("read", file, error))?;
        let filled = draft.fill(reader, EXECUTABLE_LIMIT);
        let filled = filled.map_err(|error| InstallError::file("copy", file, error))?;
        let sha256 = filled.ok_or_else(|| InstallError::TooLong {
            url: file.display().to_string(),
            limit: EXECUTABLE_LIMIT,
        })?;
        let draft = draft.close();
        let base = file.file_name().and_then(|name| name.to_str());
        let is_own = base.is_some_and(|name| name.starts_with(Family::Kiln.prefix()));
        let family = if is_own { Family::Kiln } else { Family::Packer };
        let asked = FileName {
            family,
            name: source.name().to_owned(),
            version: Version::parse("0.0.0").expect("three numbers are a version"),
            api: family.api(),
            platform: Platform::current(),
        };
        let said = self.ask_local(draft.path(), file, &asked).await?;
        let name = FileName {
            version: installable(file, &said.version)?,
            api: said.api.unwrap_or_else(|| family.api()),
            ..asked
        };
        let path = draft.publish(&name, &sha256)?;
        Ok(new(source, name.version, path, sha256))
    }

    async fn install_archive(
        &self,
        file: &Path,
        source: &SourceAddress,
    ) -> Result<Placed, InstallError> {
        let archives = published_sums(file)?;
        let name = executable_in(file, source)?;
        let mut draft = Draft::new(&self.tree, source)?;
        let shown = file.display().to_string();
        let sha256 = extract(file, &shown, &name.to_string(), &mut draft)?;
        let draft = draft.close();
        let said = self.ask_local(draft.path(), file, &name).await?;
        if installable(file, &said.version)?
            .compare(&name.version)
            .is_ne()
        {
            return Err(InstallError::Plugin {
                plugin: shown,
                source: Box::new(Reason::Version {
                    named: name.version.to_string(),
                    described: said.version,
                }),
            });
        }
        let path = draft.publish(&name, &sha256)?;
        let mut placed = new(source, name.version, path, sha256);
        placed.archives = archives;
        Ok(placed)
    }

    async fn ask_local(
        &self,
        path: &Path,
        file: &Path,
        name: &FileName,
    ) -> Result<host_plugin_client::Said, InstallError> {
        let asked = self.ask_patiently(path, name).await;
        asked.map_err(|reason| InstallError::Plugin {
            plugin: file.display().to_string(),
            source: Box::new(reason),
        })
    }
}

fn new(source: &SourceAddress, version: Version, path: PathBuf, sha256: String) -> Placed {
    Placed {
        source: source.clone(),
        version,
        path,
        sha256,
        archives: Sums::new(),
        is_new: true,
    }
}

/// The version under which a plugin that says `text` is installed: build metadata is left out.
fn installable(file: &Path, text: &str) -> Result<Version, InstallError> {
    let refused = || InstallError::LocalVersion {
        path: file.to_path_buf(),
        version: text.to_owned(),
    };
    let bare = text.strip_prefix('v').unwrap_or(text);
    let bare = bare.split('+').next().unwrap_or(bare);
    let version = Version::parse(bare).map_err(|_| refused())?;
    let allowed = matches!(version.prerelease(), "" | DEVELOPMENT);
    match allowed && version.to_string() == bare {
        true => Ok(version),
        false => Err(refused()),
    }
}

/// The list of checksums beside an archive, which has to have the archive's. Empty when there is no
/// list that names the archive.
fn published_sums(file: &Path) -> Result<Sums, InstallError> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let own = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let entries = std::fs::read_dir(folder)
        .map_err(|error| InstallError::file("read folder", folder, error))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.ends_with(SUMS_SUFFIX) {
            continue;
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|error| InstallError::file("read", &path, error))?;
        if !text.contains(own) {
            continue;
        }
        let mut sums = sums::parse(&text).map_err(|problem| InstallError::Form {
            url: path.display().to_string(),
            problem,
        })?;
        let Some(expected) = sums.get(own).cloned() else {
            continue;
        };
        let found = hash_file(file)?;
        if found != expected {
            return Err(InstallError::Changed {
                what: file.display().to_string(),
                by: format!("`{}`", path.display()),
                expected,
                found,
            });
        }
        sums.retain(|name, _| name.ends_with(".zip"));
        return Ok(sums);
    }
    Ok(Sums::new())
}

/// The executable for this platform in an archive.
fn executable_in(file: &Path, source: &SourceAddress) -> Result<FileName, InstallError> {
    let refused = |problem: String| InstallError::Archive {
        archive: file.display().to_string(),
        problem,
    };
    let opened = File::open(file).map_err(|error| InstallError::file("read", file, error))?;
    let zip = ZipArchive::new(opened)
        .map_err(|error| refused(format!("it is no sound zip file ({error})")))?;
    let here = Platform::current();
    let names: Vec<&str> = zip.file_names().take(1000).collect();
    let mut problem = "it has no executable of a plugin".to_owned();
    for name in names {
        if !host_plugin_client::tree::is_plugin_name(name) {
            continue;
        }
        match FileName::parse(name, &here) {
            Ok(found) if found.name == source.name() => return Ok(found),
            Ok(found) => {
                problem = format!(
                    "it has the plugin `{}`, and not `{}`",
                    found.name,
                    source.name()
                );
            }
            Err(reason) => problem = format!("`{name}` in it: {reason}"),
        }
    }
    Err(refused(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_development_versions_can_be_installed() {
        let check = |text: &str, expected: Option<&str>| {
            let found = installable(Path::new("x"), text).ok();
            let found = found.map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("1.2.3", Some("1.2.3"));
        check("v1.2.3", Some("1.2.3"));
        check("1.2.3-dev", Some("1.2.3-dev"));
        check("1.2.3+abc", Some("1.2.3"));
        check("1.2.3-beta1", None);
        check("1.2", None);
        check("x", None);
    }
}
