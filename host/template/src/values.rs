//! Looking into values.

use bigdecimal::BigDecimal;
use host_eval::{Value, ValueKind};

/// What stands for text that is not known yet in a configuration.
pub(crate) const UNKNOWN_TEXT: &str = "<unknown>";

/// A number as Packer writes it into text: plain decimal, without trailing zeros.
pub(crate) fn number_text(number: &BigDecimal) -> String {
    number.normalized().to_plain_string()
}

/// Every text in `value` that is marked sensitive, whole and line by line; placeholders and empty
/// text are left out.
pub fn secrets_of(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_secrets(value, value.sensitive, &mut found);
    found
}

pub(crate) fn collect_secrets(value: &Value, inherited: bool, found: &mut Vec<String>) {
    let sensitive = inherited || value.sensitive;
    match &value.kind {
        ValueKind::String(text) if sensitive => push_secret(text, found),
        ValueKind::Sequence(items) => {
            for item in items {
                collect_secrets(item, sensitive, found);
            }
        }
        ValueKind::Mapping(entries) => {
            for entry in entries.values() {
                collect_secrets(entry, sensitive, found);
            }
        }
        _ => {}
    }
}

pub(crate) fn push_secret(text: &str, found: &mut Vec<String>) {
    let whole = (!text.is_empty() && text != UNKNOWN_TEXT).then_some(text);
    let lines = text
        .lines()
        .filter(|_| text.contains('\n'))
        .map(str::trim_end);
    for piece in whole
        .into_iter()
        .chain(lines.filter(|line| !line.is_empty()))
    {
        if !found.iter().any(|known| known == piece) {
            found.push(piece.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use host_eval::Value;

    use super::secrets_of;

    #[test]
    fn secrets_are_found_under_marks_and_line_by_line() {
        let value = Value::object_of([
            ("open", Value::string("visible")),
            ("key", Value::string("one\ntwo\n").with_sensitive()),
            ("list", Value::string_list(["three", ""]).with_sensitive()),
        ]);
        assert_eq!(secrets_of(&value), ["one\ntwo\n", "one", "two", "three"]);
    }
}
