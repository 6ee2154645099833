use std::sync::Arc;

use host_diag::FileId;
use host_syntax::parse_template;

use super::{evaluate, evaluate_within, evaluation_budget};
use crate::test_kit::{check, check_error, expression, run, scope, show};
use crate::{FunctionSet, Scope, Value};

#[test]
fn computes_numbers_exactly() {
    check("0.1 + 0.2 == 0.3", "true");
    check("12345678901234567890123 + 1", "12345678901234567890124");
    check("10 / 3 * 3", "10");
    check("10 / 3 * 3 == 10", "true");
    check("1 / 3 + 1 / 3 + 1 / 3 == 1", "true");
    check("2 / 3 == 4 / 6", "true");
    check("1 / 8", "0.125");
    check("7 % 3", "1");
    check("-7 % 3", "-1");
    check("5.5 % 2", "1.5");
    check("1e3", "1000");
    check("-(2 + 3) * 4", "-20");
    check("1e-2 * 100 == 1", "true");
}

#[test]
fn refuses_what_has_no_number() {
    check_error(
        "1 / 0",
        "Division by zero: Error during operation: division by zero",
    );
    check_error("1 % 0", "Division by zero");
    check_error("pow(10, 9999) * pow(10, 9999)", "Operation failed");
}

#[test]
fn converts_operands() {
    check(r#""1" + 2"#, "3");
    check(r#""5" > 3"#, "true");
    check(r#"!"true""#, "false");
    check(r#"true && "true""#, "true");
    check_error(
        r#""a" + 1"#,
        "Invalid operand: Unsuitable value for left operand: a number is required.",
    );
    check_error(
        "1 < [2]",
        "Invalid operand: Unsuitable value for right operand: number required, but have tuple.",
    );
    check_error(
        "null + 1",
        "Invalid operand: Unsuitable value for left operand: a number is required, not null.",
    );
    check_error(
        "var.obj.name * 2",
        r#"a number is required. Here `var.obj.name` is "n"."#,
    );
}

#[test]
fn compares_without_conversion() {
    check(r#"1 == "1""#, "false");
    check("[] == []", "true");
    check(r#"["x", "y", "z"] == var.list"#, "false");
    check(r#"{a = 1} == {a = 1.0}"#, "true");
    check("null == null", "true");
    check("var.list != null", "true");
    check("var.unks == null", "unknown(bool)");
    check("var.unks == 1", "false");
    check("var.secret == \"hush\"", "sensitive(true)");
}

#[test]
fn stops_logic_when_it_is_decided() {
    check("false && var.list[99] == 1", "false");
    check("true || var.list[99] == 1", "true");
    check("var.unk && false", "false");
    check("var.unk || false", "unknown(bool)");
}

#[test]
fn unifies_the_sides_of_a_conditional() {
    check(r#"true ? 1 : "b""#, r#""1""#);
    check("true ? null : 1", "null");
    check("false ? null : 1", "1");
    check("true ? [1] : [2, 3]", "list[1]");
    check(r#"true ? {a = 1} : {b = "x"}"#, r#"map{a: "1"}"#);
    check(r#"true ? {a = 1} : {a = "x"}"#, r#"{a: "1"}"#);
    check(r#"true ? var.list : []"#, r#"list["x", "y", "z"]"#);
    check("true ? [1, 2] : [3, \"x\"]", r#"[1, "2"]"#);
    check("var.unk ? 1 : 2", "unknown(number)");
    check(r#""true" ? 1 : 2"#, "1");
    check("false ? var.list[99] : \"ok\"", r#""ok""#);
    check_error("true ? [1] : {}", "Inconsistent conditional result types");
    check_error("null ? 1 : 2", "Null condition");
    check_error("[] ? 1 : 2", "Incorrect condition type");
    check("var.secret == \"hush\" ? 1 : 2", "sensitive(1)");
}

#[test]
fn joins_templates() {
    check(r#""a${1}b""#, r#""a1b""#);
    check(r#""${[1]}""#, "[1]");
    check(r#""${true} ${1.50}""#, r#""true 1.5""#);
    check(r#""x${var.unk}""#, "unknown(string)");
    check(r#""x${var.secret}""#, r#"sensitive("xhush")"#);
    check(r#""%{ if true }a%{ else }b%{ endif }""#, r#""a""#);
    check(
        r#""%{ for k, v in var.map }${k}=${v};%{ endfor }""#,
        r#""a=1;b=2;""#,
    );
    check(
        r#""%{ for v in var.secrets }${v},%{ endfor }""#,
        r#"sensitive("open,hush,")"#,
    );
    check(r#""$${x} %%{y}""#, r#""${x} %{y}""#);
    check_error(
        r#""x${null}""#,
        "Invalid template interpolation value: The expression result is null.",
    );
    check_error(
        r#""x${[1]}""#,
        "Cannot include the given value in a string template: string required, but have tuple.",
    );
    check("\"e\\u0301\"", "\"\u{e9}\"");
}

#[test]
fn walks_attributes_and_indexes() {
    check("var.obj.name", r#""n""#);
    check(r#"var.obj["size"]"#, "3");
    check(r#"var.list["1"]"#, r#""y""#);
    check("var.list.0", r#""x""#);
    check("var.map.a + var.map[\"b\"]", "3");
    check("{1 = \"one\"}[1]", r#""one""#);
    check("[for i in [0, 1]: var.list[i]]", r#"["x", "y"]"#);
    check("var.unk.anything[3].more", "unknown(any)");
    check("var.unkl[0]", "unknown(string)");
    check_error(
        "var.list[3]",
        "Invalid index: The given key does not identify an element in this collection value: the given index is greater than or equal to the length of the collection, which is 3.",
    );
    check_error(
        "var.list[-1]",
        "a negative number is not a valid index for a sequence",
    );
    check_error("var.list[0.5]", "an index must be a whole number");
    check_error(
        "var.list[null]",
        "Can't use a null value as an indexing key.",
    );
    check_error(
        "var.set[0]",
        "Elements of a set are identified only by their value",
    );
    check_error(
        "var.obj.nane",
        "Unsupported attribute: This object does not have an attribute named \"nane\". Did you mean `var.obj.name`?",
    );
    check_error("var.map.c", "Missing map element");
    check_error("var.obj[\"sise\"]", "Did you mean \"size\"?");
    check_error(
        "var.obj.name.x",
        "Can't access attributes on a primitive-typed value (string). Here `var.obj.name` is \"n\".",
    );
    check_error("var.nothing[0]", "Attempt to index null value");
    check_error("null.x", "Attempt to get attribute from null value");
    check_error("var.secret.x", "Here `var.secret` is a sensitive value.");
    check_error("[{a = 1}].a", "Take one element, as in `[0].a`");
}

#[test]
fn names_what_is_unknown() {
    check_error(
        "vor.x",
        "Unknown variable: There is no variable named \"vor\". Did you mean `var`?",
    );
    check_error(
        "uppr(\"x\")",
        "Call to unknown function: There is no function named \"uppr\". Did you mean `upper`?",
    );
    check_error("tostring(1)", "use convert(x, string)");
    check_error("vault(\"a\", \"b\")", "not available in this version");
    check_error(
        "env(\"HOME\")",
        "can only be called in the default of a variable",
    );
    let (_, problems) = evaluate(
        &expression("x + upper(1)"),
        &Scope::new(FunctionSet::None, Arc::default()),
    );
    let summaries: Vec<&str> = problems
        .iter()
        .map(|problem| problem.summary.as_str())
        .collect();
    assert_eq!(
        summaries,
        ["Variables not allowed", "Function calls not allowed"]
    );
}

#[test]
fn gives_one_message_for_one_mistake() {
    check_error("[for x in [nope, 2] : upper(x)][0]", "Unknown variable");
    check_error("upper(nope.a[1]) + 1 > 2 ? 1 : 2", "Unknown variable");
    check_error("{a = nope}.a.b.c", "Unknown variable");
    check_error("[for x in [1, 2, 3] : x.a]", "Unsupported attribute");
}

#[test]
fn splats() {
    check("[{a = 1}, {a = 2}][*].a", "[1, 2]");
    check("[{a = [{b = 1}, {b = 2}]}][*].a[*].b", "[[1, 2]]");
    check("[{a = 1}].*.a", "[1]");
    check("var.list[*]", r#"list["x", "y", "z"]"#);
    check("var.obj[*].name", r#"["n"]"#);
    check("null[*]", "[]");
    check("var.empty[*]", "list[]");
    check("var.unk[*].a", "unknown(any)");
    check("var.unkl[*]", "unknown(list(string))");
    check("var.set[*]", r#"list["a", "b"]"#);
    check("[[1, 2], [3]][*][0]", "[1, 3]");
    check("var.secret[*]", r#"sensitive(["hush"])"#);
    check_error("var.nothing[*].x", "Splat of null value");
}

#[test]
fn runs_for_expressions() {
    check("[for x in [1, 2]: x * 2]", "[2, 4]");
    check("[for i, x in [\"a\"]: \"${i}${x}\"]", r#"["0a"]"#);
    check("[for k, v in {b = 1, a = 2} : k]", r#"["a", "b"]"#);
    check("{for k, v in var.map : upper(k) => v}", "{A: 1, B: 2}");
    check(
        "{for x in [\"ab\", \"ac\", \"b\"] : substr(x, 0, 1) => x...}",
        r#"{a: ["ab", "ac"], b: ["b"]}"#,
    );
    check("[for x in [1, 2, 3] : x if x > 1]", "[2, 3]");
    check("[for x in var.set : x]", r#"["a", "b"]"#);
    check("[for x in var.unk : x]", "unknown(any)");
    check("[for x in [1] : x if var.unk]", "unknown(any)");
    check("{for x in [1] : var.unks => x}", "unknown(any)");
    check(
        "[for x in var.secrets : x]",
        r#"["open", sensitive("hush")]"#,
    );
    check(
        "[for x in [1] : x if var.secret == \"hush\"]",
        "sensitive([1])",
    );
    check_error(
        "{for x in [1, 1] : \"k\" => x}",
        "Duplicate object key: Two different items produced the key \"k\"",
    );
    check_error("[for x in null : x]", "Iteration over null value");
    check_error(
        "[for x in 5 : x]",
        "Iteration over non-iterable value: A value of type number",
    );
    check_error("[for x in [1] : x if null]", "Condition is null");
    check_error("[for x in [1] : x if []]", "Invalid 'for' condition");
    check_error("{for x in [1] : null => x}", "Invalid object key");
}

#[test]
fn makes_objects() {
    check("{a = 1, b = 2, a = 3}", "{a: 3, b: 2}");
    check(
        "{(var.obj.name) = 1, \"x${1}\" = 2, 5 = 3}",
        "{5: 3, n: 1, x1: 2}",
    );
    check("{(var.unks) = 1}", "unknown(any)");
    check("{(var.secret) = 1}", "sensitive({hush: 1})");
    check_error("{(null) = 1}", "Null value as key");
    check_error("{([]) = 1}", "Incorrect key type");
}

#[test]
fn calls_functions() {
    check("max([1, 5, 3]...)", "5");
    check("upper(var.unks)", "unknown(string)");
    check("upper(var.secret)", r#"sensitive("HUSH")"#);
    check("length(var.secrets)", "2");
    check("join(\",\", var.secrets)", r#"sensitive("open,hush")"#);
    check("max(var.unk...)", "unknown(any)");
    check_error(
        "upper()",
        "Not enough function arguments: Function \"upper\" expects 1 argument(s). Missing value for \"str\".",
    );
    check_error("upper(\"a\", \"b\")", "Too many function arguments");
    check_error(
        "upper([])",
        "Invalid function argument: Invalid value for \"str\" parameter: string required, but have tuple.",
    );
    check_error("upper(null)", "argument must not be null");
    check_error("max(null...)", "Invalid expanding argument value");
    check_error("max(5...)", "must be of a tuple, list, or set type");
    check_error("parseint(var.secret, 10)", "a sensitive value is involved");
}

#[test]
fn tries_lazily() {
    check("try(nope, var.list[99], \"ok\", nope)", r#""ok""#);
    check("can(var.list[99])", "false");
    check("can(var.list[0])", "true");
    check("try(var.unk.x, 1)", "unknown(any)");
    check("can(var.unk)", "unknown(bool)");
    check("try(var.secret, 1)", r#"sensitive("hush")"#);
    check_error(
        "try(nope, [][0])",
        "no expression succeeded:\n- Unknown variable: There is no variable named \"nope\".\n- Invalid index",
    );
    check_error("try()", "needs at least one expression");
}

#[test]
fn converts_with_type_expressions() {
    check(
        "convert([\"b\", \"a\", \"b\"], set(string))",
        r#"set["a", "b"]"#,
    );
    check("convert([1, \"2\"], list(any))", r#"list["1", "2"]"#);
    check(
        "convert({a = 1}, object({a = string, b = optional(number, 7)}))",
        r#"{a: "1", b: 7}"#,
    );
    check("convert(\"5\", number)", "5");
    check("convert(var.secret, any)", r#"sensitive("hush")"#);
    check("convert(null, string)", "null");
    check("[for x in [\"1\"] : convert(x, number)]", "[1]");
    check_error(
        "convert(\"x\", number)",
        "Invalid function argument: Invalid value for \"value\" parameter: a number is required.",
    );
    check_error(
        "convert(1, strin)",
        "Invalid type specification: \"strin\" is not a type keyword. Did you mean `string`?",
    );
    check_error(
        "convert(1, list)",
        "requires one argument specifying the element type",
    );
}

#[test]
fn ends_explosions_quickly() {
    check_error(
        "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]",
        "Result too large",
    );
    let mut scope = scope();
    let mut text = Value::string("x".repeat(1 << 20));
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        scope = scope.with_variable("s", text.clone());
        let (next, problems) = evaluate(&expression("\"${s}${s}\""), &scope);
        if problems
            .iter()
            .any(|problem| problem.summary == "Result too large")
        {
            return;
        }
        assert!(problems.is_empty(), "{name}: {problems:?}");
        text = next;
    }
    panic!("strings grew without end");
}

#[test]
fn ends_slow_functions_quickly() {
    let long = "a".repeat(100_000);
    let texts = [
        format!(
            "regex_replace(\"{long}\", \"a\", \"{}\")",
            "$0".repeat(1000)
        ),
        format!("[for n in range(1024) : substr(\"{long}\", n, 1)]"),
        format!("[for n in range(1024) : base64gzip(\"{long}\")]"),
        format!("join(\"{long}\", range(1024))"),
        "setproduct(range(1024), range(1024), range(1024))".to_owned(),
    ];
    for text in texts {
        check_error(&text, "Result too large");
    }
    check_error("format(\"%.100000000f\", 1)", "too large a precision");
    check_error(
        "regex(\"((a{100}){100}){100}\", \"\")",
        "invalid repeat count",
    );
    check_error("pow(2, 1000000000)", "larger than 1e10000");
}

#[test]
fn does_not_let_try_hide_an_explosion() {
    check_error(
        "try([for a in range(1000) : [for b in range(1000) : [for c in range(9) : 1]]], 1)",
        "Result too large",
    );
}

#[test]
fn survives_deep_nesting() {
    let (value, problems) = run(&format!("{}1{}", "[".repeat(60), "]".repeat(60)));
    assert!(problems.is_empty(), "{problems:?}");
    assert!(show(&value).starts_with("[[["));
}

#[test]
fn refuses_what_is_nested_too_deeply() {
    let mut expr = expression("1");
    for _ in 0..1000 {
        let span = expr.span;
        expr = host_syntax::Expr {
            kind: host_syntax::ExprKind::Parens(Box::new(expr)),
            span,
        };
    }
    let (value, problems) = evaluate(&expr, &scope());
    assert_eq!(problems[0].summary, "Expression nested too deeply");
    assert!(problems.len() == 1 && value.is_unknown());
}

#[test]
fn reads_templates_of_files() {
    let (expr, problems) = parse_template(
        FileId(0),
        0,
        "a ${var.obj.name}\n%{ if true ~}\n yes\n%{ endif ~}\n\"q\" \\n",
    );
    assert!(problems.is_empty(), "{problems:?}");
    let (value, problems) = evaluate(&expr.expect("no problems"), &scope());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(value.as_str(), Some("a n\n yes\n\"q\" \\n"));
}

#[test]
fn evaluations_that_add_up_stop_when_nothing_is_left() {
    let large = expression("[for i in range(1000) : {a = {b = i}}]");
    let mut left = evaluation_budget();
    let spent = (0..1000).position(|_| !evaluate_within(&large, &scope(), &mut left).1.is_empty());
    assert!(spent.is_some_and(|count| count > 5), "{spent:?} fitted");
    assert_eq!(left, 0);
    assert_eq!(
        evaluate(&large, &scope()).1,
        [],
        "one by itself is not too large"
    );
}

#[test]
fn types_count_as_much_as_they_take() {
    let mut text = "[1]".to_owned();
    for _ in 0..18 {
        text = format!("[for x in [{text}] : [x, x]]");
    }
    let mut left = evaluation_budget();
    let (_, problems) = evaluate_within(&expression(&text), &scope(), &mut left);
    assert!(
        problems
            .iter()
            .any(|problem| problem.summary == "Result too large"),
        "{left}"
    );
}

proptest::proptest! {
    /// Whatever can be parsed is evaluated without a panic.
    #[test]
    fn never_panics(text in "(\\[|\\]|\\{|\\}|\\(|\\)|var|\\.|list|map|unk|secret|set|[0-9]|\\*|/|-|%|\\+|==|<|&&|!|\\?|:|,|=| for | in | if |x|\"|\\$\\{|=>|upper|format|try|element|range|slice|substr|cidrsubnet|null|true|\\.\\.\\.){1,24}") {
        let (expr, _) = host_syntax::parse_expression(FileId(0), 0, &text);
        if let Some(expr) = expr {
            let (value, problems) = evaluate(&expr, &scope());
            proptest::prop_assert!(!show(&value).is_empty() || problems.is_empty());
        }
    }

    /// No function panics on odd arguments.
    #[test]
    fn functions_survive_odd_arguments(
        function in proptest::sample::select(crate::function_names()),
        args in proptest::collection::vec(proptest::sample::select(vec![
            "null", "-1", "0", "1.5", "62", "1e30", "\"\"", "\"é😀\"", "\"%d %s %[3]q %%\"", "[]",
            "[null]", "[1, \"a\", [true]]", "{}", "{a = null}", "var.unk", "var.unkl", "var.set",
            "var.secret", "\"10.0.0.0/8\"", "\"2026-01-02T03:04:05Z\"", "\"{\"", "\"(\"", "\"%\"",
            "var.nothing", "var.map", "\"-9223372036854775808h\"", "\"::/0\"", "\"'\"",
        ]), 0..4),
    ) {
        // These are slow or look at the machine.
        if !["bcrypt", "fileset", "env"].contains(&function) {
            let (_, problems) = run(&format!("{function}({})", args.join(", ")));
            proptest::prop_assert!(problems.iter().all(|problem| !problem.summary.is_empty()));
        }
    }
}
