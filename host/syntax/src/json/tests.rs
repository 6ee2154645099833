//! Documents as text, with values and errors.

use host_diag::FileId;

use super::{Kind, Value, parse};

fn show(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.clone(),
        Kind::String(text) => format!("{text:?}"),
        Kind::Array(elements) => format!(
            "[{}]",
            elements.iter().map(show).collect::<Vec<_>>().join(" ")
        ),
        Kind::Object(members) => {
            let member = |member: &super::Member| format!("{}={}", member.key, show(&member.value));
            format!(
                "{{{}}}",
                members.iter().map(member).collect::<Vec<_>>().join(" ")
            )
        }
    }
}

fn read(text: &str) -> (Option<String>, Vec<String>) {
    let (value, diagnostics) = parse(FileId(0), text);
    let error = |one: &host_diag::Diagnostic| {
        let span = one.subject.expect("every problem has a place");
        format!(
            "{} at {:?}",
            one.summary,
            &text[span.start as usize..span.end as usize]
        )
    };
    (
        value.as_ref().map(show),
        diagnostics.iter().map(error).collect(),
    )
}

fn check(text: &str, expected: &str) {
    assert_eq!(read(text), (Some(expected.to_owned()), vec![]), "{text:?}");
}

fn check_error(text: &str, expected: Option<&str>, errors: &[&str]) {
    let (value, found) = read(text);
    assert_eq!(found, errors, "{text:?}");
    assert_eq!(value.as_deref(), expected, "{text:?}");
}

#[test]
fn reads_every_kind_of_value() {
    check(
        " {\"a\": [1, -2.5e+3, true, false, null], \"b\": {}} ",
        "{a=[1 -2.5e+3 true false null] b={}}",
    );
    check("\u{FEFF}[]", "[]");
    check(
        r#""\"\\\/\b\n\u00e9\ud83d\ude00""#,
        "\"\\\"\\\\/\\u{8}\\né😀\"",
    );
    check(r#""\ud83d x""#, "\"\u{FFFD} x\"");
}

#[test]
fn keeps_order_and_repeated_keys() {
    check(r#"{"b": 1, "a": 2, "b": 3}"#, "{b=1 a=2 b=3}");
}

#[test]
fn names_common_mistakes_and_reads_over_them() {
    check_error("[1, 2,]", Some("[1 2]"), &["Trailing comma at \",\""]);
    check_error("{\"a\": 1,\n}", Some("{a=1}"), &["Trailing comma at \",\""]);
    check_error(
        "{\"a\": 1\n\"b\": 2}",
        Some("{a=1 b=2}"),
        &["Missing comma at \"\""],
    );
    check_error(
        "// x\n[1 /* y */]",
        Some("[1]"),
        &[
            "Comment in JSON at \"// x\"",
            "Comment in JSON at \"/* y */\"",
        ],
    );
    check_error(
        "{'a': 'b'}",
        Some("{a=\"b\"}"),
        &[
            "Single quotes in JSON at \"'\"",
            "Single quotes in JSON at \"'\"",
        ],
    );
    check_error(
        "{a: True}",
        Some("{a=null}"),
        &[
            "Key without quotes at \"a\"",
            "Invalid JSON keyword at \"True\"",
        ],
    );
    check_error("{\"a\" = 1}", Some("{a=1}"), &["Missing colon at \"=\""]);
    check_error(
        "[01, .5]",
        Some("[null null]"),
        &[
            "Invalid JSON number at \"01\"",
            "Invalid JSON keyword at \".5\"",
        ],
    );
}

#[test]
fn stops_where_nothing_can_be_made_out() {
    check_error("", None, &["Missing JSON value at \"\""]);
    check_error("{\"a\"}", None, &["Missing colon at \"}\""]);
    check_error("[1", None, &["Unclosed JSON bracket at \"[\""]);
    check_error("\"a", None, &["Unclosed JSON string at \"\\\"\""]);
    check_error(
        "\"a\nb\"",
        None,
        &["Invalid multi-line string at \"\\\"a\""],
    );
    check_error("1 2", None, &["Extra text after JSON document at \"2\""]);
    check_error(
        "source \"null\" {}",
        Some("null"),
        &["Invalid JSON keyword at \"source\""],
    );
    check_error("[}", None, &["Missing JSON value at \"}\""]);
}

#[test]
fn reports_bad_escapes_and_control_characters() {
    check_error(
        r#""a\qb""#,
        Some("\"aqb\""),
        &["Invalid escape sequence at \"\\\\q\""],
    );
    check_error(
        "\"a\tb\"",
        Some("\"a\\tb\""),
        &["Control character in JSON string at \"\\t\""],
    );
}

#[test]
fn spans_include_quotes_and_brackets() {
    let (value, _) = parse(FileId(0), " {\"a\": [1]}");
    let value = value.expect("a value");
    assert_eq!((value.span.start, value.span.end), (1, 11));
    let Kind::Object(members) = value.kind else {
        panic!("an object")
    };
    assert_eq!((members[0].key_span.start, members[0].key_span.end), (2, 5));
    assert_eq!(
        (members[0].value.span.start, members[0].value.span.end),
        (7, 10)
    );
}

#[test]
fn hostile_documents_end_fast_with_an_error() {
    for text in ["[", "{\"a\":", "[{\"a\":"] {
        let (value, diagnostics) = parse(FileId(0), &text.repeat(100_000));
        assert_eq!(diagnostics[0].summary, "Nesting too deep");
        assert!(value.is_none());
    }
    let (_, diagnostics) = parse(FileId(0), &format!("[{}", "1,,".repeat(100_000)));
    assert!(diagnostics.len() <= 51);
}
