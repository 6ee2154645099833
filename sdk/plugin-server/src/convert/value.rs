//! Values, with their marks.

use plugin_wire::v1::value::Kind;
use plugin_wire::v1::{Entry, List, Map, Null, Unknown, Value as WireValue};
use sdk_config::{Value, ValueKind};

/// A missing value, or one of a kind this version does not know, is null.
pub(crate) fn value_from_wire(value: Option<WireValue>) -> Value {
    let Some(WireValue { kind, sensitive }) = value else {
        return Value::null();
    };
    let kind = match kind {
        None | Some(Kind::Null(Null {})) => ValueKind::Null,
        Some(Kind::Unknown(Unknown {})) => ValueKind::Unknown,
        Some(Kind::Boolean(value)) => ValueKind::Bool(value),
        Some(Kind::Number(text)) => ValueKind::Number(text),
        Some(Kind::String(text)) => ValueKind::String(text),
        Some(Kind::List(List { items })) => ValueKind::List(
            items
                .into_iter()
                .map(|item| value_from_wire(Some(item)))
                .collect(),
        ),
        Some(Kind::Map(Map { entries })) => ValueKind::Map(
            entries
                .into_iter()
                .map(|Entry { key, value }| (key, value_from_wire(value)))
                .collect(),
        ),
    };
    Value { kind, sensitive }
}

/// The message for a value, for tests that talk to a plugin as a host does.
#[must_use]
pub fn value_to_wire(value: Value) -> WireValue {
    let kind = match value.kind {
        ValueKind::Null => Kind::Null(Null {}),
        ValueKind::Unknown => Kind::Unknown(Unknown {}),
        ValueKind::Bool(value) => Kind::Boolean(value),
        ValueKind::Number(text) => Kind::Number(text),
        ValueKind::String(text) => Kind::String(text),
        ValueKind::List(items) => Kind::List(List {
            items: items.into_iter().map(value_to_wire).collect(),
        }),
        ValueKind::Map(entries) => Kind::Map(Map {
            entries: entries
                .into_iter()
                .map(|(key, value)| Entry {
                    key,
                    value: Some(value_to_wire(value)),
                })
                .collect(),
        }),
    };
    WireValue {
        kind: Some(kind),
        sensitive: value.sensitive,
    }
}

#[cfg(test)]
mod tests {
    use sdk_config::{Value, ValueKind};

    use super::{value_from_wire, value_to_wire};

    #[test]
    fn values_keep_their_meaning() {
        let number = Value::new(ValueKind::Number("1e40".to_owned()));
        let value: Value = [
            ("null", Value::null()),
            ("unknown", Value::unknown()),
            ("secret", Value::from("x").sensitive()),
            (
                "list",
                vec![true.into(), number, Value::unknown().sensitive()].into(),
            ),
            ("map", Value::empty_map()),
        ]
        .into_iter()
        .collect();
        assert_eq!(value_from_wire(Some(value_to_wire(value.clone()))), value);
    }
}
