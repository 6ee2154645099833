use proptest::prelude::{any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{convert, unify};
use crate::parse_type;
use crate::test_kit::{expression, run, show};
use crate::types::Type;
use crate::value::Value;

fn type_of(text: &str) -> Type {
    let (ty, problems) = parse_type(&expression(text));
    assert!(problems.is_empty(), "{text}: {problems:?}");
    ty
}

/// The value of an expression, converted, or what keeps it from that.
#[track_caller]
fn check(value: &str, ty: &str, expected: &str) {
    let (value_before, problems) = run(value);
    assert!(problems.is_empty(), "{value}: {problems:?}");
    let result = match convert(value_before, &type_of(ty)) {
        Ok(value) => show(&value),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(result, expected, "{value} to {ty}");
}

#[test]
fn primitives() {
    check("1", "string", r#""1""#);
    check("1.50", "string", r#""1.5""#);
    check("1e30", "string", r#""1000000000000000000000000000000""#);
    check("true", "string", r#""true""#);
    check(r#""1""#, "number", "1");
    check(r#""-1.5e3""#, "number", "-1500");
    check(r#"".5""#, "number", "0.5");
    check(r#"" 1""#, "number", "error: a number is required");
    check(r#""0x10""#, "number", "error: a number is required");
    check(r#""1_000""#, "number", "error: a number is required");
    check(r#""""#, "number", "error: a number is required");
    check(r#""true""#, "bool", "true");
    check(r#""0""#, "bool", "false");
    check(
        r#""True""#,
        "bool",
        r#"error: a bool is required; to convert from string, use lowercase "true""#,
    );
    check("1", "bool", "error: bool required, but have number");
    check("[]", "string", "error: string required, but have tuple");
    check("var.secret", "any", r#"sensitive("hush")"#);
}

#[test]
fn sequences() {
    check("[1, \"a\"]", "list(string)", r#"list["1", "a"]"#);
    check(
        "[1, true]",
        "list(any)",
        "error: all list elements must have the same type",
    );
    check("[1, \"a\"]", "list(any)", r#"list["1", "a"]"#);
    check(
        "[[1], [\"a\", 2]]",
        "list(any)",
        r#"list[list["1"], list["a", "2"]]"#,
    );
    check("[]", "list(any)", "list[]");
    check("[\"b\", \"a\", \"b\"]", "set(string)", r#"set["a", "b"]"#);
    check("var.set", "list(string)", r#"list["a", "b"]"#);
    check("[1, \"a\"]", "tuple([string, string])", r#"["1", "a"]"#);
    check(
        "[1]",
        "tuple([string, string])",
        "error: a tuple of 2 elements is required, but this has 1",
    );
    check(
        "var.list",
        "tuple([string, string, string])",
        "error: tuple required, but have list of string",
    );
    check(
        "[1, \"x\"]",
        "list(number)",
        "error: element 1: a number is required",
    );
    check(
        "{}",
        "list(string)",
        "error: list of string required, but have object",
    );
}

#[test]
fn mappings() {
    check(
        "{a = 1, b = \"x\"}",
        "map(string)",
        r#"map{a: "1", b: "x"}"#,
    );
    check(
        "{a = 1, b = {}}",
        "map(any)",
        "error: all map elements must have the same type",
    );
    check("{a = 1, b = \"x\"}", "map(any)", r#"map{a: "1", b: "x"}"#);
    check("var.map", "object({a = string})", r#"{a: "1"}"#);
    check("{a = 1, extra = 2}", "object({a = string})", r#"{a: "1"}"#);
    check(
        "{}",
        "object({a = string, b = number})",
        r#"error: attributes "a" and "b" are required"#,
    );
    check(
        "{}",
        "object({a = optional(string), b = optional(number, \"5\")})",
        "{a: null, b: 5}",
    );
    check("{b = null}", "object({b = optional(number, 5)})", "{b: 5}");
    check(
        "{a = {}}",
        "object({a = object({b = optional(string, \"x\")})})",
        r#"{a: {b: "x"}}"#,
    );
    check(
        "[{}, {b = \"y\"}]",
        "list(object({b = optional(string, \"x\")}))",
        r#"list[{b: "x"}, {b: "y"}]"#,
    );
    check(
        "{a = [{n = \"x\"}]}",
        "object({a = list(object({n = number}))})",
        r#"error: attribute "a": element 0: attribute "n": a number is required"#,
    );
    check(
        "convert({k = \"x\"}, map(string))",
        "map(number)",
        r#"error: element "k": a number is required"#,
    );
}

#[test]
fn missing_and_unknown_values() {
    check("null", "list(string)", "null");
    check("var.unk", "list(string)", "unknown(list(string))");
    check("var.unks", "number", "unknown(number)");
    check("var.unkl", "list(any)", "unknown(list(string))");
    check(
        "var.unkl",
        "string",
        "error: string required, but have list of string",
    );
    check("[var.unk]", "list(string)", "list[unknown(string)]");
    check("[var.unk]", "set(string)", "unknown(set(string))");
    check(
        "var.nothing",
        "number",
        "error: number required, but have list of string",
    );
}

#[test]
fn unification() {
    let check = |types: &[&str], expected: Option<&str>| {
        let types: Vec<Type> = types.iter().map(|text| type_of(text)).collect();
        assert_eq!(
            unify(&types).map(|ty| ty.to_string()).as_deref(),
            expected,
            "{types:?}"
        );
    };
    check(&[], None);
    check(&["string"], Some("string"));
    check(&["number", "string", "bool"], Some("string"));
    check(&["number", "bool"], None);
    check(&["string", "any"], Some("string"));
    check(&["list(number)", "list(string)"], Some("list(string)"));
    check(&["list(string)", "tuple([number])"], Some("list(string)"));
    check(
        &["tuple([number])", "tuple([string])"],
        Some("tuple([string])"),
    );
    check(&["tuple([number])", "tuple([])"], Some("list(number)"));
    check(&["tuple([number, list(string)])", "tuple([])"], None);
    check(
        &["object({a = number})", "object({a = string})"],
        Some("object({a = string})"),
    );
    check(
        &["object({a = number})", "object({b = string})"],
        Some("map(string)"),
    );
    check(
        &["map(string)", "object({b = number})"],
        Some("map(string)"),
    );
    check(&["object({})", "tuple([])"], None);
    check(&["set(string)", "list(string)"], Some("list(string)"));
    check(&["list(string)", "string"], None);
    check(&["object({a = any})", "any"], Some("any"));
}

proptest! {
    #[test]
    fn numbers_survive_as_text(digits in "-?[1-9][0-9]{0,40}(\\.[0-9]{0,20}[1-9])?") {
        let number = convert(Value::string(digits.as_str()), &Type::Number).expect("the fixture is valid");
        let text = convert(number, &Type::String).expect("the fixture is valid");
        prop_assert_eq!(text.as_str(), Some(digits.as_str()));
    }

    #[test]
    fn lists_survive_as_lists_of_anything(texts in prop::collection::vec(any::<String>(), 0..6)) {
        let tuple = Value::tuple(texts.iter().map(|text| Value::string(text.as_str())).collect());
        let list = convert(tuple, &Type::list(Type::Dynamic)).expect("the fixture is valid");
        let again = convert(list.clone(), &Type::list(Type::String)).expect("the fixture is valid");
        prop_assert!(list.as_sequence() == again.as_sequence());
    }
}
