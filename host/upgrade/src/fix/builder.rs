//! Options of all builders, and of those with a single fixer.

use serde_json::Value;

use super::option::{rename, rename_unless_there};
use crate::document::Document;

/// `ssh_key_path` becomes `ssh_private_key_file`.
pub(super) fn ssh_key_path(document: &mut Document) {
    for builder in document.builders() {
        rename_unless_there(
            builder,
            "ssh_key_path",
            "ssh_private_key_file",
            Value::is_string,
        );
    }
}

/// `ssh_disable_agent` becomes `ssh_disable_agent_forwarding`.
pub(super) fn ssh_disable_agent(document: &mut Document) {
    for builder in document.builders() {
        let (old, new) = ("ssh_disable_agent", "ssh_disable_agent_forwarding");
        rename_unless_there(builder, old, new, Value::is_boolean);
    }
}

/// `ssh_wait_timeout` becomes `ssh_timeout`.
pub(super) fn ssh_wait_timeout(document: &mut Document) {
    for builder in document.builders() {
        rename_unless_there(builder, "ssh_wait_timeout", "ssh_timeout", Value::is_string);
    }
}

/// What Scaleway called an access key is an organization.
pub(super) fn scaleway_access_key(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "scaleway") {
        rename_unless_there(builder, "access_key", "organization_id", Value::is_string);
    }
}

/// A misspelt option.
pub(super) fn azure_exclude_from_latest(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "azure-chroot") {
        if let Some(Value::Object(destination)) = builder.get_mut("shared_image_destination") {
            let (old, new) = ("exlude_from_latest", "exclude_from_latest");
            rename(destination, old, new);
        }
    }
}

/// The builder `proxmox` becomes `proxmox-iso`.
pub(super) fn proxmox_type(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "proxmox") {
        builder.insert("type".to_owned(), "proxmox-iso".into());
    }
}
