//! The `build` block: provisioners and post-processors.

use std::collections::BTreeMap;

use serde_json::Value;

use super::calls::{Calls, Place};
use super::sources::Sources;
use super::write::{body_with, expression, quote};
use super::{components, duration, section};
use crate::document::{Object, type_of};

/// The block.
pub(super) fn block(root: &Object, sources: &Sources, calls: &mut Calls) -> String {
    calls.place = Place::Build;
    let mut parts = Vec::new();
    if let Some(Value::String(description)) = section(root, "description") {
        parts.push(format!("description = {}\n", quote(description)));
    }
    let references: Vec<String> = sources.references().map(|source| quote(&source)).collect();
    parts.push(format!("sources = [{}]\n", references.join(", ")));
    for provisioner in components(root, "provisioners") {
        parts.push(provisioner_block(
            "provisioner",
            provisioner,
            sources,
            calls,
        ));
    }
    let cleanup = section(root, "error-cleanup-provisioner").and_then(Value::as_object);
    if let Some(cleanup) = cleanup.filter(|cleanup| !cleanup.is_empty()) {
        parts.push(provisioner_block(
            "error-cleanup-provisioner",
            cleanup,
            sources,
            calls,
        ));
    }
    let entries = section(root, "post-processors").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        parts.push(chain(entry, sources, calls));
    }
    format!("build {{\n{}}}\n", parts.join("\n"))
}

fn provisioner_block(
    block: &str,
    provisioner: &Object,
    sources: &Sources,
    calls: &mut Calls,
) -> String {
    let mut options = provisioner.clone();
    options.remove("type");
    let mut given = filters(&mut options, sources);
    if let Some(retries) = options.remove("max_retries") {
        let text = match retries {
            Value::String(text) => calls.text(&text),
            other => quote(&other.to_string()),
        };
        given.insert("max_retries", text);
    }
    for key in ["pause_before", "timeout"] {
        if let Some(value) = options.remove(key) {
            given.insert(key, time(&value, calls));
        }
    }
    if let Some(Value::Object(overrides)) = options.remove("override") {
        given.insert("override", overrides_of(&overrides, sources, calls));
    }
    let body = body_with(calls, &options, &given);
    let kind = quote(type_of(provisioner));
    format!("{}{block} {kind} {{\n{body}}}\n", calls.comments())
}

/// `only` and `except`, with the names of the new sources.
fn filters(options: &mut Object, sources: &Sources) -> BTreeMap<&'static str, String> {
    let mut given = BTreeMap::new();
    for key in ["only", "except"] {
        let names: Vec<String> = match options.remove(key) {
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| sources.build_name(name))
                .collect(),
            Some(Value::String(name)) => vec![sources.build_name(&name)],
            _ => Vec::new(),
        };
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
            given.insert(key, format!("[{}]", names.join(", ")));
        }
    }
    given
}

/// A time to wait: text, or a number of nanoseconds.
fn time(value: &Value, calls: &mut Calls) -> String {
    let nanos = value.as_f64();
    match value {
        Value::String(text) => match duration::normal(text) {
            Some(normal) => quote(&normal),
            None => calls.text(text),
        },
        other => quote(
            &nanos
                .and_then(duration::from_nanos)
                .unwrap_or_else(|| format!("{other}ns")),
        ),
    }
}

fn overrides_of(overrides: &Object, sources: &Sources, calls: &mut Calls) -> String {
    let mut text = String::from("{\n");
    for (name, options) in overrides {
        let label = quote(sources.label(name));
        text.push_str(&format!("{label} = {}\n", expression(calls, options)));
    }
    text + "}"
}

/// A single post-processor, or a chain of them.
fn chain(entry: &Value, sources: &Sources, calls: &mut Calls) -> String {
    match entry {
        Value::Array(members) => match members.as_slice() {
            [single] => post_processor(single, sources, calls),
            members => {
                let blocks: Vec<String> = members
                    .iter()
                    .map(|member| post_processor(member, sources, calls))
                    .collect();
                format!("post-processors {{\n{}}}\n", blocks.join("\n"))
            }
        },
        single => post_processor(single, sources, calls),
    }
}

fn post_processor(entry: &Value, sources: &Sources, calls: &mut Calls) -> String {
    let mut options = match entry {
        Value::Object(options) => options.clone(),
        Value::String(kind) => Object::from_iter([("type".to_owned(), kind.as_str().into())]),
        _ => return String::new(),
    };
    let kind = quote(type_of(&options));
    options.remove("type");
    let given = filters(&mut options, sources);
    let body = body_with(calls, &options, &given);
    format!("{}post-processor {kind} {{\n{body}}}\n", calls.comments())
}
