//! Documents as text, with values and errors.

use std::time::{Duration, Instant};

use host_diag::FileId;

use super::parse;
use crate::json::{Kind, Value};

fn show(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.clone(),
        Kind::String(text) => format!("{text:?}"),
        Kind::Array(items) => {
            let items: Vec<String> = items.iter().map(show).collect();
            format!("[{}]", items.join(" "))
        }
        Kind::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|member| format!("{}={}", member.key, show(&member.value)))
                .collect();
            format!("{{{}}}", members.join(" "))
        }
    }
}

fn errors(text: &str) -> Vec<String> {
    let (_, diagnostics) = parse(FileId(0), text);
    let error = |one: &host_diag::Diagnostic| match one.subject {
        Some(span) => {
            let marked = &text[span.start as usize..span.end as usize];
            let line = text[..span.start as usize].matches('\n').count() + 1;
            format!("{} at {line} {marked:?}", one.summary)
        }
        None => one.summary.clone(),
    };
    diagnostics.iter().map(error).collect()
}

fn check(text: &str, expected: &str) {
    let (value, _) = parse(FileId(0), text);
    assert_eq!(errors(text), [""; 0], "{text:?}");
    assert_eq!(
        value.as_ref().map(show).as_deref(),
        Some(expected),
        "{text:?}"
    );
}

fn check_errors(text: &str, expected: &[&str]) {
    assert_eq!(errors(text), expected, "{text:?}");
}

/// The texts that the places of all values and keys mark, in order.
fn places(text: &str) -> Vec<String> {
    fn walk(value: &Value, text: &str, found: &mut Vec<String>) {
        let marked =
            |span: host_diag::Span| text[span.start as usize..span.end as usize].to_owned();
        found.push(marked(value.span));
        match &value.kind {
            Kind::Array(items) => items.iter().for_each(|item| walk(item, text, found)),
            Kind::Object(members) => {
                for member in members {
                    found.push(marked(member.key_span));
                    walk(&member.value, text, found);
                }
            }
            _ => {}
        }
    }
    let (value, _) = parse(FileId(0), text);
    let mut found = Vec::new();
    walk(&value.expect("a value"), text, &mut found);
    found
}

#[test]
fn reads_every_kind_of_value() {
    check(
        "a: [1, -2.5, true, ~, text]\nb: {}\nc:\n- x\n- y: 'it''s'\n",
        "{a=[1 -2.5 true null \"text\"] b={} c=[\"x\" {y=\"it's\"}]}",
    );
    check("\u{FEFF}a: \"\\u00e9\\n\"", "{a=\"é\\n\"}");
    check(
        "a: |\n  one\n  two\nb: >-\n  one\n  two\n",
        "{a=\"one\\ntwo\\n\" b=\"one two\"}",
    );
    check("--- # comment\na: b # more\n...\n", "{a=\"b\"}");
    check(
        "country: no\nenabled: yes\npin: 012\n",
        "{country=\"no\" enabled=\"yes\" pin=\"012\"}",
    );
    check("a: b\r\nc: d\r\n", "{a=\"b\" c=\"d\"}");
}

#[test]
fn template_calls_in_quotes_blocks_and_behind_text_are_text() {
    check(
        "a: \"{{user `x`}}\"\nb: '{{ user \"x\" }}/y'\nc: echo {{user `x`}}\nd: |\n  {{ .Vars }} sh\n",
        "{a=\"{{user `x`}}\" b=\"{{ user \\\"x\\\" }}/y\" c=\"echo {{user `x`}}\" d=\"{{ .Vars }} sh\\n\"}",
    );
}

#[test]
fn places_are_those_in_the_text() {
    let text = "# é\nkäse: brot # x\nlist:\n  - eins   \n  - {a: \"ü\"}\nend: |\n  x\n\n";
    assert_eq!(
        places(text),
        [
            "käse: brot # x\nlist:\n  - eins   \n  - {a: \"ü\"}\nend: |\n  x",
            "käse",
            "brot",
            "list",
            "- eins   \n  - {a: \"ü\"}",
            "eins",
            "{a: \"ü\"}",
            "a",
            "\"ü\"",
            "end",
            "x",
        ]
    );
}

