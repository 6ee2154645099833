//! Whether an installed executable is what its name and its checksum say.

use std::path::{Path, PathBuf};

use host_template::{ComponentKind, Version};

use super::bundled::check_executable;
use super::reason::Reason;
use crate::description::{Descriptions, PackerDescription};
use crate::process::owner_of;
use crate::settings::Settings;
use crate::tree::{Family, FileName, Seen, checksum_file};

/// An installed executable that is what its name and its checksum say.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The executable.
    pub path: PathBuf,
    /// Its folder below the tree, which is where it comes from: `github.com/hashicorp/amazon`.
    pub source: String,
    /// Its name.
    pub name: FileName,
    /// SHA-256 of the executable, in hexadecimal.
    pub sha256: String,
    /// What it says about itself, when it is made for Packer.
    pub packer: Option<PackerDescription>,
    /// What it declares that it needs, when it is one of kiln's own kind.
    pub needs: Vec<String>,
    /// What it offers.
    pub components: Vec<(ComponentKind, String)>,
}

/// Checks everything about an executable, in the order in which Packer does: it is not executed
/// before its checksum is known to be right, and to be the `locked` one where there is that.
pub(super) async fn verify(
    descriptions: &Descriptions<'_>,
    seen: &Seen,
    locked: Option<&str>,
) -> Result<Verified, Reason> {
    let name = seen.name.clone()?;
    check_executable(&seen.path)?;
    let sha256 = check_sum(descriptions, seen).await?;
    if let Some(expected) = locked.filter(|expected| *expected != sha256) {
        return Err(Reason::LockedHash {
            expected: expected.to_owned(),
            found: sha256,
        });
    }
    let (described, packer, needs, components) = match name.family {
        Family::Packer => {
            let said = descriptions.of_packer_plugin(&seen.path, &sha256).await?;
            let components = said.components(&name.name);
            (said.version.clone(), Some(said), Vec::new(), components)
        }
        Family::Kiln => {
            let mut owner = owner_of(seen.path.clone());
            owner.name.clone_from(&name.name);
            owner.source.clone_from(&seen.source);
            let owner = descriptions.isolation().confine(owner);
            let offer = descriptions.of(&owner).await?;
            (offer.version, None, offer.needs, offer.components)
        }
    };
    let same = Version::parse(&described).is_ok_and(|own| own.compare(&name.version).is_eq());
    if !same {
        return Err(Reason::Version {
            named: name.version.to_string(),
            described,
        });
    }
    if let Some(said) = packer.as_ref().filter(|said| said.api_version != name.api) {
        return Err(Reason::Api {
            named: name.api,
            described: said.api_version.clone(),
        });
    }
    Ok(Verified {
        path: seen.path.clone(),
        source: seen.source.clone(),
        name,
        sha256,
        packer,
        needs,
        components,
    })
}

/// What an executable says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its version.
    pub version: String,
    /// The version of Packer's protocol that it speaks, as file names have it; `None` for a plugin
    /// of kiln's own kind, which was just spoken to.
    pub api: Option<String>,
}

/// Asks an executable about itself that is not installed yet; `name` is what it is going to be
/// called.
///
/// # Errors
///
/// [`Reason`] when it does not answer.
pub async fn ask_executable(
    settings: &Settings,
    path: &Path,
    name: &FileName,
) -> Result<Said, Reason> {
    check_executable(path)?;
    let descriptions = Descriptions::open(settings);
    match name.family {
        Family::Packer => {
            let hash = descriptions.hash(path).await.map_err(Reason::Unreadable)?;
            let said = descriptions.of_packer_plugin(path, &hash).await?;
            Ok(Said {
                version: said.version,
                api: Some(said.api_version),
            })
        }
        Family::Kiln => {
            let mut owner = owner_of(path.to_path_buf());
            owner.name.clone_from(&name.name);
            // Nobody has used it yet, so nobody trusts it.
            let owner = descriptions.isolation().confine(owner);
            let offer = descriptions.of(&owner).await?;
            crate::handshake::check_majors(&offer.majors).map_err(Reason::Protocol)?;
            Ok(Said {
                version: offer.version,
                api: None,
            })
        }
    }
}

/// The executable's SHA-256, which is that in the file beside it. Only the first 64 digits of that
/// count, as in Packer.
async fn check_sum(descriptions: &Descriptions<'_>, seen: &Seen) -> Result<String, Reason> {
    let file = checksum_file(&seen.path);
    let text = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(_) => return Err(Reason::NoChecksum(file)),
    };
    let digits = text
        .get(..64)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    let digits = digits.filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    let Some(expected) = digits.map(str::to_ascii_lowercase) else {
        return Err(Reason::BadChecksum(file));
    };
    let found = descriptions.hash(&seen.path).await;
    let found = found.map_err(Reason::Unreadable)?;
    match found == expected {
        true => Ok(found),
        false => Err(Reason::Changed {
            file,
            expected,
            found,
        }),
    }
}
