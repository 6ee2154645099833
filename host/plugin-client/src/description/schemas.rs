//! The schemas in a description.

use std::collections::HashMap;
use std::path::Path;

use host_template::{ComponentKind, Schema};
use plugin_wire::v1 as wire;
use prost::Message;

use crate::convert::{kind_from_wire, schema_from_wire};

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

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
