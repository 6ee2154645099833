//! What plugins say about themselves, and the cache of it.
//!
//! A description is kept in a file that is named after the SHA-256 of its executable. Reading large
//! executables at every start would be slow, so an index beside the descriptions has, for each path,
//! the hash that belongs to a size, time of change and inode, and what the plugin offers. Schemas
//! are only read for plugins that are used.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use host_template::{ComponentKind, Schema};
use plugin_wire::v1 as wire;
use prost::Message;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::convert::{kind_from_wire, schema_from_wire};
use crate::error::ClientError;
use crate::process::{Client, Process, owner_of};
use crate::registry::Reason;
use crate::run_directory::{PrivateFolder, socket_folder};

const INDEX: &str = "index.json";
/// Changes when what is in the index does; an index of another version is not used.
/// How long descriptions stay that no known executable has.
const KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
const INDEX_VERSION: u32 = 1;
/// How long a plugin may take to describe itself.
const DESCRIBE_LIMIT: Duration = Duration::from_secs(10);

/// What a plugin offers, without the schemas.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Offer {
    pub(crate) hash: String,
    pub(crate) version: String,
    pub(crate) majors: Vec<u32>,
    pub(crate) features: BTreeSet<String>,
    pub(crate) components: Vec<(ComponentKind, String)>,
    /// The file with the whole description.
    pub(crate) description: PathBuf,
    /// The whole description, when it was asked for just now.
    pub(crate) described: Option<wire::DescribeResponse>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    version: u32,
    executables: BTreeMap<PathBuf, Indexed>,
}

/// What is known of an executable that still has this stamp.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Indexed {
    stamp: Stamp,
    hash: String,
    version: String,
    majors: Vec<u32>,
    features: BTreeSet<String>,
    /// Kind as on the wire, and name.
    components: Vec<(i32, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    device: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let data = std::fs::metadata(path)?;
        Ok(Self {
            size: data.size(),
            device: data.dev(),
            inode: data.ino(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
        })
    }
}

/// The cache of descriptions.
pub(crate) struct Descriptions<'a> {
    folder: &'a Path,
    socket_parent: &'a Path,
    known: BTreeMap<PathBuf, Indexed>,
    learned: Mutex<BTreeMap<PathBuf, Indexed>>,
}

impl<'a> Descriptions<'a> {
    /// The cache in `folder`; an unreadable one is an empty one.
    pub(crate) fn open(folder: &'a Path, socket_parent: &'a Path) -> Self {
        let known = read_index(&folder.join(INDEX));
        Self {
            folder,
            socket_parent,
            known,
            learned: Mutex::default(),
        }
    }

    /// What the executable offers.
    pub(crate) async fn of(&self, path: &Path) -> Result<Offer, Reason> {
        let stamp = Stamp::of(path).map_err(Reason::Unreadable)?;
        if let Some(known) = self.known.get(path)
            && known.stamp == stamp
            && self.file(&known.hash).exists()
        {
            return Ok(self.offer(known, None));
        }
        let hash = hash_file(path).await.map_err(Reason::Unreadable)?;
        let described = match self.read(&hash) {
            Some(described) => described,
            None => {
                let described = describe(path, self.socket_parent)
                    .await
                    .map_err(Reason::Undescribed)?;
                self.write(&hash, &described);
                described
            }
        };
        let indexed = index_entry(stamp, hash, &described);
        // Kept at hand, too: the cache may be a folder that cannot be written.
        let offer = self.offer(&indexed, Some(&described));
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.insert(path.to_path_buf(), indexed);
        Ok(offer)
    }

    /// Writes down what was learned. A cache that cannot be written is only slower.
    pub(crate) fn save(&self) {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        if learned.is_empty() {
            return;
        }
        // Another process may have learned something in between.
        let path = self.folder.join(INDEX);
        let mut executables = read_index(&path);
        executables.extend(learned.clone());
        executables.retain(|path, _| path.exists());
        self.forget_all_but(&executables);
        let index = Index {
            version: INDEX_VERSION,
            executables,
        };
        let written = serde_json::to_vec(&index).map_err(io::Error::from);
        if let Err(error) = written.and_then(|bytes| replace(&path, &bytes)) {
            tracing::debug!(path = %path.display(), %error, "cannot write the index of plugins");
        }
    }

