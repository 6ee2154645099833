//! What plugins say about themselves, and the cache of it.
//!
//! A description is kept in a file that is named after the SHA-256 of the plugin's executable, or
//! of both executables when the plugin is run through a bridge. Reading large executables at every
//! start would be slow, so an index beside the descriptions has the hash that belongs to a size,
//! time of change and inode, and what the plugin offers. Schemas are only read for plugins that are
//! used.

mod index;
mod own_words;
mod packer;
mod schemas;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use host_template::ComponentKind;
use plugin_wire::v1 as wire;
use prost::Message;
use sha2::{Digest, Sha256};

use self::index::{Hashed, Index, Offered, Stamp, replace};
pub use self::own_words::OwnWords;
pub use self::packer::{DescribeFailure, PackerDescription};
pub(crate) use self::schemas::Schemas;
use crate::convert::kind_from_wire;
use crate::error::ClientError;
use crate::isolation::Isolation;
use crate::journal::Owner;
use crate::private_folder::{LockedFolder, PrivateFolder};
use crate::process::{Client, Process};
use crate::registry::Reason;

use crate::settings::Settings;

const INDEX: &str = "index.json";
/// How long descriptions stay that no known executable has.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// How long a plugin may take to describe itself.
const DESCRIBE_LIMIT: Duration = Duration::from_secs(10);
/// Suffix of descriptions: the answer to `Describe` as it came, so that reading it takes no time.
const SUFFIX: &str = "description";

/// What a plugin offers, without the schemas.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Offer {
    /// SHA-256 of the plugin's executable, in hexadecimal.
    pub(crate) hash: String,
    pub(crate) version: String,
    pub(crate) majors: Vec<u32>,
    pub(crate) features: BTreeSet<String>,
    pub(crate) components: Vec<(ComponentKind, String)>,
    /// What it declares that it needs.
    pub(crate) needs: Vec<String>,
    /// The file with the whole description.
    pub(crate) description: PathBuf,
    /// The whole description, when it was asked for just now.
    pub(crate) described: Option<wire::DescribeResponse>,
}

/// The cache of descriptions.
pub(crate) struct Descriptions<'a> {
    folder: &'a Path,
    socket_parent: &'a Path,
    isolation: &'a Isolation,
    known: Index,
    learned: Mutex<Index>,
}

impl<'a> Descriptions<'a> {
    /// The cache in `folder`; an unreadable one is an empty one.
    pub(crate) fn open(settings: &'a Settings) -> Self {
        let folder = settings.description_folder.as_path();
        Self {
            folder,
            socket_parent: &settings.socket_folder,
            isolation: &settings.isolation,
            known: Index::read(&folder.join(INDEX)),
            learned: Mutex::default(),
        }
    }

    /// Who is confined when it is asked.
    pub(crate) fn isolation(&self) -> &Isolation {
        self.isolation
    }

    /// What the plugin offers.
    pub(crate) async fn of(&self, owner: &Owner) -> Result<Offer, Reason> {
        let hashes = self.hashes(owner).await?;
        let key = key(owner, &hashes);
        let own = hashes.last().cloned().unwrap_or_default();
        if let Some(known) = self.known.offers.get(&key)
            && self.file(&key).exists()
        {
            return Ok(self.offer(known, &key, own, None));
        }
        let described = match self.read(&key) {
            Some(described) => described,
            None => {
                let described = describe(owner.clone(), self.socket_parent, self.isolation)
                    .await
                    .map_err(Reason::Undescribed)?;
                self.write(&key, &described);
                described
            }
        };
        let offered = Offered::new(hashes, &described);
        // Kept at hand, too: the cache may be a folder that cannot be written.
        let offer = self.offer(&offered, &key, own, Some(&described));
        self.learn(|learned| drop(learned.offers.insert(key, offered)));
        Ok(offer)
    }

    /// SHA-256 of a file, in hexadecimal; it is only read when it has changed since the last time.
    pub(crate) async fn hash(&self, path: &Path) -> io::Result<String> {
        let stamp = Stamp::of(path)?;
        let current = |hashed: &Hashed| hashed.stamp == stamp;
        if let Some(known) = self.known.files.get(path).filter(|known| current(known)) {
            return Ok(known.sha256.clone());
        }
        let sha256 = hash_file(path).await?;
        let hashed = Hashed {
            stamp,
            sha256: sha256.clone(),
        };
        self.learn(|learned| drop(learned.files.insert(path.to_path_buf(), hashed)));
        Ok(sha256)
    }

