use bigdecimal::BigDecimal;
use host_eval::{Type as ValueType, Value, ValueKind};

use super::{Fitting, Typing, Unknowns, fit};
use crate::schema::{Primitive, Type};

fn list_of_text() -> Type {
    Type::List(Box::new(Type::Primitive(Primitive::String)))
}

fn show(value: &Value) -> String {
    match &value.kind {
        ValueKind::Unknown => "unknown".to_owned(),
        ValueKind::Null => "null".to_owned(),
        ValueKind::Bool(bool) => bool.to_string(),
        ValueKind::Number(number) => number.to_plain_string(),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Sequence(items) => {
            format!(
                "[{}]",
                items.iter().map(show).collect::<Vec<_>>().join(", ")
            )
        }
        ValueKind::Mapping(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key} = {}", show(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn check(value: Value, ty: &Type, typing: Typing, expected: &str) {
    let fitting = Fitting {
        typing,
        unknowns: Unknowns::Replace,
    };
    let shown = match fit(value, ty, fitting) {
        Ok(value) => show(&value),
        Err(misfit) => format!("error: {}", misfit.message),
    };
    assert_eq!(shown, expected);
}

#[test]
fn single_values_turn_into_each_other_as_in_the_language() {
    let strict = |value, primitive, expected| {
        check(value, &Type::Primitive(primitive), Typing::Strict, expected);
    };
    strict(
        Value::number(BigDecimal::from(10)),
        Primitive::String,
        "\"10\"",
    );
    strict(Value::bool(true), Primitive::String, "\"true\"");
    strict(Value::string("1024"), Primitive::Number, "1024");
    strict(Value::string("true"), Primitive::Bool, "true");
    strict(
        Value::string("yes"),
        Primitive::Bool,
        "error: a bool is required",
    );
    strict(
        Value::string("<unknown>"),
        Primitive::Number,
        "error: a number is required",
    );
    strict(
        Value::tuple(vec![]),
        Primitive::String,
        "error: string required",
    );
}

#[test]
fn legacy_values_are_read_weakly() {
    let weak = |value, ty: Type, expected| check(value, &ty, Typing::Weak, expected);
    weak(Value::string("a,b"), list_of_text(), "[\"a\", \"b\"]");
    weak(Value::string(""), list_of_text(), "[]");
    weak(
        Value::number(BigDecimal::from(5)),
        list_of_text(),
        "[\"5\"]",
    );
    weak(
        Value::number(BigDecimal::from(1)),
        Type::Primitive(Primitive::Bool),
        "true",
    );
    weak(Value::string(""), Type::Primitive(Primitive::Number), "0");
    weak(
        Value::bool(true),
        Type::Primitive(Primitive::String),
        "\"1\"",
    );
}

#[test]
fn a_single_value_is_no_list_in_hcl() {
    check(
        Value::string("a"),
        &list_of_text(),
        Typing::Strict,
        "error: list of string required",
    );
}

#[test]
fn unknown_values_become_placeholders_of_the_wanted_type() {
    let dynamic = || Value::unknown(ValueType::Dynamic);
    let strict = |ty: Type, expected| check(dynamic(), &ty, Typing::Strict, expected);
    strict(Type::Primitive(Primitive::String), "\"<unknown>\"");
    strict(Type::Primitive(Primitive::Number), "0");
    strict(Type::Primitive(Primitive::Bool), "false");
    strict(list_of_text(), "[]");
    check(
        Value::tuple(vec![dynamic(), Value::null(ValueType::Dynamic)]),
        &list_of_text(),
        Typing::Strict,
        "[\"<unknown>\", \"\"]",
    );
}

#[test]
fn marks_stay_on_values_and_parts() {
    let value = Value::tuple(vec![
        Value::string("a").with_sensitive(),
        Value::string("b"),
    ]);
    let fitting = Fitting {
        typing: Typing::Strict,
        unknowns: Unknowns::Replace,
    };
    let fitted = fit(value, &list_of_text(), fitting).expect("fits");
    let ValueKind::Sequence(items) = fitted.kind else {
        panic!("a list")
    };
    assert_eq!(
        (items[0].sensitive, items[1].sensitive, fitted.sensitive),
        (true, false, false)
    );
}

#[test]
fn what_is_unknown_stays_so_when_a_plan_is_shown() {
    let value = Value::tuple(vec![Value::string("a"), Value::unknown(ValueType::String)]);
    let fitting = Fitting {
        typing: Typing::Strict,
        unknowns: Unknowns::Keep,
    };
    let fitted = fit(value, &list_of_text(), fitting).expect("fits");
    assert_eq!(show(&fitted), "[\"a\", unknown]");
}
