//! Both forms, checked as whole texts.

use super::{render_json, render_text};
use crate::{Diagnostic, FileId, SourceMap, Span};

fn check(source: &str, make: impl Fn(FileId) -> Diagnostic, expected: &str) {
    let mut sources = SourceMap::default();
    let file = sources.add("a.pkr.hcl", source);
    assert_eq!(render_text(&[make(file)], &sources), expected);
}

fn broken(file: FileId, start: usize, end: usize) -> Diagnostic {
    Diagnostic::error("Broken").at(Span::new(file, start, end))
}

#[test]
fn text_has_packers_form_with_carets() {
    let source = "source \"null\" \"a\" {\n  colour = 1\n}\n";
    let long = "This sentence is long enough to be broken because it has more than eighty columns.";
    check(
        source,
        |file| {
            broken(file, 22, 28)
                .context("source \"null\" \"a\"")
                .detail(long)
        },
        concat!(
            "Error: Broken\n\n",
            "  on a.pkr.hcl line 2, in source \"null\" \"a\":\n",
            "   2:   colour = 1\n",
            "        ^^^^^^\n\n",
            "This sentence is long enough to be broken because it has more than eighty\ncolumns.\n\n",
        ),
    );
}

#[test]
fn text_without_a_place_is_summary_and_detail() {
    check(
        "",
        |_| {
            Diagnostic::warning("Odd")
                .detail("Look.")
                .hint("try this".to_owned())
        },
        "Warning: Odd\n\nLook.\n\nHint: try this\n\n",
    );
    check("", |_| Diagnostic::error("Odd"), "Error: Odd\n\n");
}

#[test]
fn related_places_and_hints_follow_the_detail() {
    check(
        "a\nb\n",
        |file| {
            broken(file, 2, 3)
                .detail("Why.")
                .related(Span::new(file, 0, 1), "first here")
                .hint("remove one".to_owned())
        },
        concat!(
            "Error: Broken\n\n  on a.pkr.hcl line 2:\n   2: b\n      ^\n\nWhy.\n\n",
            "  on a.pkr.hcl line 1: first here\n\nHint: remove one\n\n"
        ),
    );
}

#[test]
fn carets_stand_under_wide_characters_and_behind_tabs() {
    check(
        "\t日本x",
        |file| broken(file, 7, 8),
        "Error: Broken\n\n  on a.pkr.hcl line 1:\n   1: \t日本x\n      \t    ^\n\n",
    );
    check(
        "日本",
        |file| broken(file, 3, 6),
        "Error: Broken\n\n  on a.pkr.hcl line 1:\n   1: 日本\n        ^^\n\n",
    );
}

#[test]
fn an_empty_place_gets_one_caret_also_at_the_end() {
    check(
        "ab",
        |file| broken(file, 2, 2),
        "Error: Broken\n\n  on a.pkr.hcl line 1:\n   1: ab\n        ^\n\n",
    );
}

#[test]
fn many_lines_are_all_shown_without_carets() {
    check(
        "a\nb\nc\n",
        |file| broken(file, 0, 3),
        "Error: Broken\n\n  on a.pkr.hcl line 1:\n   1: a\n   2: b\n\n",
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    check(
        "a\u{1b}[31mb\r\n",
        |file| broken(file, 6, 7),
        "Error: Broken\n\n  on a.pkr.hcl line 1:\n   1: a\u{FFFD}[31mb\n            ^\n\n",
    );
}

#[test]
fn a_file_without_text_says_so() {
    let diagnostic = Diagnostic::error("Broken").at(Span::new(FileId(7), 3, 900));
    let text = render_text(&[diagnostic], &SourceMap::default());
    assert_eq!(
        text,
        "Error: Broken\n\n  on  line 1:\n  (source code not available)\n\n"
    );
}

#[test]
fn odd_places_never_fail() {
    let mut sources = SourceMap::default();
    let file = sources.add("a", "aé\u{301}日\t\r\n\u{0}x");
    for start in 0..20 {
        for end in 0..20 {
            let diagnostic = broken(file, start, end).related(Span::new(file, end, start), "x");
            assert!(render_text(std::slice::from_ref(&diagnostic), &sources).contains("Broken"));
            assert!(render_json(&[diagnostic], &sources).starts_with('['));
        }
    }
}

#[test]
fn long_lines_are_cut_around_the_mark() {
    let mut sources = SourceMap::default();
    let line = format!("{}HERE{}", "a".repeat(5000), "b".repeat(5000));
    let file = sources.add("a", line);
    let text = render_text(&[broken(file, 5000, 5004)], &sources);
    assert!(text.len() < 1200, "{}", text.len());
    let lines: Vec<&str> = text.lines().collect();
    let column = lines[4].chars().position(|c| c == '^').expect("a caret");
    assert_eq!(
        lines[3].chars().skip(column).take(4).collect::<String>(),
        "HERE"
    );
}

#[test]
fn json_has_the_documented_shape() {
    let shown = crate::Shown {
        expression: "var.a".to_owned(),
        value: "1".to_owned(),
    };
    let mut sources = SourceMap::default();
    let file = sources.add("a.pkr.hcl", "x {\n  é = 1\n}\n");
    let diagnostic = broken(file, 6, 8)
        .context("x")
        .detail("Why.")
        .related(Span::new(file, 0, 1), "block")
        .values(&[shown])
        .hint("try".to_owned());
    assert_eq!(
        render_json(&[diagnostic], &sources),
        concat!(
            r#"[{"severity":"error","summary":"Broken","detail":"Why.","#,
            r#""range":{"filename":"a.pkr.hcl","start":{"line":2,"column":3,"byte":6},"#,
            r#""end":{"line":2,"column":4,"byte":8}},"#,
            r#""snippet":{"context":"x","code":"  é = 1","start_line":2,"#,
            r#""highlight_start_offset":2,"highlight_end_offset":4},"#,
            r#""related":[{"range":{"filename":"a.pkr.hcl","start":{"line":1,"column":1,"byte":0},"#,
            r#""end":{"line":1,"column":2,"byte":1}},"text":"block"}],"#,
            r#""values":[{"expression":"var.a","value":"1"}],"hints":["try"]}]"#,
        )
    );
    assert_eq!(render_json(&[], &sources), "[]");
}

#[test]
fn very_many_problems_and_very_long_lines_are_cut() {
    let sources = SourceMap::default();
    let many = vec![Diagnostic::error("One of many"); 1000];
    let text = render_text(&many, &sources);
    assert!(
        text.ends_with("800 more problems are not shown.\n\n"),
        "{text}"
    );
    let long = [Diagnostic::error("Long").detail(format!("`{}` is long", "é".repeat(1_000_000)))];
    let text = render_text(&long, &sources);
    assert!(
        text.len() < 10_000 && text.contains("bytes more"),
        "{}",
        text.len()
    );
}
