//! Values as the console shows them.

use std::collections::BTreeMap;

use crate::decimal;
use crate::types::Type;
use crate::value::{Value, ValueKind};

/// The value as text, possibly of several lines, without a final line break. A string is bare, or
/// quoted inside of a collection; what is sensitive is `<sensitive>`, what is not known yet
/// `<unknown>`. Attributes of objects that are null are left out.
///
/// # Source
///
/// Measured with `packer console`, version 1.6.6.
#[must_use]
pub fn console_text(value: &Value) -> String {
    match (value.as_str(), value.sensitive) {
        (Some(text), false) => text.to_owned(),
        _ => {
            let mut text = String::new();
            write_value(value, 0, &mut text);
            text
        }
    }
}

fn write_value(value: &Value, indent: usize, text: &mut String) {
    if value.sensitive {
        text.push_str("<sensitive>");
        return;
    }
    match &value.kind {
        ValueKind::Unknown => text.push_str("<unknown>"),
        ValueKind::Null => text.push_str("null"),
        ValueKind::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        ValueKind::Number(value) => text.push_str(&decimal::console(value)),
        ValueKind::String(value) => text.push_str(&quoted_text(value)),
        ValueKind::Sequence(elements) => write_sequence(elements, indent, text),
        ValueKind::Mapping(elements) => {
            let shows_null = matches!(value.ty, Type::Map(_));
            let shown = elements
                .iter()
                .filter(|(_, element)| shows_null || !element.is_null());
            write_mapping(shown.collect(), indent, text);
        }
    }
}

fn write_sequence(elements: &[Value], indent: usize, text: &mut String) {
    if elements.is_empty() {
        text.push_str("[]");
        return;
    }
    text.push_str("[\n");
    for element in elements {
        text.push_str(&" ".repeat(indent + 2));
        write_value(element, indent + 2, text);
        text.push_str(",\n");
    }
    text.push_str(&" ".repeat(indent));
    text.push(']');
}

fn write_mapping(elements: BTreeMap<&String, &Value>, indent: usize, text: &mut String) {
    if elements.is_empty() {
        text.push_str("{}");
        return;
    }
    text.push_str("{\n");
    for (key, element) in elements {
        text.push_str(&" ".repeat(indent + 2));
        text.push_str(&quoted_text(key));
        text.push_str(" = ");
        write_value(element, indent + 2, text);
        text.push('\n');
    }
    text.push_str(&" ".repeat(indent));
    text.push('}');
}

/// Text in quotes as Go writes it: what has no picture, such as a control character or a joiner,
/// is escaped.
#[must_use]
pub fn quoted_text(value: &str) -> String {
    let mut text = String::from("\"");
    for character in value.chars() {
        let code = u32::from(character);
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\x07' => text.push_str("\\a"),
            '\x08' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\x0b' => text.push_str("\\v"),
            '\x0c' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            pictured if has_picture(pictured) => text.push(pictured),
            _ if code < 0x80 => text.push_str(&format!("\\x{code:02x}")),
            _ if code < 0x1_0000 => text.push_str(&format!("\\u{code:04x}")),
            _ => text.push_str(&format!("\\U{code:08x}")),
        }
    }
    text.push('"');
    text
}

fn has_picture(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    // Behind another character, this escapes just what has no picture, and leaves marks alone.
    String::from_iter(['a', character]).escape_debug().nth(1) == Some(character)
}

#[cfg(test)]
mod tests {
    use crate::test_kit::run;

    use super::console_text;

    fn check(expression: &str, expected: &str) {
        let (value, problems) = run(expression);
        assert!(problems.is_empty(), "{expression}: {problems:?}");
        assert_eq!(console_text(&value), expected, "{expression}");
    }

    #[test]
    fn shows_strings_bare_only_at_the_top() {
        check(r#""a\nb\"c""#, "a\nb\"c");
        check(
            r#"["a\nb\"c\tx\\ü$${x}"]"#,
            "[\n  \"a\\nb\\\"c\\tx\\\\ü${x}\",\n]",
        );
    }

    #[test]
    fn escapes_what_has_no_picture_as_go_does() {
        check(
            r#"["\u0001\u007f\u00a0\u200d\ufeff\U000E0001é🙂e\u0301"]"#,
            "[\n  \"\\x01\\x7f\\u00a0\\u200d\\ufeff\\U000e0001é🙂é\",\n]",
        );
    }

    #[test]
    fn indents_collections() {
        check(
            r#"{b = {c = [1]}, "a b" = [], d = {}}"#,
            "{\n  \"a b\" = []\n  \"b\" = {\n    \"c\" = [\n      1,\n    ]\n  }\n  \"d\" = {}\n}",
        );
        check("{a = null}", "{}");
        check("convert({a = null}, map(string))", "{\n  \"a\" = null\n}");
    }

    #[test]
    fn shows_numbers_as_go_does() {
        check("1234567890", "1234567890");
        check("9223372036854775808", "9.223372036854776e+18");
        check("1234567.5", "1.2345675e+06");
        check("10 / 3", "3.3333333333333335");
        check("0.00001", "1e-05");
        check("1e20", "1e+20");
        check("0.1 + 0.2", "0.3");
    }

    #[test]
    fn hides_what_is_sensitive_and_names_what_is_missing() {
        check("var.secret", "<sensitive>");
        check("var.secrets", "[\n  \"open\",\n  <sensitive>,\n]");
        check("var.unk", "<unknown>");
        check("null", "null");
    }
}
