//! Finding the installed plugins that a template needs, and looking at no others.

use std::path::{Path, PathBuf};

use host_template::{ComponentKind, RequiredPlugin};

use super::needs::{Locked, Needs, Prereleases, is_of};
use super::reason::{Reason, Rejected};
use super::verified::{Verified, verify};
use super::{Installed, Origin, installed};
use crate::description::Descriptions;
use crate::journal::{Behind, Owner};
use crate::settings::Settings;
use crate::tree::{Family, Platform, Seen, walk};

/// Looks for plugins in the trees that they are installed in.
pub(super) struct Lookup<'a> {
    pub(super) settings: &'a Settings,
    pub(super) needs: &'a Needs,
    pub(super) descriptions: &'a Descriptions<'a>,
    /// What runs plugins made for Packer.
    pub(super) bridge: Option<PathBuf>,
}

/// What one of the template's requirements came to.
#[derive(Debug)]
pub(super) enum Found {
    /// This plugin.
    Plugin(Box<Installed>),
    /// None; what there is instead.
    Nothing(Vec<Rejected>),
}

impl Lookup<'_> {
    /// The newest plugin that meets a requirement; its components are called by the name that the
    /// template gives it. Plugins of the template's own come first.
    pub(super) async fn required(&self, required: &RequiredPlugin) -> Found {
        let (parent, plugin) = required
            .source
            .rsplit_once('/')
            .unwrap_or(("", &required.source));
        let mut refused = Vec::new();
        for tree in [&self.needs.vendored, &self.settings.plugin_tree] {
            let Some(tree) = tree else {
                continue;
            };
            let mut seen = self.walk(tree, parent);
            seen.retain(|one| is_called(one, plugin));
            let locked = self.needs.locked(&required.source);
            let fits = |seen: &Seen| fits(seen, required, locked);
            let picked = self.newest(seen, &fits, locked, &mut refused).await;
            if let Some(verified) = picked {
                match self.usable(verified, &required.name).await {
                    Ok(installed) => return Found::Plugin(Box::new(installed)),
                    Err(rejected) => refused.push(rejected),
                }
            }
        }
        Found::Nothing(refused)
    }

    /// Plugins that may offer `components`, by their names: the newest one of each name.
    pub(super) async fn named(
        &self,
        components: &[(ComponentKind, String)],
        refused: &mut Vec<Rejected>,
    ) -> Vec<Installed> {
        let Some(tree) = &self.settings.plugin_tree else {
            return Vec::new();
        };
        let mut seen = self.walk(tree, "");
        seen.retain(|one| {
            let name = one.name.as_ref().map(|name| name.name.clone());
            let name = name.unwrap_or_else(|_| name_in(&one.path));
            components.iter().any(|(_, used)| is_of(&name, used))
        });
        let mut names: Vec<String> = seen
            .iter()
            .filter_map(|one| one.name.as_ref().ok())
            .map(|name| name.name.clone())
            .collect();
        names.sort();
        names.dedup();
        let unnamed = seen.extract_if(.., |one| one.name.is_err());
        refused.extend(unnamed.filter_map(|one| {
            let reason = Reason::Name(one.name.err()?);
            Some(Rejected {
                path: one.path,
                reason,
            })
        }));
        let mut found = Vec::new();
        for name in names {
            let same = seen.extract_if(.., |one| is_called(one, &name)).collect();
            let picked = self.newest(same, &|_| Ok(()), None, refused).await;
            if let Some(verified) = picked {
                match self.usable(verified, &name).await {
                    Ok(installed) => found.push(installed),
                    Err(rejected) => refused.push(rejected),
                }
            }
        }
        found
    }

    fn walk(&self, tree: &Path, below: &str) -> Vec<Seen> {
        let mut trouble = Vec::new();
        let seen = walk(tree, below, &Platform::current(), &mut trouble);
        for (path, error) in trouble {
            tracing::warn!(path = %path.display(), %error, "cannot look for plugins here");
        }
        seen
    }

    /// The newest of several files that fits and is what it says; those before it are refused.
    /// What is not needed to tell that is neither read nor executed.
    async fn newest(
        &self,
        mut seen: Vec<Seen>,
        fits: &(dyn Fn(&Seen) -> Result<(), Reason> + Sync),
        locked: Option<&Locked>,
        refused: &mut Vec<Rejected>,
    ) -> Option<Verified> {
        seen.sort_by(|one, other| match (&one.name, &other.name) {
            (Ok(one), Ok(other)) => other.compare(one),
            (one, other) => one.is_err().cmp(&other.is_err()),
        });
        for one in seen {
            let expected = locked.and_then(|locked| locked.sha256.as_deref());
            let checked = match self.check(&one, fits) {
                Ok(()) => verify(self.descriptions, &one, expected).await,
                Err(reason) => Err(reason),
            };
            match checked {
                Ok(verified) => return Some(verified),
                Err(reason) => refused.push(Rejected {
                    path: one.path,
                    reason,
                }),
            }
        }
        None
    }

    /// What can be told by a file's name.
    fn check(
        &self,
        seen: &Seen,
        fits: &(dyn Fn(&Seen) -> Result<(), Reason> + Sync),
    ) -> Result<(), Reason> {
        let name = seen.name.as_ref().map_err(Clone::clone)?;
        name.check_api()?;
        let releases_only = self.needs.prereleases == Prereleases::Ignored;
        if releases_only && name.version.is_prerelease() {
            return Err(Reason::Prerelease);
        }
        if name.family == Family::Packer && self.bridge.is_none() {
            return Err(Reason::NoBridge);
        }
        fits(seen)
    }

    /// The plugin with what it offers, its components being called after `name`.
    async fn usable(&self, verified: Verified, name: &str) -> Result<Installed, Rejected> {
        let path = verified.path.clone();
        let owner = match (&self.bridge, verified.name.family) {
            (Some(bridge), Family::Packer) => Owner {
                name: name.to_owned(),
                source: verified.source.clone(),
                path: bridge.clone(),
                behind: Some(Behind {
                    executable: verified.path,
                    name: name.to_owned(),
                }),
                confined: None,
            },
            _ => Owner {
                name: name.to_owned(),
                source: verified.source.clone(),
                path: verified.path,
                behind: None,
                confined: None,
            },
        };
        let owner = self.settings.isolation.confine(owner);
        let origin = Origin::Tree {
            source: verified.source,
        };
        let offer = self.descriptions.of(&owner).await;
        offer
            .and_then(|offer| installed(owner, origin, offer, &self.settings.isolation))
            .map_err(|reason| Rejected { path, reason })
    }
}

fn is_called(seen: &Seen, plugin: &str) -> bool {
    match &seen.name {
        Ok(name) => name.name == plugin,
        Err(_) => name_in(&seen.path) == plugin,
    }
}

/// The plugin's name in a file name that is wrong elsewhere.
fn name_in(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let mut bare = Family::ALL
        .iter()
        .filter_map(|family| name.strip_prefix(family.prefix()));
    let bare = bare.next().unwrap_or(name);
    bare.split('_').next().unwrap_or(bare).to_owned()
}

/// Whether a version is one that the template asks for, and what the lock file has.
fn fits(seen: &Seen, required: &RequiredPlugin, locked: Option<&Locked>) -> Result<(), Reason> {
    let Ok(name) = &seen.name else {
        return Ok(());
    };
    // As in Packer, a prerelease stands for the release that it comes before.
    if !required.version.allow(&name.version.core()) {
        return Err(Reason::Constraint(required.version.to_string()));
    }
    match locked {
        Some(locked) if name.version.compare(&locked.version).is_ne() => {
            Err(Reason::LockedVersion(locked.version.to_string()))
        }
        _ => Ok(()),
    }
}
