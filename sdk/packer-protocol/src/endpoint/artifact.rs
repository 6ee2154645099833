//! What a build leaves.

use std::sync::Arc;

use async_trait::async_trait;

use super::facts::{FURTHER_FACTS, GENERATED_DATA};
use super::ui::{texts, texts_to_wire};
use crate::transport::{CallError, Client, Fault, Service, Wire};
use crate::transport::{field, lossy_text, wire_text};

/// An artifact that can be asked.
#[async_trait]
pub trait Artifact: Send + Sync + 'static {
    /// What does not change.
    fn facts(&self) -> ArtifactFacts;

    /// A further fact; null when it is not known.
    async fn state(&self, name: String) -> Wire;

    /// Removes it.
    ///
    /// # Errors
    ///
    /// What stays, and why.
    async fn destroy(&self) -> Result<(), String>;
}

/// The facts every artifact has.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ArtifactFacts {
    /// Which component's kind of artifact it is.
    pub builder_id: String,
    /// Its identity.
    pub id: String,
    /// What the summary prints.
    pub description: String,
    /// Paths of the files it consists of.
    pub files: Vec<String>,
}

/// Answers questions about an artifact.
pub struct ArtifactService(Arc<dyn Artifact>);

impl ArtifactService {
    /// Questions go to `artifact`.
    #[must_use]
    pub fn new(artifact: Arc<dyn Artifact>) -> Self {
        Self(artifact)
    }
}

#[async_trait]
impl Service for ArtifactService {
    fn offers(&self, name: &str) -> bool {
        name == "Artifact"
    }

    async fn call(&self, _service: &str, method: &str, argument: Wire) -> Result<Wire, Fault> {
        Ok(match method {
            "BuilderId" => wire_text(self.0.facts().builder_id),
            "Id" => wire_text(self.0.facts().id),
            "String" => wire_text(self.0.facts().description),
            "Files" => texts_to_wire(&self.0.facts().files),
            "State" => {
                let name = lossy_text(&argument).ok_or(Fault::Argument)?;
                self.0.state(name).await
            }
            "Destroy" => {
                self.0.destroy().await.map_err(Fault::Failed)?;
                Wire::Nil
            }
            _ => return Err(Fault::NoMethod),
        })
    }
}

/// The other side's artifact.
#[derive(Clone, Debug)]
pub struct RemoteArtifact(Client);

impl RemoteArtifact {
    /// Asks on the stream of `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// What does not change.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn facts(&self) -> Result<ArtifactFacts, CallError> {
        let method = "Artifact.Files";
        let files = self.0.call(method, Wire::Nil).await?;
        Ok(ArtifactFacts {
            builder_id: self.text("Artifact.BuilderId").await?,
            id: self.text("Artifact.Id").await?,
            description: self.text("Artifact.String").await?,
            files: texts(&files).ok_or_else(|| CallError::unexpected(method, "list of texts"))?,
        })
    }

    /// A further fact; null when it is not known.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn state(&self, name: &str) -> Result<Wire, CallError> {
        self.0.call("Artifact.State", wire_text(name)).await
    }

    /// All of [`GENERATED_DATA`] and [`FURTHER_FACTS`] that is known. A fact that the other side cannot
    /// hand over is left out.
    ///
    /// # Errors
    ///
    /// As any call, but for refusals.
    pub async fn known_facts(&self) -> Result<Vec<(&'static str, Wire)>, CallError> {
        let mut known = Vec::new();
        for name in FURTHER_FACTS.iter().copied().chain([GENERATED_DATA]) {
            match self.state(name).await {
                Ok(Wire::Nil) => {}
                Ok(fact) => known.push((name, fact)),
                Err(CallError::Remote { message }) => {
                    tracing::warn!(name, message, "a fact about the artifact is left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(known)
    }

    /// Removes it.
    ///
    /// # Errors
    ///
    /// What stays, and why, also in the form of a result, as the plugin SDK says it.
    pub async fn destroy(&self) -> Result<(), CallError> {
        let result = self.0.call("Artifact.Destroy", Wire::Nil).await?;
        match lossy_text(field(&result, "Message")).filter(|text| !text.is_empty()) {
            Some(message) => Err(CallError::Remote { message }),
            None => Ok(()),
        }
    }

    async fn text(&self, method: &str) -> Result<String, CallError> {
        let text = self.0.call(method, Wire::Nil).await?;
        lossy_text(&text).ok_or_else(|| CallError::unexpected(method, "text"))
    }
}
