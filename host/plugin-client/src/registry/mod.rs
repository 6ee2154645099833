//! Which plugins there are and what they offer.
//!
//! Plugins that come with kiln are beside it. Others are installed in a tree of folders, by source;
//! of these, only those that a template needs are looked at ([`Registry::scan_for`]).

mod bundled;
mod lookup;
mod needs;
mod reason;
mod shelf;
mod verified;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use futures::StreamExt;
use host_diag::nearest;
use host_template::{ComponentKind, RequiredPlugin, Schema};
use tokio::sync::OnceCell;

pub use self::bundled::packer_bridge;
use self::bundled::{executables, owner_in};
use self::lookup::{Found, Lookup};
use self::needs::is_of;
pub use self::needs::{Locked, Needs, Prereleases};
pub use self::reason::{Reason, Rejected};
pub use self::shelf::Shelf;
pub use self::verified::{Said, Verified, ask_executable};
use crate::convert::kind_word;
use crate::description::{Descriptions, Offer, Schemas};
use crate::error::ClientError;
use crate::isolation::Isolation;
use crate::journal::Owner;
use crate::run_directory::RunDirectory;
use crate::settings::Settings;

/// Plugins that are asked for their description at the same time.
const ASKED_AT_ONCE: usize = 4;

/// Everything one scan saw.
#[derive(Debug, Default)]
pub struct Registry {
    /// What can be used; what comes first is used first.
    pub usable: Vec<Installed>,
    /// What cannot, and why.
    pub rejected: Vec<Rejected>,
    /// The plugins that a template asks for and that are not there.
    missing: Vec<Missing>,
    pub(crate) settings: Settings,
    /// Made when something has to be launched.
    directory: OnceCell<Arc<RunDirectory>>,
}

/// A plugin that a template asks for and that is not there.
#[derive(Debug)]
struct Missing {
    source: String,
    version: String,
    /// What there is instead, and why it will not do.
    instead: Vec<String>,
}

/// A plugin executable that can be used.
#[derive(Debug)]
pub struct Installed {
    /// What it is called: `qemu` of `kiln-plugin-qemu`, or the name a template gives it.
    pub name: String,
    /// Semantic version it gives itself.
    pub version: String,
    /// Its executable; that of a plugin made for Packer is run by a bridge.
    pub path: PathBuf,
    /// SHA-256 of the executable, in hexadecimal.
    pub hash: String,
    /// Where it was found.
    pub origin: Origin,
    /// Optional behaviour it has.
    pub features: BTreeSet<String>,
    /// What it offers.
    pub components: Vec<(ComponentKind, String)>,
    /// Where its schemas are.
    pub(crate) description: PathBuf,
    pub(crate) schemas: OnceLock<Schemas>,
    owner: Owner,
}

/// Where a plugin was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Beside kiln, with which it came.
    Bundled,
    /// In a tree of installed plugins.
    Tree {
        /// Where it comes from: `github.com/hashicorp/amazon`.
        source: String,
    },
}

impl Registry {
    /// Looks for the plugins that come with kiln. One whose description is not in the cache is
    /// started once.
    pub async fn scan(settings: Settings) -> Self {
        Self::scan_for(settings, &Needs::default()).await
    }

    /// Looks for the plugins that come with kiln, and for those that are installed and that `needs`
    /// has. Nothing else is read, let alone started.
    pub async fn scan_for(settings: Settings, needs: &Needs) -> Self {
        let mut registry = Self {
            settings: settings.clone(),
            ..Self::default()
        };
        let descriptions = Descriptions::open(&settings);
        registry.find_bundled(&descriptions).await;
        registry.find_installed(&descriptions, needs).await;
        descriptions.save();
        for rejected in &registry.rejected {
            tracing::warn!(
                path = %rejected.path.display(),
                reason = rejected.report(),
                "plugin is not used"
            );
        }
        registry
    }

    async fn find_bundled(&mut self, descriptions: &Descriptions<'_>) {
        let found = executables(&self.settings.plugin_folders, &mut self.rejected);
        let described: Vec<_> = futures::stream::iter(found)
            .map(|path| async {
                let owner = owner_in(&self.settings.plugin_folders, &path).ok_or(Rejected {
                    path,
                    reason: Reason::NoLoader,
                })?;
                let offer = descriptions.of(&owner).await;
                Ok((owner, offer))
            })
            .buffered(ASKED_AT_ONCE)
            .collect()
            .await;
        for described in described {
            let (owner, offer) = match described {
                Ok(described) => described,
                Err(rejected) => {
                    self.rejected.push(rejected);
                    continue;
                }
            };
            let behind = owner.behind.as_ref().map(|behind| &behind.executable);
            let path = behind.unwrap_or(&owner.path).clone();
            match offer.and_then(|offer| {
                installed(owner, Origin::Bundled, offer, &self.settings.isolation)
            }) {
                Ok(installed) => self.usable.push(installed),
                Err(reason) => self.rejected.push(Rejected { path, reason }),
            }
        }
    }

