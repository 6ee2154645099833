//! Post-processors, and what they have in common with docker builders.

use serde_json::Value;

use super::option::rename;
use crate::document::{Document, Object};

/// A vagrant post-processor's options per provider move below `override`.
///
/// Differs: what is below `override` already stays; Packer drops it.
pub(super) fn vagrant_override(document: &mut Document) {
    for vagrant in document.post_processors_of("vagrant") {
        let mut moved = Object::new();
        for provider in ["aws", "digitalocean", "virtualbox", "vmware"] {
            if let Some(options) = vagrant.remove(provider) {
                moved.insert(provider.to_owned(), options);
            }
        }
        if moved.is_empty() {
            continue;
        }
        match vagrant.get_mut("override") {
            Some(Value::Object(overrides)) => overrides.extend(moved),
            _ => drop(vagrant.insert("override".to_owned(), Value::Object(moved))),
        }
    }
}

/// The manifest's `filename` becomes `output`.
pub(super) fn manifest_filename(document: &mut Document) {
    for manifest in document.post_processors_of("manifest") {
        if manifest.get("filename").is_some_and(Value::is_string) {
            rename(manifest, "filename", "output");
        }
    }
}

/// Docker registries no longer ask for an address.
///
/// # Source
///
/// Packer removes the option from all components, and not at all (up to 1.6.6) when the template
/// has no post-processors.
pub(super) fn docker_email(document: &mut Document) {
    for builder in document.builders() {
        builder.remove("login_email");
    }
    for post_processor in document.post_processors() {
        post_processor.remove("login_email");
    }
}

/// `tag` and `tags` become one list in which nothing stands twice.
pub(super) fn docker_tags(document: &mut Document) {
    for docker_tag in document.post_processors_of("docker-tag") {
        let found = ["tag", "tags"].map(|key| docker_tag.remove(key));
        let mut all: Vec<Value> = Vec::new();
        for tag in found.into_iter().flatten().flat_map(tags) {
            if !all.contains(&tag) {
                all.push(tag);
            }
        }
        docker_tag.insert("tags".to_owned(), Value::Array(all));
    }
}

/// A list of tags, which may also be written as text with commas.
fn tags(value: Value) -> Vec<Value> {
    match value {
        Value::Array(tags) => tags,
        Value::String(text) => text
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(Value::from)
            .collect(),
        Value::Null => Vec::new(),
        other => vec![other],
    }
}