    /// What a plugin made for Packer says, whose executable has this hash.
    pub(crate) async fn of_packer_plugin(
        &self,
        path: &Path,
        sha256: &str,
    ) -> Result<PackerDescription, DescribeFailure> {
        if let Some(known) = self.known.packer.get(sha256) {
            return Ok(known.clone());
        }
        let described = PackerDescription::ask(path, self.isolation, DESCRIBE_LIMIT).await?;
        let (key, kept) = (sha256.to_owned(), described.clone());
        self.learn(|learned| drop(learned.packer.insert(key, kept)));
        Ok(described)
    }

    async fn hashes(&self, owner: &Owner) -> Result<Vec<String>, Reason> {
        let behind = owner.behind.as_ref().map(|behind| &behind.executable);
        let mut hashes = Vec::new();
        for path in [Some(&owner.path), behind].into_iter().flatten() {
            hashes.push(self.hash(path).await.map_err(Reason::Unreadable)?);
        }
        Ok(hashes)
    }

    fn learn(&self, add: impl FnOnce(&mut Index)) {
        add(&mut self.learned.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Writes down what was learned. A cache that cannot be written is only slower.
    pub(crate) fn save(&self) {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        if learned.is_empty() {
            return;
        }
        // Another process may have learned something in between.
        let path = self.folder.join(INDEX);
        let mut index = Index::read(&path);
        index.add(&learned);
        index.forget_the_gone();
        self.forget_all_but(&index);
        if let Err(error) = index.write(&path) {
            tracing::debug!(path = %path.display(), %error, "cannot write the index of plugins");
        }
    }

    /// Removes descriptions that no executable has any more.
    fn forget_all_but(&self, index: &Index) {
        let Ok(entries) = std::fs::read_dir(self.folder) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let key = path.file_stem().and_then(|stem| stem.to_str());
            let known = key.is_some_and(|key| index.offers.contains_key(key));
            // A young one may be another process's, whose index is not written yet.
            let is_description =
                path.extension().is_some_and(|suffix| suffix == SUFFIX) && is_old(&path);
            if is_description
                && !known
                && let Err(error) = std::fs::remove_file(&path)
            {
                tracing::debug!(path = %path.display(), %error, "cannot remove an old description");
            }
        }
    }

    fn file(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.{SUFFIX}"))
    }

    fn read(&self, key: &str) -> Option<wire::DescribeResponse> {
        let bytes = std::fs::read(self.file(key)).ok()?;
        wire::DescribeResponse::decode(bytes.as_slice()).ok()
    }

    fn write(&self, key: &str, described: &wire::DescribeResponse) {
        let path = self.file(key);
        if let Err(error) = replace(&path, &described.encode_to_vec()) {
            tracing::warn!(path = %path.display(), %error, "cannot keep the description of a plugin");
        }
    }

    fn offer(
        &self,
        offered: &Offered,
        key: &str,
        hash: String,
        described: Option<&wire::DescribeResponse>,
    ) -> Offer {
        let known = |(kind, name): &(i32, String)| Some((kind_from_wire(*kind)?, name.clone()));
        Offer {
            hash,
            version: offered.version.clone(),
            majors: offered.majors.clone(),
            features: offered.features.clone(),
            components: offered.components.iter().filter_map(known).collect(),
            needs: offered.needs.clone(),
            description: self.file(key),
            described: described.cloned(),
        }
    }
}

/// What a description is kept under: the hash of the executable, or of everything that it depends
/// on when there is a bridge.
fn key(owner: &Owner, hashes: &[String]) -> String {
    match &owner.behind {
        None => hashes.concat(),
        Some(behind) => {
            let all = format!("{}\n{}", hashes.join("\n"), behind.name);
            hex::encode(Sha256::digest(all))
        }
    }
}

async fn hash_file(path: &Path) -> io::Result<String> {
    let path = path.to_path_buf();
    let hash = tokio::task::spawn_blocking(move || {
        let mut hasher = Sha256::new();
        io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
        Ok(hex::encode(hasher.finalize()))
    });
    // Joining fails only when the runtime is shutting down.
    hash.await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

async fn describe(
    owner: Owner,
    sockets: &Path,
    isolation: &Isolation,
) -> Result<wire::DescribeResponse, ClientError> {
    let folder = LockedFolder::inside(sockets)?;
    let process = Process::start(owner, PrivateFolder::inside(folder.path(), isolation)).await?;
    let call = |mut client: Client| async move { client.describe(wire::DescribeRequest {}).await };
    let described = process.call("describe itself", DESCRIBE_LIMIT, call).await;
    process.stop().await;
    described
}

/// Whether a file was written more than a day ago.
fn is_old(path: &Path) -> bool {
    let age = std::fs::metadata(path)
        .and_then(|facts| facts.modified())
        .ok();
    age.and_then(|written| written.elapsed().ok())
        .is_some_and(|age| age > KEPT_FOR)
}

#[cfg(test)]
mod tests;
