//! What artifacts are known by.
//!
//! # Source
//!
//! Packer's Docker plugin: the identities and the descriptions.

use kiln_sdk::{Artifact, Value, ValueKind};

use crate::cli::Docker;
use crate::reclaim::{IMAGE, held_by_engine};

/// A container as a tar: what the builder exports.
pub(crate) const EXPORTED: &str = "packer.docker";
/// An image that was imported or committed.
pub(crate) const IMPORTED: &str = "packer.post-processor.docker-import";
/// An image that was given tags.
pub(crate) const TAGGED: &str = "packer.post-processor.docker-tag";
/// Files from elsewhere.
pub(crate) const ARTIFICE: &str = "packer.post-processor.artifice";

/// State key of an image's names.
const TAGS: &str = "docker_tags";
/// State key of the machine's values.
const GENERATED: &str = "generated_data";

/// The artifact of an image in the engine that `docker` talks to.
pub(crate) fn image(
    docker: &Docker,
    builder_id: &str,
    id: String,
    tags: &[String],
    generated: Value,
) -> Artifact {
    let mut description = format!("Imported Docker image: {id}");
    if !tags.is_empty() {
        description.push_str(&format!(" with tags {}", tags.join(" ")));
    }
    let mut state = Value::empty_map();
    let names: Vec<Value> = tags.iter().map(|tag| Value::from(tag.as_str())).collect();
    state.insert(TAGS, names);
    state.insert(GENERATED, generated);
    Artifact {
        builder_id: builder_id.to_owned(),
        resources: vec![held_by_engine(IMAGE, &id, &docker.path)],
        id,
        description,
        state,
        ..Artifact::default()
    }
}

/// The names of an image.
pub(crate) fn tags(artifact: &Artifact) -> Vec<String> {
    match artifact.state.get(TAGS).map(|tags| &tags.kind) {
        Some(ValueKind::List(tags)) => tags
            .iter()
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// The machine's values that an artifact carries.
pub(crate) fn generated(artifact: &Artifact) -> Value {
    let generated = artifact.state.get(GENERATED).cloned();
    generated.unwrap_or_else(Value::empty_map)
}