    /// Removes descriptions that no executable has any more.
    fn forget_all_but(&self, executables: &BTreeMap<PathBuf, Indexed>) {
        let kept: BTreeSet<_> = executables
            .values()
            .map(|indexed| self.file(&indexed.hash))
            .collect();
        let Ok(entries) = std::fs::read_dir(self.folder) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            // A young one may be another process's, whose index is not written yet.
            let is_description =
                path.extension().is_some_and(|suffix| suffix == SUFFIX) && is_old(&path);
            if is_description
                && !kept.contains(&path)
                && let Err(error) = std::fs::remove_file(&path)
            {
                tracing::debug!(path = %path.display(), %error, "cannot remove an old description");
            }
        }
    }

    fn file(&self, hash: &str) -> PathBuf {
        self.folder.join(format!("{hash}.{SUFFIX}"))
    }

    fn read(&self, hash: &str) -> Option<wire::DescribeResponse> {
        let bytes = std::fs::read(self.file(hash)).ok()?;
        wire::DescribeResponse::decode(bytes.as_slice()).ok()
    }

    fn write(&self, hash: &str, described: &wire::DescribeResponse) {
        let path = self.file(hash);
        if let Err(error) = replace(&path, &described.encode_to_vec()) {
            tracing::warn!(path = %path.display(), %error, "cannot keep the description of a plugin");
        }
    }

    fn offer(&self, indexed: &Indexed, described: Option<&wire::DescribeResponse>) -> Offer {
        let known = |(kind, name): &(i32, String)| Some((kind_from_wire(*kind)?, name.clone()));
        Offer {
            hash: indexed.hash.clone(),
            version: indexed.version.clone(),
            majors: indexed.majors.clone(),
            features: indexed.features.clone(),
            components: indexed.components.iter().filter_map(known).collect(),
            description: self.file(&indexed.hash),
            described: described.cloned(),
        }
    }
}

/// Suffix of descriptions: the answer to `Describe` as it came, so that reading it takes no time.
const SUFFIX: &str = "description";

fn read_index(path: &Path) -> BTreeMap<PathBuf, Indexed> {
    let index: Option<Index> = std::fs::read(path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    index
        .filter(|index| index.version == INDEX_VERSION)
        .map_or_else(BTreeMap::new, |index| index.executables)
}

fn index_entry(stamp: Stamp, hash: String, described: &wire::DescribeResponse) -> Indexed {
    let ids = described
        .components
        .iter()
        .filter_map(|component| component.id.as_ref());
    Indexed {
        stamp,
        hash,
        version: described.version.clone(),
        majors: described.protocol_majors.clone(),
        features: described.features.iter().cloned().collect(),
        components: ids.map(|id| (id.kind, id.name.clone())).collect(),
    }
}

/// Writes the file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    std::fs::write(file.path(), bytes)?;
    file.persist(path)?;
    Ok(())
}

