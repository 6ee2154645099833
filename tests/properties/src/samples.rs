//! Values that expressions can see.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_eval::{FunctionSet, Scope, Settings, Type, Value};

/// Functions whose work the limits of evaluation do not bound, or bound on purpose by the machine:
/// a walk over all files, and a password hash as slow as one asks for.
const UNBOUNDED: [&str; 2] = ["fileset", "bcrypt"];

/// Whether a text calls something that may take long on purpose.
pub(crate) fn is_slow_on_purpose(text: &str) -> bool {
    UNBOUNDED.iter().any(|name| text.contains(name))
}

/// `var` and `local` with a value of every kind.
pub(crate) fn scope() -> Scope {
    let map = |pairs: [(&str, i64); 2]| -> BTreeMap<String, Value> {
        let pair = |(key, value): (&str, i64)| (key.to_owned(), Value::number(value));
        pairs.into_iter().map(pair).collect()
    };
    let names = Value::object_of([
        ("s", Value::string("text é\n")),
        ("n", Value::number(42)),
        ("b", Value::bool(true)),
        ("none", Value::null(Type::Dynamic)),
        ("later", Value::dynamic()),
        ("texts", Value::unknown(Type::list(Type::String))),
        ("secret", Value::string("hush").with_sensitive()),
        ("list", Value::string_list(["x", "y", "x"])),
        (
            "set",
            Value::set(Type::String, vec!["b".into(), "a".into()]),
        ),
        ("map", Value::map(Type::Number, map([("a", 1), ("b", -2)]))),
        (
            "object",
            Value::object_of([
                ("name", Value::string("n")),
                ("items", Value::tuple(vec![1.into(), "two".into()])),
            ]),
        ),
    ]);
    let settings = Settings {
        started_at_unix_nanos: 1_795_187_045_678_000_000,
        ..Settings::default()
    };
    Scope::new(FunctionSet::All, Arc::new(settings))
        .with_variable("var", names.clone())
        .with_variable("local", names)
}