#[test]
fn anchors_and_tags_are_no_part_of_a_place() {
    let text = "a: &x !!str one\nb: &y {c: &z [d]}\ne: &w\n  f: |\n    !g\nh: *x\n";
    let marked = places(text);
    for part in ["one", "{c: &z [d]}", "[d]", "d", "f: |\n    !g", "!g"] {
        assert!(
            marked.iter().any(|one| one == part),
            "{part:?} in {marked:?}"
        );
    }
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    check("a: &x 1\nb: *x\nc: [*x, *x]\n", "{a=1 b=1 c=[1 1]}");
    check(
        "base: &base {size: 1, name: b}\nown:\n  first: 0\n  <<: *base\n  name: o\n",
        "{base={size=1 name=\"b\"} own={first=0 size=1 name=\"o\"}}",
    );
    check(
        "- &a {x: 1, y: 1}\n- &b {y: 2, z: 2}\n- <<: [*a, *b]\n  z: 3\n",
        "[{x=1 y=1} {y=2 z=2} {x=1 y=1 z=3}]",
    );
    check(
        "- &a {x: 1}\n- &b {<<: *a, y: 2}\n- {<<: *b}\n",
        "[{x=1} {x=1 y=2} {x=1 y=2}]",
    );
    check("'<<': 1", "{<<=1}");
    let text = "a: &x {k: v}\nb: *x\n";
    let marked = places(text);
    assert_eq!(
        marked.iter().filter(|one| *one == "v").count(),
        2,
        "{marked:?}"
    );
    check_errors("a: {<<: 1}", &["Wrong value of a merge key at 1 \"1\""]);
    check_errors(
        "a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n",
        &["Duplicate key `<<` at 4 \"<<\""],
    );
    check_errors("a: *nope\n", &["Unknown YAML anchor at 1 \"*\""]);
}

#[test]
fn repeated_keys_are_errors_with_both_places() {
    let text = "a: 1\nb: {c: 1,\n  c: 2}\na: 3\n";
    check_errors(
        text,
        &[
            "Duplicate key `c` at 3 \"c\"",
            "Duplicate key `a` at 4 \"a\"",
        ],
    );
    let (value, diagnostics) = parse(FileId(0), text);
    assert_eq!(show(&value.expect("a value")), "{a=1 b={c=1}}");
    assert_eq!(diagnostics[1].related[0].span.start, 0);
}

#[test]
fn keys_must_be_text() {
    check_errors(
        "1: a\ntrue: b\n~: c\n[x]: d\non: e\n",
        &[
            "Key is no text at 1 \"1\"",
            "Key is no text at 2 \"true\"",
            "Key is no text at 3 \"~\"",
            "Key is no text at 4 \"[x]\"",
        ],
    );
}

#[test]
fn only_tags_of_the_core_schema_are_known() {
    check(
        "a: !!str 12\nb: !!int '3'\nc: ! 1\nd: !!seq []",
        "{a=\"12\" b=3 c=\"1\" d=[]}",
    );
    check_errors("a: !env HOME\n", &["Unsupported YAML tag at 1 \"HOME\""]);
    check_errors(
        "a: !!binary aGk=\n",
        &["Unsupported YAML tag at 1 \"aGk=\""],
    );
    check_errors("a: !!int x\n", &["Wrong YAML tag at 1 \"x\""]);
    check_errors("a: !!map [1]\n", &["Wrong YAML tag at 1 \"!!map [\""]);
}

#[test]
fn one_document_is_all() {
    check_errors(
        "a: 1\n---\nb: 2\n",
        &["Several YAML documents at 2 \"---\""],
    );
    check_errors("", &["Empty YAML document at 1 \"\""]);
    check_errors("# nothing\n", &["Empty YAML document at 1 \"\""]);
}

#[test]
fn calls_without_quotes_are_told_how_to_be_written() {
    for (value, marked) in [
        ("{{user `x`}}", "{{user `x`}}"),
        ("{{user `x`}}/y # z", "{{user `x`}}/y"),
        ("{{ user \"x\" }}", "{{ user \"x\" }}"),
        ("{{ .Vars }} sudo sh", "{{ .Vars }} sudo sh"),
        ("{{timestamp}}", "{{timestamp}}"),
        ("{{isotime \"2006: 01\"}}", "{{isotime \"2006: 01\"}}"),
        ("{{`x`}}", "{{`x`}}"),
    ] {
        let expected = format!("Template call without quotes at 2 {marked:?}");
        check_errors(&format!("a: 1\nurl: {value}\nb: 2\n"), &[&expected]);
        check_errors(&format!("a:\n - {value}\n - x\n"), &[&expected]);
    }
    check_errors(
        "a: &a {{uuid}}\n",
        &["Template call without quotes at 1 \"{{uuid}}\""],
    );
    check_errors(
        "a: [x, {{uuid}}]\n",
        &["Template call without quotes at 1 \"{{uuid}}\""],
    );
    check_errors(
        "a: [{{uuid}}-b, c]\n",
        &["Template call without quotes at 1 \"{{uuid}}-b\""],
    );
    let (_, diagnostics) = parse(FileId(0), "a: {{user `x`}}\n");
    assert_eq!(diagnostics[0].hints, ["Write '{{user `x`}}'."]);
    check_errors(
        "a: \"{{user \"x\"}}\"\n",
        &["Double quotes inside of double quotes at 1 \"{{user \\\"x\\\"}}\""],
    );
}

