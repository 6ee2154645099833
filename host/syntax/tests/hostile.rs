//! Input made to break the readers: they answer fast, with an error, and never panic.

use std::time::{Duration, Instant};

use host_diag::FileId;
use host_syntax::{json, parse_expression, parse_hcl, parse_hcl_json, parse_template, yaml};
use proptest::prelude::{any, prop, proptest};
use proptest::strategy::Strategy;

/// Reads `text` in every way.
fn read_all(text: &str) -> usize {
    let file = FileId(0);
    let (_, hcl) = parse_hcl(file, text);
    let (_, expression) = parse_expression(file, 7, text);
    let (_, template) = parse_template(file, 7, text);
    let (_, values) = json::parse(file, text);
    let (body, body_problems) = parse_hcl_json(file, text);
    let content = body.map_or(0, |body| body.just_attributes().1.len());
    hcl.len() + expression.len() + template.len() + values.len() + body_problems.len() + content
}

fn check_fast(name: &str, text: &str) {
    let begin = Instant::now();
    let (_, diagnostics) = parse_hcl(FileId(0), text);
    let elapsed = begin.elapsed();
    assert!(elapsed < Duration::from_secs(5), "{name} took {elapsed:?}");
    assert!(!diagnostics.is_empty(), "{name} has no error");
}

#[test]
fn deep_nesting_is_an_error() {
    for open in [
        "(",
        "[",
        "{a=",
        "f(",
        "a[",
        "\"${",
        "{for a in b : ",
        "!",
        "-",
        "a ? b : ",
        "a.b",
        "a[0]",
        "1+",
        "%{if a}",
    ] {
        check_fast(open, &format!("a = {}\n", open.repeat(100_000)));
        check_fast(
            open,
            &format!("a = \"%{{ if {} }}\"\n", open.repeat(100_000)),
        );
        check_fast(
            open,
            &format!("a = <<E\n{}\nE\n", "%{if a}${".repeat(100_000)),
        );
    }
    check_fast("blocks", &"a {\n".repeat(100_000));
}

#[test]
fn moderate_nesting_is_no_error() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a=", "}"),
        ("f(", ")"),
        ("\"${", "}\""),
    ] {
        let text = format!("a = {}1{}\n", open.repeat(40), close.repeat(40));
        let (_, diagnostics) = parse_hcl(FileId(0), &text);
        assert_eq!(diagnostics, [], "{open}");
    }
}

#[test]
fn unbalanced_input_is_no_riddle() {
    for part in [
        "([{\"",
        "\"[(\n",
        "a = [\n",
        "}])",
        "${",
        "\"${\"\n",
        "<<E\n${\n",
        "a {\n]\n",
        "[1 2",
        "{a b",
        "{a=1 a=2 ",
    ] {
        check_fast(part, &part.repeat(5_000));
        check_fast(part, &format!("a = {}", part.repeat(5_000)));
    }
}

#[test]
fn large_literals_are_read_in_proportion() {
    let long = "x".repeat(10_000_000);
    for text in [
        format!("a = \"{long}\"\n"),
        format!("a = f(\"{long}\")\n"),
        format!("a = <<E\n{long}\nE\n"),
        format!("a = {long}\n"),
        format!("a = [{}]\n", "1,".repeat(90_000)),
        format!("a = {{{}}}\n", "b = 1\n".repeat(20_000)),
    ] {
        let begin = Instant::now();
        let (body, diagnostics) = parse_hcl(FileId(0), &text);
        assert_eq!(diagnostics, [], "{}", &text[..20]);
        assert!(body.is_some());
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{} took {:?}",
            &text[..20],
            begin.elapsed()
        );
    }
    check_fast("open quote", &format!("a = \"{long}"));
    check_fast("digits", &format!("a = {}.1.1\n", "1".repeat(10_000_000)));
}

#[test]
fn a_letter_that_hcl_edit_does_not_know_is_an_error_with_its_place() {
    let text = "tN||m\t:::ǲ";
    let (_, diagnostics) = parse_expression(FileId(0), 0, text);
    for span in diagnostics.iter().filter_map(|problem| problem.subject) {
        assert!(text.get(span.start as usize..span.end as usize).is_some());
    }
    assert!(!diagnostics.is_empty());
}

#[test]
fn a_wrong_yaml_escape_ends_with_its_letter() {
    let text = "\"\\ਓ";
    let (_, diagnostics) = yaml::parse(FileId(0), text);
    let span = diagnostics[0].subject.expect("it has a place");
    assert_eq!(&text[span.start as usize..span.end as usize], "\\ਓ");
}

fn check_too_large(name: &str, text: &str) {
    let (_, hcl) = parse_hcl(FileId(0), text);
    let (_, values) = json::parse(FileId(0), text);
    let all = [hcl, values].concat();
    assert!(
        all.iter()
            .any(|problem| problem.summary.ends_with("too large")),
        "{name}: {all:?}"
    );
}

#[test]
fn more_words_than_anybody_writes_are_an_error() {
    check_too_large("lines", &"\n".repeat(1_100_000));
    check_too_large("behind", &format!("{}é", "a=1\n".repeat(300_000)));
    check_too_large("list", &format!("a = [{}]\n", "1,".repeat(150_000)));
    check_too_large("JSON", &format!("[{}1]", "1,".repeat(1_100_000)));
}

/// Text made of the pieces the language is made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b-c", " ", "\n", "\r\n", "=", "==", "{", "}", "[", "]", "(", ")", "\"", "${", "%{",
        "~", "~}", "$${", "<<E\n", "<<-E\n", "\nE\n", "E", "if ", "for ", "in ", "else", "endif",
        "endfor", ",", ":", "?", ".", "...", "=>", "*", "-", "!", "&&", "1", "2.5", "\\n",
        "\\u00e9", "\\", "#", "//", "/*", "*/", "é", "日", "\u{FEFF}", "'", "null", "true", "::",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        read_all(&text);
    }

    #[test]
    fn arbitrary_pieces_never_panic(text in pieces()) {
        read_all(&text);
    }

    #[test]
    fn arbitrary_values_never_panic(text in pieces()) {
        read_all(&format!("a = {text}\nb = \"{text}\"\n"));
    }
}
