//! Artifacts both ways.

use std::path::PathBuf;

use async_trait::async_trait;
use kiln_sdk::{Artifact, Value};
use sdk_packer_protocol::endpoint::{self, ArtifactFacts, GENERATED_DATA, RemoteArtifact};
use sdk_packer_protocol::transport::{CallError, Wire};
use sdk_packer_protocol::value::ValueError;

use super::folders;
use crate::values::{facts_from_wire, from_wire, to_wire};

/// What a plugin made is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum TakeError {
    /// The plugin did not say it.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The machine's values cannot be read.
    #[error("the values of the plugin's machine cannot be read")]
    Value(#[from] ValueError),
}

/// What a plugin made, with everything that may be asked about it later: its process does not
/// outlive its run.
pub(super) async fn taken(artifact: &RemoteArtifact) -> Result<Artifact, TakeError> {
    let facts = artifact.facts().await?;
    let mut state = Value::empty_map();
    for (name, fact) in artifact.known_facts().await? {
        if name == GENERATED_DATA {
            state.insert(name, facts_from_wire(&fact)?);
            continue;
        }
        match from_wire(&fact) {
            Ok(fact) => state.insert(name, fact),
            Err(error) => tracing::warn!(name, %error, "a fact about the artifact is left out"),
        }
    }
    let files: Vec<PathBuf> = facts.files.iter().map(PathBuf::from).collect();
    let here = std::env::current_dir().unwrap_or_default();
    Ok(Artifact {
        builder_id: facts.builder_id,
        id: facts.id,
        destroy: folders::with_own_folders(&files, &here),
        files,
        description: facts.description,
        state,
        resources: Vec::new(),
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
            None if name == GENERATED_DATA => to_wire(&self.generated),
            None => {
                // A later post-processor may depend on what its input's plugin was not asked.
                tracing::debug!(name, "a fact about the artifact is not known");
                Wire::Nil
            }
        }
    }

    async fn destroy(&self) -> Result<(), String> {
        self.artifact.remove()
    }
}
