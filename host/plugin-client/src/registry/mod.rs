//! Which plugins there are and what they offer.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures::StreamExt;
use host_diag::nearest;
use host_template::{ComponentKind, Schema};
use tokio::sync::OnceCell;

use crate::convert::kind_word;
use crate::description::{Descriptions, Offer, Schemas};
use crate::error::ClientError;
use crate::journal::Owner;
use crate::run_directory::RunDirectory;
use crate::settings::Settings;

/// What the file names of plugin executables begin with.
pub(crate) const FILE_PREFIX: &str = "kiln-plugin-";
/// Plugins that are asked for their description at the same time.
const ASKED_AT_ONCE: usize = 4;

/// Everything one scan saw.
#[derive(Debug, Default)]
pub struct Registry {
    /// What can be used.
    pub usable: Vec<Installed>,
    /// What cannot, and why.
    pub rejected: Vec<Rejected>,
    pub(crate) settings: Settings,
    /// Made when something has to be launched.
    directory: OnceCell<Arc<RunDirectory>>,
}

/// A plugin executable that can be used.
#[derive(Debug)]
pub struct Installed {
    /// Family, from the file name: `qemu` of `kiln-plugin-qemu`.
    pub name: String,
    /// Semantic version it gives itself.
    pub version: String,
    /// The executable.
    pub path: PathBuf,
    /// SHA-256 of the executable, in hexadecimal.
    pub hash: String,
    /// Optional behaviour it has.
    pub features: BTreeSet<String>,
    /// What it offers.
    pub components: Vec<(ComponentKind, String)>,
    /// Where its schemas are.
    pub(crate) description: PathBuf,
    pub(crate) schemas: OnceLock<Schemas>,
}

