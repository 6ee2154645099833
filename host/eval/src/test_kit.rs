//! What the tests of this crate share: expressions and values as text.

use std::sync::Arc;

use host_diag::{Diagnostic, FileId};
use host_syntax::{Expr, parse_expression};

use crate::{FunctionSet, Scope, Settings, Type, Value, ValueKind, evaluate};

pub(crate) fn expression(text: &str) -> Expr {
    let (expr, problems) = parse_expression(FileId(0), 0, text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    expr.expect("an expression without problems is there")
}

/// `var.unk`, `var.unks` (string), `var.unkl` (list of string), `var.secret`, `var.secrets`,
/// `var.list`, `var.map`, `var.set`, `var.obj`, `var.empty`.
pub(crate) fn scope() -> Scope {
    let secret = || Value::string("hush").with_sensitive();
    let map = [("a", 1), ("b", 2)].map(|(key, value)| (key.to_owned(), Value::number(value)));
    let var = Value::object_of([
        ("unk", Value::dynamic()),
        ("unks", Value::unknown(Type::String)),
        ("unkl", Value::unknown(Type::list(Type::String))),
        ("secret", secret()),
        (
            "secrets",
            Value::tuple(vec![Value::string("open"), secret()]),
        ),
        ("list", Value::string_list(["x", "y", "z"])),
        ("map", Value::map(Type::Number, map.into_iter().collect())),
        (
            "set",
            Value::set(Type::String, vec!["b".into(), "a".into()]),
        ),
        (
            "obj",
            Value::object_of([("name", Value::string("n")), ("size", Value::number(3))]),
        ),
        ("empty", Value::list(Type::String, Vec::new())),
        ("nothing", Value::null(Type::list(Type::String))),
    ]);
    // 2026-11-20T15:04:05.678Z
    let settings = Settings {
        started_at_unix_nanos: 1_795_187_045_678_000_000,
        ..Settings::default()
    };
    Scope::new(FunctionSet::All, Arc::new(settings)).with_variable("var", var)
}

/// Types of collections are shown, so that a list differs from a tuple.
pub(crate) fn show(value: &Value) -> String {
    if value.sensitive {
        return format!(
            "sensitive({})",
            show(&Value {
                sensitive: false,
                ..value.clone()
            })
        );
    }
    let prefix = match &value.ty {
        Type::List(_) => "list",
        Type::Set(_) => "set",
        Type::Map(_) => "map",
        _ => "",
    };
    match &value.kind {
        ValueKind::Unknown => format!("unknown({})", value.ty),
        ValueKind::Null => "null".to_owned(),
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Number(value) => crate::number::text(value),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Sequence(elements) => {
            let elements: Vec<String> = elements.iter().map(show).collect();
            format!("{prefix}[{}]", elements.join(", "))
        }
        ValueKind::Mapping(elements) => {
            let pairs: Vec<String> = elements
                .iter()
                .map(|(key, value)| format!("{key}: {}", show(value)))
                .collect();
            format!("{prefix}{{{}}}", pairs.join(", "))
        }
    }
}

pub(crate) fn run(text: &str) -> (Value, Vec<Diagnostic>) {
    evaluate(&expression(text), &scope())
}

/// The expression has this value and no problems.
#[track_caller]
pub(crate) fn check(text: &str, expected: &str) {
    let (value, problems) = run(text);
    assert!(problems.is_empty(), "{text}: {problems:#?}");
    assert_eq!(show(&value), expected, "{text}");
}

/// The expression has exactly one problem, whose summary, detail and hints contain `expected`.
#[track_caller]
pub(crate) fn check_error(text: &str, expected: &str) {
    let (_, problems) = run(text);
    let [problem] = problems.as_slice() else {
        panic!("{text}: {problems:#?}")
    };
    let parts = [
        format!("{}: {}", problem.summary, problem.detail),
        problem.values_text(),
        problem.hints.join(" "),
    ];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let said = parts.collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(expected),
        "{text}: {said:?} does not contain {expected:?}"
    );
    assert!(problem.subject.is_some(), "{text}: no place in {problem:?}");
}
