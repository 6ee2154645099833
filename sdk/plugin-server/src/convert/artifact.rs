//! Artifacts.

use std::path::PathBuf;

use plugin_wire::v1 as wire;
use sdk_component::Artifact;

use super::resource::{resource_from_wire, resource_to_wire};
use super::{value_from_wire, value_to_wire};

/// Paths that are not UTF-8 cannot cross the wire; their odd bytes are replaced.
pub(crate) fn artifact_to_wire(artifact: Artifact) -> wire::Artifact {
    wire::Artifact {
        builder_id: artifact.builder_id,
        id: artifact.id,
        files: texts(&artifact.files),
        description: artifact.description,
        state: Some(value_to_wire(artifact.state)),
        destroy: texts(&artifact.destroy),
        resources: (1..)
            .zip(artifact.resources)
            .map(|(number, resource)| resource_to_wire(number, resource))
            .collect(),
    }
}

pub(crate) fn artifact_from_wire(artifact: Option<wire::Artifact>) -> Artifact {
    let artifact = artifact.unwrap_or_default();
    Artifact {
        builder_id: artifact.builder_id,
        id: artifact.id,
        files: artifact.files.into_iter().map(PathBuf::from).collect(),
        description: artifact.description,
        state: value_from_wire(artifact.state),
        destroy: artifact.destroy.into_iter().map(PathBuf::from).collect(),
        resources: artifact
            .resources
            .into_iter()
            .map(|resource| resource_from_wire(resource).1)
            .collect(),
    }
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}
