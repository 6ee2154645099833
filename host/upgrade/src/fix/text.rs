//! Outdated template calls.

use serde_json::Value;

use crate::document::Document;

/// `{{.CreateTime}}` becomes `{{timestamp}}` in names of images.
pub(super) fn create_time(document: &mut Document) {
    for builder in document.builders() {
        for key in ["ami_name", "bundle_prefix", "snapshot_name"] {
            if let Some(Value::String(text)) = builder.get_mut(key) {
                *text = replace_create_time(text);
            }
        }
    }
}

fn replace_create_time(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let behind = &rest[start + 2..];
        let call = behind
            .trim_start()
            .strip_prefix(".CreateTime")
            .map(str::trim_start);
        match call.and_then(|call| call.strip_prefix("}}")) {
            Some(after) => {
                result.push_str(&rest[..start]);
                result.push_str("{{timestamp}}");
                rest = after;
            }
            None => {
                // One brace at a time: `{{{` may hide a call behind its first brace.
                result.push_str(&rest[..=start]);
                rest = &rest[start + 1..];
            }
        }
    }
    result + rest
}

/// `clean_image_name` and `clean_ami_name` become `clean_resource_name` in a builder's texts, and in
/// those of maps directly in it, such as `tags`.
///
/// # Source
///
/// Measured with Packer 1.6.6, which leaves lists and deeper maps alone.
pub(super) fn clean_resource_name(document: &mut Document) {
    for builder in document.builders() {
        for (_, value) in builder.iter_mut() {
            match value {
                Value::Object(map) => map.iter_mut().for_each(|(_, value)| clean(value)),
                other => clean(other),
            }
        }
    }
}

fn clean(value: &mut Value) {
    let Value::String(text) = value else { return };
    for old in ["clean_image_name", "clean_ami_name"] {
        if text.contains(old) {
            *text = text.replace(old, "clean_resource_name");
        }
    }
}
