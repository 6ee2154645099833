//! The builder vsphere-iso.

use serde_json::Value;

use crate::document::{Document, Object};

/// Network and disk options become the first item of `network_adapters` and `storage`.
pub(super) fn network_and_disk(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "vsphere-iso") {
        let adapter = [
            ("network", "network"),
            ("networkCard", "network_card"),
            ("network_card", "network_card"),
        ];
        gather(builder, &adapter, "network_adapters");
        let disk = ["disk_size", "disk_thin_provisioned", "disk_eagerly_scrub"];
        gather(builder, &disk.map(|key| (key, key)), "storage");
    }
}

/// Moves options, under new names, into a new first item of the list `into`.
fn gather(builder: &mut Object, options: &[(&str, &str)], into: &str) {
    let mut item = Object::new();
    for (old, new) in options {
        if let Some(value) = builder.remove(*old) {
            item.insert((*new).to_owned(), value);
        }
    }
    if item.is_empty() {
        return;
    }
    let mut items = vec![Value::Object(item)];
    match builder.remove(into) {
        Some(Value::Array(more)) => items.extend(more),
        Some(Value::Null) | None => {}
        Some(single) => items.push(single),
    }
    builder.insert(into.to_owned(), Value::Array(items));
}
