//! The `packer` block: version and plugins.

use std::collections::BTreeSet;

use serde_json::Value;

use super::data_sources::DataSources;
use super::write::quote;
use super::{components, section};
use crate::document::{Object, type_of};

/// Plugins whose components' names begin with their own.
const KNOWN: [&str; 10] = [
    "amazon",
    "ansible",
    "azure",
    "docker",
    "googlecompute",
    "qemu",
    "vagrant",
    "virtualbox",
    "vmware",
    "vsphere",
];

/// The plugin that a component comes from, when it is a known one.
pub(super) fn plugin_of(component: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|plugin| {
        component
            .strip_prefix(plugin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// All known plugins that the template uses.
pub(super) fn needed(root: &Object, data: &DataSources) -> BTreeSet<&'static str> {
    let mut types: Vec<&str> = components(root, "builders").map(type_of).collect();
    types.extend(components(root, "provisioners").map(type_of));
    let cleanup = section(root, "error-cleanup-provisioner").and_then(Value::as_object);
    types.extend(cleanup.map(type_of));
    let entries = section(root, "post-processors").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let chain = entry
            .as_array()
            .map_or(std::slice::from_ref(entry), Vec::as_slice);
        types.extend(chain.iter().filter_map(|one| match one {
            Value::String(kind) => Some(kind.as_str()),
            Value::Object(object) => Some(type_of(object)),
            _ => None,
        }));
    }
    if !data.is_empty() {
        types.push("amazon");
    }
    types.into_iter().filter_map(plugin_of).collect()
}

/// The block; empty when there is nothing to say.
pub(super) fn block(root: &Object, plugins: &BTreeSet<&str>) -> String {
    let mut text = String::new();
    if let Some(Value::String(version)) = section(root, "min_packer_version") {
        text.push_str(&format!(
            "required_version = {}\n",
            quote(&format!(">= {version}"))
        ));
    }
    if !plugins.is_empty() {
        text.push_str("required_plugins {\n");
        for plugin in plugins {
            let source = quote(&format!("github.com/hashicorp/{plugin}"));
            text.push_str(&format!(
                "{plugin} = {{\nsource = {source}\nversion = \"~> 1\"\n}}\n"
            ));
        }
        text.push_str("}\n");
    }
    if text.is_empty() {
        text
    } else {
        format!("packer {{\n{text}}}\n")
    }
}