/// An executable that cannot be used, and why.
#[derive(Debug)]
pub struct Rejected {
    /// The executable.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why an executable cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It may not be executed.
    #[error("file is not executable")]
    NotExecutable,
    /// It cannot be read.
    #[error("file cannot be read")]
    Unreadable(#[source] io::Error),
    /// A folder that comes earlier has a plugin of the same name.
    #[error("`{}` has the same name and comes first", .0.display())]
    Shadowed(PathBuf),
    /// It does not say what it offers.
    #[error("it does not describe itself")]
    Undescribed(#[source] ClientError),
    /// It speaks another version of the protocol.
    #[error(transparent)]
    Protocol(crate::handshake::HandshakeError),
    /// It offers nothing this host knows.
    #[error("it offers no component")]
    Empty,
}

impl Rejected {
    /// The reason with everything behind it, in one line.
    #[must_use]
    pub fn report(&self) -> String {
        crate::error::chain(&self.reason)
    }
}

impl Registry {
    /// Looks for plugins in the folders of `settings`. One whose description is not in the cache is
    /// started once.
    pub async fn scan(settings: Settings) -> Self {
        let mut rejected = Vec::new();
        let found = executables(&settings.plugin_folders, &mut rejected);
        let descriptions =
            Descriptions::open(&settings.description_folder, &settings.socket_folder);
        let described: Vec<_> = futures::stream::iter(found)
            .map(|path| {
                let descriptions = &descriptions;
                async move { (path.clone(), descriptions.of(&path).await) }
            })
            .buffered(ASKED_AT_ONCE)
            .collect()
            .await;
        descriptions.save();
        let mut usable = Vec::new();
        for (path, offer) in described {
            match offer.and_then(|offer| installed(path.clone(), offer)) {
                Ok(installed) => usable.push(installed),
                Err(reason) => {
                    let rejected_one = Rejected { path, reason };
                    tracing::warn!(
                        path = %rejected_one.path.display(),
                        reason = rejected_one.report(),
                        "plugin is not used"
                    );
                    rejected.push(rejected_one);
                }
            }
        }
        Self {
            usable,
            rejected,
            settings,
            directory: OnceCell::new(),
        }
    }

    /// The run's folder, made at the first call.
    ///
    /// # Errors
    ///
    /// [`ClientError::File`] when it cannot be made.
    pub async fn run_directory(&self) -> Result<Arc<RunDirectory>, ClientError> {
        let make = || async { RunDirectory::create(&self.settings) };
        self.directory.get_or_try_init(make).await.cloned()
    }

    /// The run's folder, if it was needed so far.
    #[must_use]
    pub fn made_run_directory(&self) -> Option<Arc<RunDirectory>> {
        self.directory.get().cloned()
    }

    /// The plugin that offers a component: the first one in the order of folders and names.
    #[must_use]
    pub fn installed(&self, kind: ComponentKind, name: &str) -> Option<&Installed> {
        self.usable.iter().find(|one| one.offers(kind, name))
    }

    pub(crate) fn find(&self, kind: ComponentKind, name: &str) -> Result<&Installed, ClientError> {
        self.installed(kind, name).ok_or_else(|| {
            let names = self.all_names(kind);
            let close = nearest(name, names.iter().map(String::as_str));
            ClientError::NotInstalled {
                kind: kind_word(kind),
                name: name.to_owned(),
                nearest: close.map(str::to_owned),
            }
        })
    }

    pub(crate) fn all_names(&self, kind: ComponentKind) -> Vec<String> {
        let components = self.usable.iter().flat_map(|one| &one.components);
        let names: BTreeSet<_> = components
            .filter(|(other, _)| *other == kind)
            .map(|(_, name)| name.clone())
            .collect();
        names.into_iter().collect()
    }
}

impl Installed {
    /// Whether it offers the component.
    #[must_use]
    pub fn offers(&self, kind: ComponentKind, name: &str) -> bool {
        self.components
            .iter()
            .any(|(other, own)| *other == kind && own == name)
    }

    /// The schema of a component; `None` when it does not offer it.
    #[must_use]
    pub fn schema(&self, kind: ComponentKind, name: &str) -> Option<&Schema> {
        let schemas = self
            .schemas
            .get_or_init(|| Schemas::read(&self.description));
        schemas.get(kind, name)
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner {
            name: self.name.clone(),
            path: self.path.clone(),
        }
    }
}

fn installed(path: PathBuf, offer: Offer) -> Result<Installed, Reason> {
    crate::handshake::check_majors(&offer.majors).map_err(Reason::Protocol)?;
    if offer.components.is_empty() {
        return Err(Reason::Empty);
    }
    Ok(Installed {
        name: crate::process::owner_of(path.clone()).name,
        version: offer.version,
        path,
        hash: offer.hash,
        features: offer.features,
        components: offer.components,
        description: offer.description,
        schemas: match offer.described {
            Some(described) => OnceLock::from(Schemas::of(described)),
            None => OnceLock::new(),
        },
    })
}

/// The executables in `folders`, by folder and name. A folder that is not there has none.
fn executables(folders: &[PathBuf], rejected: &mut Vec<Rejected>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        let mut paths: Vec<_> = entries
            .flatten()
            .filter(|entry| is_plugin_name(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect();
        paths.sort();
        for path in paths {
            let same = found
                .iter()
                .find(|other| other.file_name() == path.file_name());
            match same.map_or_else(
                || check_executable(&path),
                |same| Err(Reason::Shadowed(same.clone())),
            ) {
                Ok(()) => found.push(path),
                Err(reason) => rejected.push(Rejected { path, reason }),
            }
        }
    }
    found
}

/// `kiln-plugin-` and a family; what a compiler leaves beside an executable has a suffix.
fn is_plugin_name(name: &str) -> bool {
    name.strip_prefix(FILE_PREFIX).is_some_and(|family| {
        !family.is_empty()
            && family
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    })
}

fn check_executable(path: &Path) -> Result<(), Reason> {
    let data = std::fs::metadata(path).map_err(Reason::Unreadable)?;
    let executable = data.is_file() && data.permissions().mode() & 0o111 != 0;
    if executable {
        Ok(())
    } else {
        Err(Reason::NotExecutable)
    }
}

#[cfg(test)]
mod tests;
