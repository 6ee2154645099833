//! What builds leave, asked for by Packer and asked of it.

use std::path::PathBuf;

use async_trait::async_trait;
use sdk_component::{Artifact, Failure};
use sdk_config::Value;
use sdk_packer_protocol::endpoint::{self, ArtifactFacts, GENERATED_DATA, RemoteArtifact};
use sdk_packer_protocol::transport::Wire;

use super::wire::{facts_to_wire, from_wire, to_wire};
use crate::plugin::Reclaimers;

/// An artifact of this process, and what removes those parts of it that are no files.
pub(super) struct Made(pub(super) Artifact, pub(super) Reclaimers);

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
            Some(facts) if name == GENERATED_DATA => facts_to_wire(facts),
            Some(value) => to_wire(value),
            None => Wire::Nil,
        }
    }

    async fn destroy(&self) -> Result<(), String> {
        self.0.remove()?;
        for resource in &self.0.resources {
            let removed = self.1.reclaim(resource.clone()).await;
            removed.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// The artifact that the component was given, which it gave back. What only its maker knows, its
/// maker is asked.
pub(super) struct Passed {
    made: Made,
    origin: RemoteArtifact,
}

impl Passed {
    pub(super) fn new(made: Made, origin: RemoteArtifact) -> Self {
        Self { made, origin }
    }
}

#[async_trait]
impl endpoint::Artifact for Passed {
    fn facts(&self) -> ArtifactFacts {
        self.made.facts()
    }

    async fn state(&self, name: String) -> Wire {
        let own = self.made.state(name.clone()).await;
        if !matches!(own, Wire::Nil) {
            return own;
        }
        self.origin.state(&name).await.unwrap_or_else(|error| {
            tracing::debug!(name, %error, "a fact about the artifact is not known");
            Wire::Nil
        })
    }

    async fn destroy(&self) -> Result<(), String> {
        self.made.destroy().await?;
        self.origin
            .destroy()
            .await
            .map_err(|error| error.to_string())
    }
}

/// Whether a component gave back its input.
pub(super) fn is_same(made: &Artifact, input: &Artifact) -> bool {
    (&made.builder_id, &made.id, &made.files) == (&input.builder_id, &input.id, &input.files)
}

/// The artifact that a post-processor is given. Removing it is left to the host.
pub(super) async fn received(input: &RemoteArtifact) -> Result<Artifact, Failure> {
    let facts = input.facts().await;
    let facts = facts.map_err(|error| Failure::from_error(&error))?;
    let mut state = Value::empty_map();
    let known = input.known_facts().await;
    for (name, fact) in known.map_err(|error| Failure::from_error(&error))? {
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
        resources: Vec::new(),
    })
}

/// The machine's values that an artifact carries.
pub(super) fn generated(artifact: &Artifact) -> Value {
    let facts = artifact.state.get(GENERATED_DATA).cloned();
    facts.unwrap_or_else(Value::empty_map)
}
