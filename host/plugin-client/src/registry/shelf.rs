//! Everything that is installed, whether a template needs it or not.

use std::io;
use std::path::{Path, PathBuf};

use host_template::Constraints;

use super::reason::{Reason, Rejected};
use super::verified::{Verified, verify};
use crate::description::Descriptions;
use crate::settings::Settings;
use crate::tree::{FileName, Platform, Seen, walk};

/// What is installed in a folder of plugins.
///
/// Unlike [`super::Registry`], this looks at everything, so a plugin that was never looked at
/// before is read and asked for its description.
#[derive(Debug, Default)]
pub struct Shelf {
    /// What is as it should be, in the order in which it is preferred: the last of a name is what
    /// a template gets that asks for nothing in particular.
    pub sound: Vec<Verified>,
    /// What is not, and why.
    pub rejected: Vec<Rejected>,
    /// Files and folders that could not be looked at.
    pub trouble: Vec<(PathBuf, io::Error)>,
}

impl Shelf {
    /// Everything below the folder `below` of `tree`; all of it when that is empty.
    pub async fn read(settings: &Settings, tree: &Path, below: &str) -> Self {
        Self::read_some(settings, tree, below, |_| true).await
    }

    /// The versions of one plugin that `constraints` allow. As in Packer, one in a folder beside
    /// that of its source counts as well, when its name is right.
    pub async fn of_source(
        settings: &Settings,
        tree: &Path,
        source: &str,
        constraints: Option<&Constraints>,
    ) -> Self {
        let (parent, plugin) = source.rsplit_once('/').unwrap_or(("", source));
        Self::read_some(settings, tree, parent, |name| {
            let allowed = |limits: &Constraints| limits.allow(&name.version.core());
            name.name == plugin && constraints.is_none_or(allowed)
        })
        .await
    }

    async fn read_some(
        settings: &Settings,
        tree: &Path,
        below: &str,
        wanted: impl Fn(&FileName) -> bool,
    ) -> Self {
        let mut shelf = Self::default();
        let here = Platform::current();
        let descriptions = Descriptions::open(settings);
        for seen in walk(tree, below, &here, &mut shelf.trouble) {
            if seen.name.as_ref().is_ok_and(|name| !wanted(name)) {
                continue;
            }
            match verify(&descriptions, &seen, None).await {
                Ok(verified) => shelf.sound.push(verified),
                Err(reason) => shelf.reject(seen, reason),
            }
        }
        descriptions.save();
        let order = |one: &Verified, other: &Verified| {
            let names = one.name.compare(&other.name);
            names.then_with(|| one.path.cmp(&other.path))
        };
        shelf.sound.sort_by(order);
        shelf
    }

    fn reject(&mut self, seen: Seen, reason: Reason) {
        let path = seen.path;
        self.rejected.push(Rejected { path, reason });
    }
}
