//! Tokens as text.

use host_diag::FileId;

use super::{Start, scan};
use crate::origin::Origin;

fn tokens(text: &str, start: Start) -> (String, Vec<String>) {
    let scan = scan(text, start, Origin::verbatim(FileId(0), 0));
    let shown = scan
        .tokens
        .iter()
        .map(|token| format!("{:?}:{:?}", token.kind, token.text(text)));
    let errors = scan
        .diagnostics
        .iter()
        .map(|one| one.summary.clone())
        .collect();
    (shown.collect::<Vec<_>>().join(" "), errors)
}

fn check(text: &str, expected: &str) {
    let (shown, errors) = tokens(text, Start::Plain);
    assert_eq!(
        shown,
        format!("{expected} End:\"\"").trim_start(),
        "{text:?}"
    );
    assert_eq!(errors, [""; 0], "{text:?}");
}

fn check_error(text: &str, expected: &[&str]) {
    assert_eq!(tokens(text, Start::Plain).1, expected, "{text:?}");
}

#[test]
fn splits_code_into_words_numbers_and_operators() {
    check("a-b = 1.5e3", r#"Ident:"a-b" Equal:"=" Number:"1.5e3""#);
    check("a.0.b", r#"Ident:"a" Dot:"." Number:"0" Dot:"." Ident:"b""#);
    check(
        "x>=1&&!y",
        r#"Ident:"x" Operator:">=" Number:"1" Operator:"&&" Bang:"!" Ident:"y""#,
    );
    check(
        "f(a...)",
        r#"Ident:"f" OpenParen:"(" Ident:"a" Ellipsis:"..." CloseParen:")""#,
    );
    check("a::b", r#"Ident:"a" DoubleColon:"::" Ident:"b""#);
}

#[test]
fn keeps_comments_and_line_breaks() {
    check(
        "a # b\r\n// c\n/* d\n */",
        "Ident:\"a\" Comment:\"# b\" Newline:\"\\r\\n\" Comment:\"// c\" Newline:\"\\n\" Comment:\"/* d\\n */\"",
    );
}

#[test]
fn knows_code_within_strings_within_code() {
    check(
        r#""a${b["c"]}d""#,
        concat!(
            r#"OpenQuote:"\"" QuotedText:"a" OpenInterpolation:"${" Ident:"b" OpenBracket:"[" "#,
            r#"OpenQuote:"\"" QuotedText:"c" CloseQuote:"\"" CloseBracket:"]" "#,
            r#"CloseTemplate:"}" QuotedText:"d" CloseQuote:"\"""#,
        ),
    );
    check(
        r#""${{}}""#,
        r#"OpenQuote:"\"" OpenInterpolation:"${" OpenBrace:"{" CloseBrace:"}" CloseTemplate:"}" CloseQuote:"\"""#,
    );
}

#[test]
fn escaped_sequences_and_quotes_are_text() {
    check(
        r#""$${a} %%{b} \" \\""#,
        r#"OpenQuote:"\"" QuotedText:"$${a} %%{b} \\\" \\\\" CloseQuote:"\"""#,
    );
    check(
        r#""$$${""#,
        r#"OpenQuote:"\"" QuotedText:"$$${" CloseQuote:"\"""#,
    );
}

#[test]
fn trim_markers_belong_to_the_sequence() {
    check(
        r#""${~ a ~}""#,
        r#"OpenQuote:"\"" OpenInterpolation:"${~" Ident:"a" CloseTemplate:"~}" CloseQuote:"\"""#,
    );
}

#[test]
fn heredocs_end_at_a_line_with_their_word_alone() {
    check(
        "<<-E\n a\n E b\n  E \n",
        "OpenHeredoc:\"<<-E\\n\" HeredocText:\" a\\n\" HeredocText:\" E b\\n\" CloseHeredoc:\"  E \" Newline:\"\\n\"",
    );
    check(
        "<<E\nE\n",
        "OpenHeredoc:\"<<E\\n\" CloseHeredoc:\"E\" Newline:\"\\n\"",
    );
    check(
        "<<E\n${a}E\nE\n",
        "OpenHeredoc:\"<<E\\n\" OpenInterpolation:\"${\" Ident:\"a\" CloseTemplate:\"}\" HeredocText:\"E\\n\" CloseHeredoc:\"E\" Newline:\"\\n\"",
    );
}

#[test]
fn a_bare_template_has_no_quotes_or_escapes() {
    let (shown, errors) = tokens("a \"\\n${b}\nc", Start::Template);
    assert_eq!(
        shown,
        "TemplateText:\"a \\\"\\\\n\" OpenInterpolation:\"${\" Ident:\"b\" CloseTemplate:\"}\" TemplateText:\"\\n\" TemplateText:\"c\" End:\"\""
    );
    assert_eq!(errors, [""; 0]);
}

#[test]
fn a_string_that_runs_over_its_line_breaks_only_that_line() {
    let (shown, errors) = tokens("a = \"x${ \"y\nb = 1", Start::Plain);
    assert_eq!(
        shown,
        "Ident:\"a\" Equal:\"=\" Broken:\"\\\"x${ \\\"y\" Newline:\"\\n\" Ident:\"b\" Equal:\"=\" Number:\"1\" End:\"\""
    );
    assert_eq!(errors, ["Unclosed template interpolation"]);
}

#[test]
fn a_string_meant_to_have_many_lines_is_reported_once() {
    check_error("a = \"x\ny\"\nb = 1", &["Invalid multi-line string"]);
}

#[test]
fn a_heredoc_with_an_open_interpolation_breaks_up_to_its_closing_line() {
    let (shown, errors) = tokens("a = <<E\n${ x\nE\nb", Start::Plain);
    assert_eq!(
        shown,
        "Ident:\"a\" Equal:\"=\" Broken:\"<<E\\n${ x\\nE\" Newline:\"\\n\" Ident:\"b\" End:\"\""
    );
    assert_eq!(errors, ["Unclosed template interpolation"]);
}

#[test]
fn names_what_does_not_end() {
    check_error("a = <<E\nx\n", &["Unterminated template string"]);
    check_error("\"a", &["Unterminated template string"]);
    check_error("\"${a", &["Unclosed template interpolation"]);
    check_error("/* a", &["Unterminated comment"]);
}

#[test]
fn names_characters_without_meaning() {
    check_error("'x' `y` “z”", &["Invalid character"; 3]);
    check_error("1;", &["Invalid character"]);
    check_error("a & b", &["Unsupported operator"]);
    check_error("5.2.3", &["Invalid number literal"]);
    check_error("\u{0}\u{0}", &["Invalid character"]);
}

#[test]
fn deep_nesting_is_an_error_and_fast() {
    for text in ["[", "{", "(", "\"${", "<<E\n${", "a {\n", "{]", "a {\n)"] {
        check_error(&text.repeat(100_000), &["Nesting too deep"]);
    }
}

#[test]
fn many_broken_lines_take_time_in_proportion() {
    let (_, errors) = tokens(&"a = \"\n\n".repeat(100_000), Start::Plain);
    assert_eq!(errors.len(), 100_000);
}
