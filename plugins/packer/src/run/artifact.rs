//! Artifacts both ways.

use std::path::PathBuf;

use async_trait::async_trait;
use kiln_sdk::{Artifact, Failure, Value};
use sdk_packer_protocol::endpoint::{self, ArtifactFacts, RemoteArtifact};
use sdk_packer_protocol::transport::Wire;

use crate::values::{facts_from_wire, from_wire, to_wire};

/// Key of the machine's values.
const GENERATED: &str = "generated_data";
/// Further facts that known post-processors ask for. They are read when the artifact is made,
/// because the plugin's process does not outlive its run.
///
/// # Source
///
/// The post-processors of the public plugins, and the names under which registries are told.
const KNOWN_FACTS: &[&str] = &[
    "par.artifact.metadata",
    "atlas.artifact.metadata",
    "artifact.ssh_private_key",
    "artifact.conf.export.ova",
    "artifact.conf.export.ovf",
    "artifact.conf.keep_registered",
    "artifact.conf.skip_export",
    "diskName",
    "diskPaths",
    "diskSize",
    "diskType",
    "domainType",
    "digest",
    "docker_tags",
    "source_image_name",
    "ImageName",
    "ImageSizeGb",
    "ProjectId",
    "BuildZone",
    "AccountFilePath",
    "Config",
];

/// What a plugin made, with everything that may be asked about it later.
pub(super) async fn taken(artifact: &RemoteArtifact) -> Result<Artifact, Failure> {
    let failed = |error| Failure::from_error(&error);
    let facts = artifact.facts().await.map_err(failed)?;
    let mut state = Value::empty_map();
    let generated = artifact.state(GENERATED).await.map_err(failed)?;
    if !matches!(generated, Wire::Nil) {
        let generated = facts_from_wire(&generated);
        state.insert(
            GENERATED,
            generated.map_err(|error| Failure::from_error(&error))?,
        );
    }
    for name in KNOWN_FACTS {
        let fact = artifact.state(name).await.map_err(failed)?;
        if matches!(fact, Wire::Nil) {
            continue;
        }
        match from_wire(&fact) {
            Ok(fact) => state.insert(*name, fact),
            Err(error) => tracing::warn!(name, %error, "a fact about the artifact is left out"),
        }
    }
    let absolute = |file: &String| std::path::absolute(file).unwrap_or_else(|_| file.into());
    Ok(Artifact {
        builder_id: facts.builder_id,
        id: facts.id,
        destroy: facts.files.iter().map(absolute).collect(),
        files: facts.files.iter().map(PathBuf::from).collect(),
        description: facts.description,
        state,
    })
}

/// What a plugin is given.
pub(super) struct Given {
    artifact: Artifact,
    generated: Value,
}

impl Given {
    pub(super) fn new(artifact: Artifact, generated: Value) -> Self {
        Self {
            artifact,
            generated,
        }
    }
}

#[async_trait]
impl endpoint::Artifact for Given {
    fn facts(&self) -> ArtifactFacts {
        let files = self.artifact.files.iter();
        ArtifactFacts {
            builder_id: self.artifact.builder_id.clone(),
            id: self.artifact.id.clone(),
            description: self.artifact.description.clone(),
            files: files
                .map(|file| file.to_string_lossy().into_owned())
                .collect(),
        }
    }

    async fn state(&self, name: String) -> Wire {
        match self.artifact.state.get(&name) {
            Some(fact) => to_wire(fact),
            None if name == GENERATED => to_wire(&self.generated),
            None => Wire::Nil,
        }
    }

    async fn destroy(&self) -> Result<(), String> {
        for path in &self.artifact.destroy {
            let removed = match tokio::fs::symlink_metadata(path).await {
                Ok(data) if data.is_dir() => tokio::fs::remove_dir_all(path).await,
                Ok(_) => tokio::fs::remove_file(path).await,
                Err(error) => Err(error),
            };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(format!("cannot remove {}: {error}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
