//! Values as HCL2 text.

use std::collections::BTreeMap;

use serde_json::Value;

use super::calls::Calls;
use super::names::is_identifier;
use crate::document::Object;
use crate::json_text::go_number;

/// Options that are blocks whatever is in them.
const ALWAYS_BLOCKS: [&str; 3] = ["linux_options", "network_interface", "shared_image_gallery"];

/// Options that are lists of text in all components that have them. A legacy template may give a
/// single text instead, which is split at commas; HCL2 does not do that.
const LISTS: [&str; 8] = [
    "boot_command",
    "cd_files",
    "environment_vars",
    "floppy_dirs",
    "floppy_files",
    "inline",
    "iso_urls",
    "scripts",
];

/// Quoted text without any interpolation.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => {
                quoted.push(character);
                quoted.push(character);
            }
            control if control.is_control() || matches!(control, '\u{2028}' | '\u{2029}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A component's options as the inside of a block, sorted.
pub(super) fn body(calls: &mut Calls, options: &Object) -> String {
    body_with(calls, options, &BTreeMap::new())
}

/// The same, with options whose values are HCL2 expressions already; these win.
pub(super) fn body_with(
    calls: &mut Calls,
    options: &Object,
    given: &BTreeMap<&str, String>,
) -> String {
    let mut sorted: BTreeMap<&str, Option<&Value>> = options
        .iter()
        .map(|(key, value)| (key.as_str(), Some(value)))
        .collect();
    sorted.extend(given.keys().map(|key| (*key, None)));
    let mut text = String::new();
    for (key, value) in sorted {
        let Some(value) = value else {
            text.push_str(&format!("{key} = {}\n", given[key]));
            continue;
        };
        if is_identifier(key) {
            text.push_str(&option(calls, key, value));
        } else {
            let note = format!("The option `{key}` is left out: HCL2 has no such names.");
            text.push_str(&format!("# {}\n", note.replace('\n', " ")));
            calls.used.notes.push(note);
        }
    }
    text
}

/// One option: an attribute, a block, or a block for each item of a list.
fn option(calls: &mut Calls, key: &str, value: &Value) -> String {
    match value {
        Value::Object(object) if is_block(key, object) => {
            format!("{key} {{\n{}}}\n", body(calls, object))
        }
        Value::Array(items) if items.is_empty() => String::new(),
        Value::String(text) if LISTS.contains(&key) => split(calls, key, text),
        Value::Array(items) if items.iter().all(is_block_item) => items
            .iter()
            .filter_map(Value::as_object)
            .map(|item| format!("{key} {{\n{}}}\n", body(calls, item)))
            .collect(),
        other => format!("{key} = {}\n", expression(calls, other)),
    }
}

/// A list that is written as one text. What a call gives may have commas too.
fn split(calls: &mut Calls, key: &str, text: &str) -> String {
    if text.contains("{{") {
        return format!("{key} = split(\",\", {})\n", calls.text(text));
    }
    let items: Vec<String> = text
        .split(',')
        .filter(|_| !text.is_empty())
        .map(quote)
        .collect();
    format!("{key} = [{}]\n", items.join(", "))
}

/// Whether an object is a block: when there is more in it than plain values, or nothing.
fn is_block(key: &str, object: &Object) -> bool {
    let is_plain = |value: &Value| !value.is_array() && !value.is_object();
    let plain = object.values().all(is_plain) && object.values().any(|value| !value.is_null());
    object.keys().all(|key| is_identifier(key)) && (ALWAYS_BLOCKS.contains(&key) || !plain)
}

fn is_block_item(item: &Value) -> bool {
    item.as_object()
        .is_some_and(|object| object.keys().all(|key| is_identifier(key)))
}

/// A value as an expression.
pub(super) fn expression(calls: &mut Calls, value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.to_string(),
            None => go_number(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => calls.text(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| expression(calls, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) if object.is_empty() => "{}".to_owned(),
        Value::Object(object) => {
            let mut sorted: Vec<_> = object.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            let mut text = String::from("{\n");
            for (key, value) in sorted {
                // `{ for …` would begin a for expression.
                let bare = is_identifier(key) && key != "for";
                let key = if bare { key.clone() } else { calls.text(key) };
                text.push_str(&format!("{key} = {}\n", expression(calls, value)));
            }
            text.push('}');
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn text_that_means_something_to_hcl_is_escaped() {
        for (text, expected) in [
            ("a\"b\\", r#""a\"b\\""#),
            ("${x} %{y} $$ %", r#""$${x} %%{y} $$ %""#),
            ("a\nb\u{1}", r#""a\nb\u0001""#),
        ] {
            assert_eq!(quote(text), expected);
        }
    }
}
