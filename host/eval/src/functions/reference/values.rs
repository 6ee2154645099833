//! What the calls refer to.

use std::collections::BTreeMap;

use crate::{Type, Value};

/// All variables, by name.
pub(super) fn variables() -> Value {
    Value::object_of([missing(), sensitive(), collections()].concat())
}

fn text(value: &str) -> Value {
    Value::string(value)
}

fn texts(values: &[&str]) -> Value {
    Value::string_list(values.iter().copied())
}

fn map(element: Type, pairs: Vec<(&str, Value)>) -> Value {
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    Value::map(element, pairs.collect())
}

/// Values that are not known yet, or null.
fn missing() -> Vec<(&'static str, Value)> {
    let a_text = BTreeMap::from([("a".to_owned(), Type::String)]);
    let pair = Type::Tuple(vec![Type::String, Type::Number]);
    let unknown_text = || Value::unknown(Type::String);
    vec![
        ("unknown", Value::dynamic()),
        ("unknown_text", unknown_text()),
        ("unknown_number", Value::unknown(Type::Number)),
        ("unknown_bool", Value::unknown(Type::Bool)),
        ("unknown_list", Value::unknown(Type::list(Type::String))),
        ("unknown_set", Value::unknown(Type::set(Type::String))),
        ("unknown_map", Value::unknown(Type::map(Type::String))),
        ("unknown_tuple", Value::unknown(pair)),
        ("unknown_object", Value::unknown(Type::object(a_text))),
        ("null_text", Value::null(Type::String)),
        ("null_number", Value::null(Type::Number)),
        ("null_list", Value::null(Type::list(Type::String))),
        ("null_map", Value::null(Type::map(Type::String))),
        (
            "partly",
            Value::list(Type::String, vec![text("a"), unknown_text()]),
        ),
        (
            "partly_map",
            map(Type::String, vec![("a", text("x")), ("b", unknown_text())]),
        ),
        (
            "partly_set",
            Value::set(Type::String, vec![text("a"), unknown_text()]),
        ),
        (
            "partly_object",
            Value::object_of([("a", text("x")), ("b", unknown_text())]),
        ),
        (
            "null_element",
            Value::list(Type::String, vec![text("a"), Value::null(Type::String)]),
        ),
        (
            "null_value",
            map(
                Type::String,
                vec![("a", text("x")), ("b", Value::null(Type::String))],
            ),
        ),
    ]
}

fn sensitive() -> Vec<(&'static str, Value)> {
    let hidden = |value: &str| text(value).with_sensitive();
    vec![
        ("secret", hidden("hush")),
        ("secret_number", Value::number(5).with_sensitive()),
        ("secret_bool", Value::bool(true).with_sensitive()),
        ("secret_list", texts(&["b", "a"]).with_sensitive()),
        (
            "secret_element",
            Value::list(Type::String, vec![text("b"), hidden("a")]),
        ),
        (
            "secret_map",
            map(Type::String, vec![("a", text("x"))]).with_sensitive(),
        ),
        (
            "secret_value",
            map(Type::String, vec![("a", hidden("x")), ("b", text("y"))]),
        ),
        (
            "secret_object",
            Value::object_of([("a", hidden("x")), ("b", text("y"))]),
        ),
        (
            "secret_unknown",
            Value::unknown(Type::String).with_sensitive(),
        ),
    ]
}

fn collections() -> Vec<(&'static str, Value)> {
    let numbers = |values: &[i64]| values.iter().map(|value| Value::number(*value)).collect();
    let object = |value: &str| Value::object_of([("a", text(value))]);
    vec![
        ("texts", texts(&["b", "a", "b"])),
        ("numbers", Value::list(Type::Number, numbers(&[3, 1, 2]))),
        (
            "truths",
            Value::list(Type::Bool, vec![Value::bool(true), Value::bool(false)]),
        ),
        (
            "set_texts",
            Value::set(Type::String, vec![text("b"), text("a")]),
        ),
        (
            "set_numbers",
            Value::set(Type::Number, numbers(&[10, 9, -1])),
        ),
        (
            "map_texts",
            map(Type::String, vec![("a", text("x")), ("b", text("y"))]),
        ),
        (
            "map_numbers",
            map(
                Type::Number,
                vec![("a", Value::number(1)), ("b", Value::number(2))],
            ),
        ),
        (
            "lists",
            Value::list(
                Type::list(Type::String),
                vec![texts(&["a"]), texts(&["b", "c"])],
            ),
        ),
        (
            "objects",
            Value::list(object("p").ty, vec![object("p"), object("q")]),
        ),
        ("empty_list", Value::list(Type::String, Vec::new())),
        ("empty_set", Value::set(Type::String, Vec::new())),
        ("empty_map", map(Type::String, Vec::new())),
    ]
}
