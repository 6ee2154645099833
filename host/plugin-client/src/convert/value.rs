//! Values.

use std::collections::BTreeMap;
use std::str::FromStr;

use host_eval::{Number, ObjectType, Type, Value, ValueKind};
use host_template::{AttributeSchema, Primitive, Type as OptionType};
use plugin_wire::v1 as wire;
use plugin_wire::v1::value::Kind;

use super::{BadMessage, required};

/// Numbers with more digits than this are sent with an exponent.
const PLAIN_DIGITS: i64 = 60;

/// The value as a message. Nothing is lost but the types of empty and unknown collections.
pub(crate) fn value_to_wire(value: &Value) -> wire::Value {
    let kind = match &value.kind {
        ValueKind::Unknown => Kind::Unknown(wire::Unknown {}),
        ValueKind::Null => Kind::Null(wire::Null {}),
        ValueKind::Bool(boolean) => Kind::Boolean(*boolean),
        ValueKind::Number(number) => Kind::Number(number_text(number)),
        ValueKind::String(text) => Kind::String(text.clone()),
        ValueKind::Sequence(items) => Kind::List(wire::List {
            items: items.iter().map(value_to_wire).collect(),
        }),
        ValueKind::Mapping(entries) => Kind::Map(entries_to_wire(entries)),
    };
    wire::Value {
        kind: Some(kind),
        sensitive: value.sensitive,
    }
}

/// Named values as a message.
pub(crate) fn mapping_to_wire(values: &BTreeMap<String, Value>) -> wire::Value {
    wire::Value {
        kind: Some(Kind::Map(entries_to_wire(values))),
        sensitive: false,
    }
}

fn entries_to_wire(values: &BTreeMap<String, Value>) -> wire::Map {
    let entry = |(key, value): (&String, &Value)| wire::Entry {
        key: key.clone(),
        value: Some(value_to_wire(value)),
    };
    wire::Map {
        entries: values.iter().map(entry).collect(),
    }
}

/// The number as exact decimal text.
fn number_text(number: &Number) -> String {
    let number = number.normalized();
    let (digits, scale) = number.as_bigint_and_exponent();
    let text = digits.to_string();
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if scale.abs().saturating_add(length) <= PLAIN_DIGITS {
        return number.to_plain_string();
    }
    format!("{text}e{}", scale.saturating_neg())
}

/// The value of a message; lists become tuples and maps become objects.
pub(crate) fn value_from_wire(message: wire::Value) -> Result<Value, BadMessage> {
    typed(message, &OptionType::Primitive(Primitive::Any))
}

/// The named values of a message; without the message there are none.
pub(crate) fn mapping_from_wire(
    message: Option<wire::Value>,
    field: &'static str,
) -> Result<BTreeMap<String, Value>, BadMessage> {
    let Some(message) = message else {
        return Ok(BTreeMap::new());
    };
    match message.kind {
        None | Some(Kind::Null(_)) => Ok(BTreeMap::new()),
        Some(Kind::Map(map)) => entries_from_wire(map, |_| &ANY),
        Some(_) => Err(BadMessage::NotAMap(field)),
    }
}

/// What a data source returned, with the types its schema says.
pub(crate) fn outputs_from_wire(
    message: wire::Value,
    outputs: &[AttributeSchema],
) -> Result<Value, BadMessage> {
    let sensitive = message.sensitive;
    let Some(Kind::Map(map)) = message.kind else {
        return Err(BadMessage::NotAMap("output"));
    };
    let declared = |name: &str| outputs.iter().find(|output| output.name == name);
    let mut values =
        entries_from_wire(map, |name| declared(name).map_or(&ANY, |output| &output.ty))?;
    for output in outputs {
        let missing = || Value::null(value_type(&output.ty));
        values
            .entry(output.name.clone())
            .or_insert_with(missing)
            .sensitive |= output.sensitive;
    }
    Ok(Value {
        sensitive,
        ..Value::object(values)
    })
}

/// What a data source with these outputs will return: an object of values that are not known.
#[must_use]
pub fn unknown_outputs(outputs: &[AttributeSchema]) -> Value {
    let attributes = outputs
        .iter()
        .map(|output| (output.name.clone(), value_type(&output.ty)))
        .collect();
    let ty = Type::Object(ObjectType {
        attributes,
        optional: BTreeMap::new(),
    });
    Value::unknown(ty)
}

const ANY: OptionType = OptionType::Primitive(Primitive::Any);

fn entries_from_wire<'t>(
    map: wire::Map,
    declared: impl Fn(&str) -> &'t OptionType,
) -> Result<BTreeMap<String, Value>, BadMessage> {
    let mut values = BTreeMap::new();
    for entry in map.entries {
        let value = typed(required(entry.value, "value")?, declared(&entry.key))?;
        if values.contains_key(&entry.key) {
            return Err(BadMessage::DuplicateKey(entry.key));
        }
        values.insert(entry.key, value);
    }
    Ok(values)
}

/// The type values of an option's type have.
fn value_type(ty: &OptionType) -> Type {
    match ty {
        OptionType::Primitive(Primitive::Any) => Type::Dynamic,
        OptionType::Primitive(Primitive::Bool) => Type::Bool,
        OptionType::Primitive(Primitive::Number) => Type::Number,
        OptionType::Primitive(Primitive::String | Primitive::Duration) => Type::String,
        OptionType::List(item) => Type::List(Box::new(value_type(item))),
        OptionType::Map(item) => Type::Map(Box::new(value_type(item))),
        OptionType::Object(attributes) => {
            let attributes = attributes
                .iter()
                .map(|(name, ty, _)| (name.clone(), value_type(ty)));
            Type::Object(ObjectType {
                attributes: attributes.collect(),
                optional: BTreeMap::new(),
            })
        }
    }
}