    async fn find_installed(&mut self, descriptions: &Descriptions<'_>, needs: &Needs) {
        let lookup = Lookup {
            settings: &self.settings.clone(),
            needs,
            descriptions,
            bridge: packer_bridge(&self.settings.plugin_folders),
        };
        for required in &needs.required {
            if self.stands_for(required, &needs.components) {
                continue;
            }
            match lookup.required(required).await {
                Found::Plugin(plugin) => self.usable.push(*plugin),
                Found::Nothing(refused) => self.missing.push(Missing {
                    source: required.source.clone(),
                    version: required.version.to_string(),
                    instead: refused.iter().map(instead).collect(),
                }),
            }
        }
        let unmet = self.unmet(needs);
        if !unmet.is_empty() {
            let mut refused = Vec::new();
            let named = lookup.named(&unmet, &mut refused).await;
            self.usable.extend(named);
            self.rejected.extend(refused);
        }
    }

    /// What a template uses and nothing offers so far.
    fn unmet(&self, needs: &Needs) -> Vec<(ComponentKind, String)> {
        let used = needs.components.iter();
        let unmet = used.filter(|(kind, name)| self.installed(*kind, name).is_none());
        unmet.cloned().collect()
    }

    /// Whether a plugin that came with kiln stands for one that a template asks for: its components
    /// are called so, and the template uses none of that plugin that kiln does not have.
    #[must_use]
    pub fn stands_for(&self, required: &RequiredPlugin, used: &[(ComponentKind, String)]) -> bool {
        let bundled = || {
            let all = self.usable.iter();
            all.filter(|one| one.origin == Origin::Bundled)
        };
        let last = required.source.rsplit('/').next().unwrap_or_default();
        let own = |name: &String| is_of(&required.name, name) || is_of(last, name);
        let offered =
            |(kind, name): &(ComponentKind, String)| bundled().any(|one| one.offers(*kind, name));
        bundled().any(|one| one.components.iter().any(|(_, name)| own(name)))
            && used.iter().all(|one| !own(&one.1) || offered(one))
    }

    /// What there is instead of a plugin that the template asks for, a line for each; `None` when
    /// it is there, or when a plugin that came with kiln stands for it.
    pub(crate) fn instead_of(&self, required: &RequiredPlugin) -> Option<Vec<String>> {
        let mut missing = self.missing.iter();
        let version = required.version.to_string();
        missing
            .find(|missing| missing.source == required.source && missing.version == version)
            .map(|missing| missing.instead.clone())
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

    /// Whether it is confined when it runs.
    #[must_use]
    pub fn is_confined(&self) -> bool {
        self.owner.confined.is_some()
    }

    pub(crate) fn owner(&self) -> Owner {
        self.owner.clone()
    }
}

fn instead(rejected: &Rejected) -> String {
    format!("{}: {}", rejected.path.display(), rejected.report())
}

fn installed(
    mut owner: Owner,
    origin: Origin,
    offer: Offer,
    isolation: &Isolation,
) -> Result<Installed, Reason> {
    crate::handshake::check_majors(&offer.majors).map_err(Reason::Protocol)?;
    if offer.components.is_empty() {
        return Err(Reason::Empty);
    }
    if let Some(need) = isolation.unknown_need(&offer.needs) {
        return Err(Reason::Need(need.clone()));
    }
    if let Some(needs) = &mut owner.confined {
        *needs = offer.needs;
    }
    let behind = owner.behind.as_ref().map(|behind| &behind.executable);
    Ok(Installed {
        name: owner.name.clone(),
        version: offer.version,
        path: behind.unwrap_or(&owner.path).clone(),
        hash: offer.hash,
        origin,
        features: offer.features,
        components: offer.components,
        description: offer.description,
        schemas: match offer.described {
            Some(described) => OnceLock::from(Schemas::of(described)),
            None => OnceLock::new(),
        },
        owner,
    })
}

#[cfg(test)]
mod tests;
