//! VirtualBox builders.

use serde_json::Value;

use super::option::{rename as rename_option, rename_unless_there};
use crate::document::Document;

/// `guest_additions_attach` becomes `guest_additions_mode`. Only the oldest of the builders had it.
pub(super) fn guest_additions_attach(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "virtualbox") {
        if let Some(Value::Bool(attach)) = builder.get("guest_additions_attach") {
            let mode = if *attach { "attach" } else { "upload" };
            builder.remove("guest_additions_attach");
            builder.insert("guest_additions_mode".to_owned(), mode.into());
        }
    }
}

/// The builder `virtualbox` becomes `virtualbox-iso`, also as a key of provisioners' overrides.
pub(super) fn rename(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "virtualbox") {
        builder.insert("type".to_owned(), "virtualbox-iso".into());
    }
    for provisioner in document.provisioners() {
        if let Some(Value::Object(overrides)) = provisioner.get_mut("override") {
            rename_option(overrides, "virtualbox", "virtualbox-iso");
        }
    }
}

/// Forwarded ports serve any communicator, so the options lose `ssh_`.
pub(super) fn port_forwarding(document: &mut Document) {
    for builder in document.builders_of(|kind| kind.starts_with("virtualbox")) {
        let any = |_: &Value| true;
        rename_unless_there(builder, "ssh_host_port_min", "host_port_min", any);
        rename_unless_there(builder, "ssh_host_port_max", "host_port_max", any);
        let (old, new) = ("ssh_skip_nat_mapping", "skip_nat_mapping");
        rename_unless_there(builder, old, new, Value::is_boolean);
    }
}
