//! What builds leave, asked for by Packer and asked of it.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sdk_component::{Artifact, Failure};
use sdk_config::Value;
use sdk_packer_protocol::endpoint::{self, ArtifactFacts, RemoteArtifact};
use sdk_packer_protocol::transport::Wire;

use super::wire::{facts_to_wire, from_wire, to_wire};

/// The fact that holds the machine's values.
const GENERATED: &str = "generated_data";

/// Facts that are asked of every artifact, as nothing lists them.
const FACTS: [&str; 2] = [GENERATED, "par.artifact.metadata"];

/// An artifact of this process.
pub(super) struct Made(pub(super) Artifact);

#[async_trait]
impl endpoint::Artifact for Made {
    fn facts(&self) -> ArtifactFacts {
        let files = self.0.files.iter();
        ArtifactFacts {
            builder_id: self.0.builder_id.clone(),
            id: self.0.id.clone(),
            description: self.0.description.clone(),
            files: files.map(|file| file.display().to_string()).collect(),
        }
    }

    async fn state(&self, name: String) -> Wire {
        match self.0.state.get(&name) {
            Some(facts) if name == GENERATED => facts_to_wire(facts),
            Some(value) => to_wire(value),
            None => Wire::Nil,
        }
    }

    async fn destroy(&self) -> Result<(), String> {
        for path in &self.0.destroy {
            let removed = remove(path).await;
            removed.map_err(|error| format!("cannot remove `{}`: {error}", path.display()))?;
        }
        Ok(())
    }
}

/// Removes a file or a folder; what is gone already counts as removed.
async fn remove(path: &Path) -> std::io::Result<()> {
    let removed = match tokio::fs::symlink_metadata(path).await {
        Ok(found) if found.is_dir() => tokio::fs::remove_dir_all(path).await,
        Ok(_) => tokio::fs::remove_file(path).await,
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The artifact that a post-processor is given. Removing it is left to the host.
pub(super) async fn received(input: &RemoteArtifact) -> Result<Artifact, Failure> {
    let facts = input.facts().await;
    let facts = facts.map_err(|error| Failure::from_error(&error))?;
    let mut state = Value::empty_map();
    for name in FACTS {
        let fact = input.state(name).await;
        let fact = fact.map_err(|error| Failure::from_error(&error))?;
        let value = from_wire(&fact);
        if !value.is_null() {
            state.insert(name, value);
        }
    }
    Ok(Artifact {
        builder_id: facts.builder_id,
        id: facts.id,
        files: facts.files.into_iter().map(PathBuf::from).collect(),
        description: facts.description,
        state,
        destroy: Vec::new(),
    })
}

/// The machine's values that an artifact carries.
pub(super) fn generated(artifact: &Artifact) -> Value {
    let facts = artifact.state.get(GENERATED).cloned();
    facts.unwrap_or_else(Value::empty_map)
}
