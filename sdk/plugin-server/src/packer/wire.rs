//! Values of kiln and plain data of Packer's wire.

use sdk_config::{Value, ValueKind};
use sdk_packer_protocol::transport::{Wire, bytes_of};
use sdk_packer_protocol::value::native_from_msgpack;

/// Plain data; what is not known is left out of maps.
pub(super) fn to_wire(value: &Value) -> Wire {
    match &value.kind {
        ValueKind::Null | ValueKind::Unknown => Wire::Nil,
        ValueKind::Bool(value) => Wire::from(*value),
        ValueKind::Number(text) => number(text),
        ValueKind::String(text) => Wire::from(text.as_str()),
        ValueKind::List(items) => Wire::Array(items.iter().map(to_wire).collect()),
        ValueKind::Map(entries) => Wire::Map(
            entries
                .iter()
                .filter(|(_, value)| value.kind != ValueKind::Unknown)
                .map(|(name, value)| (Wire::from(name.as_str()), to_wire(value)))
                .collect(),
        ),
    }
}

fn number(text: &str) -> Wire {
    if let Ok(int) = text.parse::<i64>() {
        return Wire::from(int);
    }
    text.parse::<f64>()
        .map_or_else(|_| Wire::from(text), Wire::from)
}

/// Facts of a machine. Packer takes single values only and ends the build over any other.
pub(super) fn facts_to_wire(facts: &Value) -> Wire {
    let ValueKind::Map(entries) = &facts.kind else {
        return Wire::Map(Vec::new());
    };
    let single = |value: &Value| {
        matches!(
            value.kind,
            ValueKind::Bool(_) | ValueKind::Number(_) | ValueKind::String(_)
        )
    };
    let entries = entries.iter().filter(|(_, value)| single(value));
    Wire::Map(
        entries
            .map(|(name, value)| (Wire::from(name.as_str()), to_wire(value)))
            .collect(),
    )
}

/// A value of plain data; null when it is none that templates have.
pub(super) fn from_wire(wire: &Wire) -> Value {
    native_from_msgpack(&bytes_of(wire)).unwrap_or_else(|error| {
        tracing::debug!(%error, "a value from the host was left out");
        Value::null()
    })
}