/// The value, as a collection where its type says so and its elements agree with that.
fn typed(message: wire::Value, ty: &OptionType) -> Result<Value, BadMessage> {
    let sensitive = message.sensitive;
    let value = match required(message.kind, "kind")? {
        Kind::Null(_) => Value::null(value_type(ty)),
        Kind::Unknown(_) => Value::unknown(value_type(ty)),
        Kind::Boolean(boolean) => Value::bool(boolean),
        Kind::String(text) => Value::string(text),
        Kind::Number(text) => Value::number(number(text)?),
        Kind::List(list) => sequence(list, ty)?,
        Kind::Map(map) => mapping(map, ty)?,
    };
    Ok(Value { sensitive, ..value })
}

fn number(text: String) -> Result<Number, BadMessage> {
    Number::from_str(&text).map_err(|_| BadMessage::NotANumber(text))
}

fn sequence(list: wire::List, ty: &OptionType) -> Result<Value, BadMessage> {
    let item = if let OptionType::List(item) = ty {
        item
    } else {
        &ANY
    };
    let items: Result<Vec<_>, _> = list
        .items
        .into_iter()
        .map(|message| typed(message, item))
        .collect();
    let items = items?;
    let wanted = value_type(item);
    if matches!(ty, OptionType::List(_)) && items.iter().all(|one| one.ty == wanted) {
        return Ok(Value::list(wanted, items));
    }
    Ok(Value::tuple(items))
}

fn mapping(map: wire::Map, ty: &OptionType) -> Result<Value, BadMessage> {
    match ty {
        OptionType::Map(item) => {
            let values = entries_from_wire(map, |_| item)?;
            let wanted = value_type(item);
            if values.values().all(|one| one.ty == wanted) {
                return Ok(Value::map(wanted, values));
            }
            Ok(Value::object(values))
        }
        OptionType::Object(attributes) => {
            let declared = |name: &str| attributes.iter().find(|(other, ..)| other == name);
            let values =
                entries_from_wire(map, |name| declared(name).map_or(&ANY, |(_, ty, _)| ty))?;
            Ok(Value::object(values))
        }
        _ => Ok(Value::object(entries_from_wire(map, |_| &ANY)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_number(text: &str, expected: &str) {
        assert_eq!(number_text(&Number::from_str(text).unwrap()), expected);
        let there = number(expected.to_owned()).unwrap();
        assert_eq!(there, Number::from_str(text).unwrap());
    }

    #[test]
    fn numbers_stay_exact() {
        check_number("10", "10");
        check_number("-0.50", "-0.5");
        check_number("0.1", "0.1");
        check_number(
            "123456789012345678901234567890.5",
            "123456789012345678901234567890.5",
        );
        check_number("1e400", "1e400");
        check_number("25e-400", "25e-400");
    }

    #[test]
    fn values_survive_the_trip() {
        let value = Value::object_of([
            ("a", Value::string("x")),
            ("b", Value::null(Type::Dynamic)),
            ("c", Value::dynamic()),
            ("d", Value::bool(true).with_sensitive()),
            (
                "e",
                Value::tuple(vec![Value::string("y"), Value::number(1)]),
            ),
        ]);
        assert_eq!(value_from_wire(value_to_wire(&value)).unwrap(), value);
    }

    fn output(name: &str, ty: OptionType) -> AttributeSchema {
        AttributeSchema {
            name: name.to_owned(),
            ty,
            required: false,
            sensitive: name == "secret",
            late: false,
            doc: String::new(),
            default_text: String::new(),
            deprecated: String::new(),
            choices: Vec::new(),
        }
    }

    #[test]
    fn outputs_have_the_types_of_the_schema() {
        let list = OptionType::List(Box::new(OptionType::Primitive(Primitive::String)));
        let outputs = [
            output("names", list),
            output("secret", OptionType::Primitive(Primitive::String)),
            output("missing", OptionType::Primitive(Primitive::Number)),
        ];
        let sent = Value::object_of([
            ("names", Value::tuple(vec![])),
            ("secret", Value::string("s")),
        ]);
        let value = outputs_from_wire(value_to_wire(&sent), &outputs).unwrap();
        let ValueKind::Mapping(got) = value.kind else {
            unreachable!("outputs are an object")
        };
        assert_eq!(got["names"].ty, Type::List(Box::new(Type::String)));
        assert!(got["secret"].sensitive);
        assert_eq!(got["missing"], Value::null(Type::Number));
    }

    #[test]
    fn bad_messages_are_refused() {
        let message = |kind| wire::Value {
            kind,
            sensitive: false,
        };
        assert_eq!(
            value_from_wire(message(None)),
            Err(BadMessage::Missing("kind"))
        );
        assert_eq!(
            value_from_wire(message(Some(Kind::Number("ten".into())))),
            Err(BadMessage::NotANumber("ten".into()))
        );
        let entry = || wire::Entry {
            key: "k".into(),
            value: Some(message(Some(Kind::Boolean(true)))),
        };
        let twice = Kind::Map(wire::Map {
            entries: vec![entry(), entry()],
        });
        assert_eq!(
            value_from_wire(message(Some(twice))),
            Err(BadMessage::DuplicateKey("k".into()))
        );
    }
}
