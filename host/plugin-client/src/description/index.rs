//! The index of the cache: hashes of files, and what their plugins offer.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use plugin_wire::v1 as wire;
use serde::{Deserialize, Serialize};

use super::packer::PackerDescription;

/// Changes when what is in the index does; an index of another version is not used.
const INDEX_VERSION: u32 = 3;

/// What is known of executables.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Index {
    version: u32,
    /// Hashes of files.
    pub(super) files: BTreeMap<PathBuf, Hashed>,
    /// What plugins offer, by the name of their description.
    pub(super) offers: BTreeMap<String, Offered>,
    /// What plugins made for Packer say, by the hash of their executables.
    pub(super) packer: BTreeMap<String, PackerDescription>,
}

/// The SHA-256 of a file that still has this stamp.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hashed {
    pub(super) stamp: Stamp,
    pub(super) sha256: String,
}

/// What a plugin offers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Offered {
    /// Hashes of the executables it consists of.
    of: Vec<String>,
    pub(super) version: String,
    pub(super) majors: Vec<u32>,
    pub(super) features: BTreeSet<String>,
    /// Kind as on the wire, and name.
    pub(super) components: Vec<(i32, String)>,
    /// What it declares that it needs.
    pub(super) needs: Vec<String>,
}

/// What changes when a file does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    size: u64,
    device: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
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

impl Offered {
    pub(super) fn new(of: Vec<String>, described: &wire::DescribeResponse) -> Self {
        let ids = described
            .components
            .iter()
            .filter_map(|component| component.id.as_ref());
        Self {
            of,
            version: described.version.clone(),
            majors: described.protocol_majors.clone(),
            features: described.features.iter().cloned().collect(),
            components: ids.map(|id| (id.kind, id.name.clone())).collect(),
            needs: described.needs.clone(),
        }
    }
}

impl Index {
    /// The index in a file; an empty one when there is none that can be used.
    pub(super) fn read(path: &Path) -> Self {
        let index: Option<Self> = std::fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        index
            .filter(|index| index.version == INDEX_VERSION)
            .unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.offers.is_empty() && self.packer.is_empty()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.files.extend(other.files.clone());
        self.offers.extend(other.offers.clone());
        self.packer.extend(other.packer.clone());
    }

    /// Forgets files that are gone, and what was only known of them.
    pub(super) fn forget_the_gone(&mut self) {
        self.files.retain(|path, _| path.exists());
        let files = self.files.values();
        let hashes: BTreeSet<&String> = files.map(|hashed| &hashed.sha256).collect();
        self.offers
            .retain(|_, offered| offered.of.iter().all(|hash| hashes.contains(hash)));
        self.packer.retain(|hash, _| hashes.contains(hash));
    }

    pub(super) fn write(&mut self, path: &Path) -> io::Result<()> {
        self.version = INDEX_VERSION;
        replace(path, &serde_json::to_vec(self)?)
    }
}

/// Writes the file whole or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    std::fs::write(file.path(), bytes)?;
    file.persist(path)?;
    Ok(())
}