#[test]
fn common_mistakes_have_their_place() {
    check_errors("a:\n\tb: 1\n", &["Tab in indentation at 2 \"\\tb\""]);
    check_errors("a:\n  - b\n\t- c\n", &["Tab in indentation at 3 \"\\t-\""]);
    check_errors(
        "a: it's: c # d\n",
        &["Colon in text without quotes at 1 \"it's: c\""],
    );
    let (_, diagnostics) = parse(FileId(0), "a: it's: c # d\n");
    assert_eq!(diagnostics[0].hints, ["Write 'it''s: c'."]);
    check_errors("a: [{b: c: d}]\n", &["Invalid YAML at 1 \":\""]);
    check_errors("a: \"b\": c\n", &["Invalid YAML at 1 \":\""]);
    check_errors(
        "a:\n- type \"x\"\n  name: y\n",
        &["Missing colon at 2 \"type \\\"x\\\"\""],
    );
    let (_, diagnostics) = parse(FileId(0), "a:\n  b:c\n  d: e\n");
    assert_eq!(diagnostics[0].summary, "Missing blank behind a colon");
    assert_eq!(diagnostics[0].hints, ["Write `b: c`."]);
    check_errors("a:\n- http://x\n  name: y\n", &["Invalid YAML at 3 \":\""]);
    check_errors("a: 'x\nb: y\n", &["Invalid YAML at 1 \"'\""]);
    check_errors("a: @x\n", &["Invalid YAML at 1 \"@\""]);
    check_errors("a: \"x\\q\"\n", &["Invalid YAML at 1 \"\\\\q\""]);
    check_errors("a: [1, 2\nb: 3\n", &["Invalid YAML at 2 \":\""]);
    check_errors("a: 1\n  b: 2\n", &["Invalid YAML at 2 \":\""]);
}

#[test]
fn hostile_documents_end_fast_with_an_error() {
    let bomb: String = (0..30)
        .map(|level| {
            let inner = match level {
                0 => "lol".to_owned(),
                level => format!("*a{}", level - 1),
            };
            format!("a{level}: &a{level} [{}]\n", vec![inner; 10].join(", "))
        })
        .collect();
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 100_000].join(",")
    );
    let chain: String = (1..2000)
        .map(|level| format!("- &a{level} [*a{}]\n", level - 1))
        .collect();
    let chain = format!("- &a0 x\n{chain}");
    let cases = [
        (bomb, "Too much behind aliases"),
        (long, "Too much behind aliases"),
        (chain, "Nesting too deep"),
        (
            "a: &a [*a]\n".to_owned(),
            "Alias inside of what it stands for",
        ),
        (
            "a: &a\n  <<: *a\n".to_owned(),
            "Alias inside of what it stands for",
        ),
        ("[".repeat(1_000_000), "Nesting too deep"),
        ("{a: ".repeat(1_000_000), "Nesting too deep"),
        ("- ".repeat(1_000_000), "Nesting too deep"),
        (format!("a: \"{}", "x".repeat(3 << 20)), "Invalid YAML"),
        ("x".repeat(5 << 20), "File too large"),
        ("? ".repeat(1_000_000), "Nesting too deep"),
        ("!!str ".repeat(500_000), "Invalid YAML"),
        ("&a ".repeat(500_000), "Invalid YAML"),
        (
            (0..400_000).map(|_| "a: 1\n").collect(),
            "Duplicate key `a`",
        ),
        (
            format!("a: |\n{}", "\t".repeat(3 << 20)),
            "Tab in indentation",
        ),
    ];
    for (text, expected) in cases {
        // What is not linear takes minutes; a busy machine does not.
        let begun = Instant::now();
        let (_, diagnostics) = parse(FileId(0), &text);
        let shown = &text[..text.len().min(20)];
        assert_eq!(
            diagnostics.first().map(|one| one.summary.as_str()),
            Some(expected),
            "{shown}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{shown}: {:?}",
            begun.elapsed()
        );
        assert!(diagnostics.len() <= 51);
    }
}

#[test]
fn whatever_is_changed_in_a_document_places_stay_inside_of_it() {
    let text = "# é\na: &x {k: 'v', \"l\": [1, {{a}}]}\nb:\n  - <<: *x\n    c: |-\n      é\n\n  - !!str 2 # ü\n\
                ? d\n: >\n  e\n---\n";
    let pieces = [
        "", "\t", "\n", "\"", "'", "{", "}", "[", ":", ": ", "- ", "&", "*", "!", "|", "é", "\r",
        "%",
    ];
    let positions = text
        .char_indices()
        .map(|(at, letter)| (at, at + letter.len_utf8()));
    for (at, next) in positions {
        for piece in pieces {
            for end in [at, next, text.len()] {
                let changed = format!("{}{piece}{}", &text[..at], &text[end..]);
                let (value, diagnostics) = parse(FileId(0), &changed);
                assert!(value.is_some() || !diagnostics.is_empty(), "{changed:?}");
                for span in diagnostics.iter().filter_map(|one| one.subject) {
                    let marked = changed.get(span.start as usize..span.end as usize);
                    assert!(marked.is_some(), "{changed:?} {span:?}");
                }
                if value.is_some() {
                    places(&changed);
                }
            }
        }
    }
}
