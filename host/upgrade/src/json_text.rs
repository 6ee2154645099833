//! JSON text in the layout of `fix`.

use std::fmt::Write as _;

use serde_json::Value;

use crate::document::{Document, Object};

/// The template as text: two blanks per level, keys sorted, a line break at the end.
///
/// # Source
///
/// Go's `encoding/json`, with `<` and `>` as they are and `&` as `\u0026`, as Packer prints it.
#[must_use]
pub fn print(document: &Document) -> String {
    let mut text = String::new();
    print_object(&mut text, &document.root, 0);
    text.push('\n');
    text
}

fn print_value(text: &mut String, value: &Value, level: usize) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&go_number(number.as_f64().unwrap_or_default())),
        Value::String(value) => print_string(text, value),
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                next_line(text, index, level + 1);
                print_value(text, item, level + 1);
            }
            next_line(text, 0, level);
            text.push(']');
        }
        Value::Object(object) => print_object(text, object, level),
    }
}

fn print_object(text: &mut String, object: &Object, level: usize) {
    if object.is_empty() {
        text.push_str("{}");
        return;
    }
    text.push('{');
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by_key(|(key, _)| *key);
    for (index, (key, value)) in members.into_iter().enumerate() {
        next_line(text, index, level + 1);
        print_string(text, key);
        text.push_str(": ");
        print_value(text, value, level + 1);
    }
    next_line(text, 0, level);
    text.push('}');
}

/// Begins a line, behind a comma unless it is the first item's.
fn next_line(text: &mut String, index: usize, level: usize) {
    if index > 0 {
        text.push(',');
    }
    text.push('\n');
    text.push_str(&"  ".repeat(level));
}

fn print_string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                write!(text, "\\u{:04x}", u32::from(character)).expect("text takes all writes");
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

/// A number as Go prints a float: without exponent between 1e-6 and 1e21.
pub(crate) fn go_number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
            _ => text,
        };
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use host_diag::FileId;

    use super::*;

    #[test]
    fn layout_order_and_escapes_are_those_of_go() {
        let text = r#"{"b": [1, {"y": 1.50, "x": "<&>\u2028\u0001"}], "a": {}, "c": []}"#;
        let document = Document::read(FileId(0), text).unwrap();
        let expected = r#"{
  "a": {},
  "b": [
    1,
    {
      "x": "<\u0026>\u2028\u0001",
      "y": 1.5
    }
  ],
  "c": []
}
"#;
        assert_eq!(print(&document), expected);
    }

    #[test]
    fn numbers_are_printed_as_go_prints_floats() {
        for (value, expected) in [
            (5000.0, "5000"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (0.000_001, "0.000001"),
            (-2.25, "-2.25"),
        ] {
            assert_eq!(go_number(value), expected);
        }
    }
}
