//! What any executable says about itself, without a cache.

use std::collections::BTreeSet;
use std::path::Path;

use host_template::{ComponentKind, Schema};
use plugin_wire::{feature, handshake};

use super::{Schemas, describe};
use crate::convert::kind_from_wire;
use crate::error::ClientError;
use crate::process::owner_of;
use crate::settings::Settings;

/// What a plugin's executable says about itself.
#[derive(Debug)]
pub struct OwnWords {
    /// The name of its family.
    pub name: String,
    /// Its version, as it gives it.
    pub version: String,
    /// The protocol majors it serves.
    pub majors: Vec<u32>,
    /// Optional behaviour it has, by name.
    pub features: BTreeSet<String>,
    /// What it offers, in its own order.
    pub components: Vec<(ComponentKind, String)>,
    schemas: Schemas,
}

impl OwnWords {
    /// Starts the executable at `path`, which has to be a plugin of kiln's own kind, and asks it.
    ///
    /// # Errors
    ///
    /// When it cannot be started, does not shake hands, or does not answer.
    pub async fn of(path: &Path, settings: &Settings) -> Result<Self, ClientError> {
        let owner = owner_of(path.to_path_buf());
        let described = describe(owner, &settings.socket_folder, &settings.isolation).await?;
        let components = described.components.iter();
        let known = components.filter_map(|component| {
            let id = component.id.as_ref()?;
            Some((kind_from_wire(id.kind)?, id.name.clone()))
        });
        Ok(Self {
            name: described.name.clone(),
            version: described.version.clone(),
            majors: described.protocol_majors.clone(),
            features: described.features.iter().cloned().collect(),
            components: known.collect(),
            schemas: Schemas::of(described),
        })
    }

    /// The schema of a component.
    #[must_use]
    pub fn schema(&self, kind: ComponentKind, name: &str) -> Option<&Schema> {
        self.schemas.get(kind, name)
    }

    /// Whether this program and the plugin have a protocol major in common.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        let mut majors = self.majors.iter();
        majors.any(|major| handshake::PROTOCOL_MAJORS.contains(major))
    }

    /// Features it has that this program does not know; nobody uses them.
    #[must_use]
    pub fn unknown_features(&self) -> Vec<&str> {
        let names = self.features.iter().map(String::as_str);
        names.filter(|name| !feature::ALL.contains(name)).collect()
    }

    /// Whether what it left behind when it was killed can be removed.
    #[must_use]
    pub fn can_reclaim(&self) -> bool {
        self.features.contains(feature::RECLAIM)
    }
}