async fn hash_file(path: &Path) -> io::Result<String> {
    let path = path.to_path_buf();
    let hash = tokio::task::spawn_blocking(move || {
        let mut hasher = Sha256::new();
        io::copy(&mut File::open(path)?, &mut hasher)?;
        Ok(hex::encode(hasher.finalize()))
    });
    // Joining fails only when the runtime is shutting down.
    hash.await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

async fn describe(path: &Path, sockets: &Path) -> Result<wire::DescribeResponse, ClientError> {
    let folder = socket_folder(sockets)?;
    let process = Process::start(
        owner_of(path.to_path_buf()),
        PrivateFolder::inside(folder.path()),
    )
    .await?;
    let call = |mut client: Client| async move { client.describe(wire::DescribeRequest {}).await };
    let described = process.call("describe itself", DESCRIBE_LIMIT, call).await;
    process.stop().await;
    described
}

/// The schemas of one plugin.
#[derive(Debug, Default)]
pub(crate) struct Schemas(HashMap<(ComponentKind, String), Schema>);

impl Schemas {
    /// The schemas in a description. A broken description has none and is removed, so that the
    /// plugin is asked again next time.
    pub(crate) fn read(path: &Path) -> Self {
        let read = std::fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| {
                wire::DescribeResponse::decode(bytes.as_slice()).map_err(|error| error.to_string())
            });
        match read {
            Ok(described) => Self::of(described),
            Err(error) => {
                tracing::error!(path = %path.display(), error, "unreadable description of a plugin");
                // It may be gone already, which is as good.
                drop(std::fs::remove_file(path));
                Self::default()
            }
        }
    }

    pub(crate) fn of(described: wire::DescribeResponse) -> Self {
        let schema = |component: wire::ComponentDescription| {
            let id = component.id?;
            let kind = kind_from_wire(id.kind)?;
            match schema_from_wire(component.schema.unwrap_or_default()) {
                Ok(schema) => Some(((kind, id.name), schema)),
                Err(error) => {
                    tracing::error!(component = id.name, %error, "a plugin has a bad schema");
                    None
                }
            }
        };
        Self(
            described
                .components
                .into_iter()
                .filter_map(schema)
                .collect(),
        )
    }

    /// The schema of a component.
    pub(crate) fn get(&self, kind: ComponentKind, name: &str) -> Option<&Schema> {
        self.0.get(&(kind, name.to_owned()))
    }
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
mod tests {
    use super::*;

    fn described(version: &str) -> wire::DescribeResponse {
        let id = wire::ComponentId {
            kind: wire::ComponentKind::Builder.into(),
            name: "x".into(),
        };
        let schema = wire::Schema {
            doc: "Builds x.".into(),
            ..Default::default()
        };
        wire::DescribeResponse {
            name: "x".into(),
            version: version.into(),
            protocol_majors: vec![1],
            features: vec!["reclaim".into()],
            components: vec![wire::ComponentDescription {
                id: Some(id),
                schema: Some(schema),
            }],
        }
    }

    /// A cache that knows the description of an executable, without ever having started it.
    async fn primed(folder: &Path, executable: &Path) {
        let cache = Descriptions::open(folder, folder);
        cache.write(&hash_file(executable).await.unwrap(), &described("1.0.0"));
        cache.of(executable).await.unwrap();
        cache.save();
    }

    #[tokio::test]
    async fn a_known_executable_is_neither_read_nor_started() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("kiln-plugin-x");
        std::fs::write(&executable, "not a program").unwrap();
        let cache = folder.path().join("cache");
        primed(&cache, &executable).await;
        let again = Descriptions::open(&cache, folder.path());
        assert!(again.known.contains_key(&executable));
        let offer = again.of(&executable).await.unwrap();
        assert_eq!(offer.version, "1.0.0");
        assert_eq!(offer.components, [(ComponentKind::Builder, "x".to_owned())]);
        assert!(again.learned.lock().unwrap().is_empty());
        let schemas = Schemas::read(&offer.description);
        assert_eq!(
            schemas.get(ComponentKind::Builder, "x").unwrap().doc,
            "Builds x."
        );
        assert!(schemas.get(ComponentKind::Provisioner, "x").is_none());
    }

    #[tokio::test]
    async fn the_same_bytes_elsewhere_are_not_started() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::write(&one, "not a program").unwrap();
        std::fs::write(&other, "not a program").unwrap();
        let cache = folder.path().join("cache");
        primed(&cache, &one).await;
        let again = Descriptions::open(&cache, folder.path());
        assert_eq!(again.of(&other).await.unwrap().version, "1.0.0");
    }

    #[tokio::test]
    async fn a_changed_executable_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("kiln-plugin-x");
        std::fs::write(&executable, "not a program").unwrap();
        let cache = folder.path().join("cache");
        primed(&cache, &executable).await;
        std::fs::write(&executable, "still not a program").unwrap();
        let again = Descriptions::open(&cache, folder.path());
        let reason = again.of(&executable).await.unwrap_err();
        assert!(
            matches!(reason, Reason::Undescribed(ClientError::Spawn { .. })),
            "{reason:?}"
        );
    }

    #[tokio::test]
    async fn old_descriptions_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("kiln-plugin-x");
        std::fs::write(&executable, "not a program").unwrap();
        let cache = folder.path().join("cache");
        let old = cache.join(format!("abc.{SUFFIX}"));
        let young = cache.join(format!("def.{SUFFIX}"));
        std::fs::create_dir_all(&cache).unwrap();
        std::fs::write(&young, "").unwrap();
        let days_ago = std::time::SystemTime::now() - 3 * KEPT_FOR;
        File::create(&old).unwrap().set_modified(days_ago).unwrap();
        primed(&cache, &executable).await;
        assert!(!old.exists());
        assert!(young.exists(), "it may be another process's");
    }

    #[test]
    fn a_broken_description_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("abc.{SUFFIX}"));
        std::fs::write(&path, [0xff; 9]).unwrap();
        assert!(Schemas::read(&path).0.is_empty());
        assert!(!path.exists());
    }
}
