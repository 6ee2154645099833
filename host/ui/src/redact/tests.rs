use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn check(secret: &str, text: &str, expected: &str) {
    let redactor = Redactor::default();
    redactor.add(secret);
    assert_eq!(redactor.clean(text), expected, "{secret:?} in {text:?}");
}

const AWKWARD: &str = "it's \"a\" p@ss/word";

#[test]
fn every_form_of_a_secret_is_replaced() {
    check(AWKWARD, "x it's \"a\" p@ss/word y", "x <sensitive> y");
    check(
        AWKWARD,
        r#"{"p":"it's \"a\" p@ss/word"}"#,
        r#"{"p":"<sensitive>"}"#,
    );
    check(AWKWARD, r#"P='it'"'"'s "a" p@ss/word'"#, "P='<sensitive>'");
    check(AWKWARD, r#"P='it'\''s "a" p@ss/word'"#, "P='<sensitive>'");
    check(AWKWARD, r#"P="it's \"a\" p@ss/word""#, r#"P="<sensitive>""#);
    check(AWKWARD, r#"it\'s\ \"a\"\ p@ss/word"#, "<sensitive>");
    check(
        AWKWARD,
        "?p=it%27s%20%22a%22%20p%40ss%2Fword&",
        "?p=<sensitive>&",
    );
    check(
        AWKWARD,
        "?p=it%27s+%22a%22+p%40ss%2fword&",
        "?p=<sensitive>&",
    );
    check(
        AWKWARD,
        "<p>it&#39;s &#34;a&#34; p@ss/word</p>",
        "<p><sensitive></p>",
    );
    check(
        AWKWARD,
        &format!("b {} b", STANDARD.encode(AWKWARD)),
        "b <sensitive> b",
    );
}

#[test]
fn a_secret_is_found_whatever_of_it_is_escaped_and_how() {
    for text in [
        "it%27s %22a%22 p%40ss%2fword",
        "it%27s+\"a\"+p%40ss%2Fword",
        "%69%74%27%73%20%22%61%22%20p@ss/word",
        "it&apos;s &quot;a&#34; p&#64;ss/word",
        "it&#x27;s &#X22;a&#x22; p@ss&#x2F;word",
        r"it\u0027s \u0022a\u0022 p@ss\u002Fword",
        r#"it\x27s \"a\" p@ss\/word"#,
    ] {
        check(AWKWARD, text, "<sensitive>");
    }
    check(
        "пароль",
        r"is \u043F\u0430\u0440\u043E\u043B\u044C!",
        "is <sensitive>!",
    );
    check(
        "p@ss",
        "a%20p%40ss%20b%20p@ss",
        "a%20<sensitive>%20b%20<sensitive>",
    );
}

#[test]
fn a_part_of_a_form_is_not_the_secret() {
    check(AWKWARD, r"P='it'\''s", r"P='it'\''s");
}

#[test]
fn a_quoted_secret_in_a_quoted_text_is_replaced() {
    let inner = format!("{{\"p\":{}}}", serde_json::Value::from(AWKWARD));
    let outer = serde_json::Value::from(inner.as_str()).to_string();
    check(AWKWARD, &outer, r#""{\"p\":\"<sensitive>\"}""#);
}

#[test]
fn each_line_of_a_secret_is_a_secret() {
    check(
        "first line\nsecond line\n",
        "a\n second line\n",
        "a\n <sensitive>\n",
    );
    check("{\n  \"k\": 1\n}", "{ }\n  \"k\": 1", "{ }\n<sensitive>");
}

#[test]
fn a_secret_inside_longer_base64_is_replaced() {
    let redactor = Redactor::default();
    redactor.add("correct horse battery");
    for lead in ["", "a", "ab", "user:"] {
        let text = STANDARD.encode(format!("{lead}correct horse battery tail"));
        assert!(redactor.clean(&text).contains("<sensitive>"), "{lead}");
    }
}

#[test]
fn base64_in_lines_is_replaced_line_by_line() {
    let secret: String = (0..40).map(|number| format!("line {number} ")).collect();
    let redactor = Redactor::default();
    redactor.add(&secret);
    let text = STANDARD.encode(&secret);
    for line in text.as_bytes().chunks(76) {
        let line = std::str::from_utf8(line).unwrap();
        assert_eq!(redactor.clean(line), "<sensitive>", "{line}");
    }
    let more = STANDARD.encode(format!("{secret}\n\n"));
    let last = &more[more.len() / 76 * 76..];
    assert!(redactor.clean(last).starts_with("<sensitive>"), "{last}");
}

#[test]
fn the_first_part_of_a_secret_at_the_end_of_a_cut_line_is_replaced() {
    let lead = "x".repeat(1016);
    check(
        "correct horse",
        &format!("{lead} correct\nnext"),
        &format!("{lead} <sensitive>\nnext"),
    );
    check("correct horse", "a short correct", "a short correct");
    check(
        "correct horse",
        &format!("{lead} ende"),
        &format!("{lead} ende"),
    );
}

#[test]
fn empty_secrets_replace_nothing() {
    check("", "text", "text");
    check("\n", "te\nxt", "te\nxt");
    check("  ", "a  b", "a  b");
}

#[test]
fn secrets_can_come_at_any_time_and_clones_know_them() {
    let redactor = Redactor::default();
    let clone = redactor.clone();
    assert_eq!(clone.clean("one two"), "one two");
    redactor.add("one");
    assert_eq!(clone.clean("one two"), "<sensitive> two");
    redactor.add("two");
    redactor.add("two");
    assert_eq!(clone.clean("one two"), "<sensitive> <sensitive>");
}
