//! The readers: HCL2, its JSON form, expressions, templates, plain JSON, YAML.

use host_diag::{FileId, SourceMap};
use host_syntax::{
    TokenKind, json, parse_expression, parse_hcl, parse_hcl_json, parse_template, tokens, yaml,
};

use crate::places;

/// What stands before an expression that is part of a file.
const BEFORE: &str = "áb\ncd";

/// Any text can be read as HCL2: tokens cover it, and places lie in it.
///
/// # Panics
///
/// When that is not so.
pub fn check_hcl(text: &str) {
    check_tokens(text);
    let mut sources = SourceMap::default();
    let file = sources.add("a.pkr.hcl", text);
    let (body, problems) = parse_hcl(file, text);
    places::check_problems(&problems, &sources);
    if let Some(body) = &body {
        places::check_body(body, text);
    }
    check_parts(text);
}

/// Any text can be read as an expression and as a template inside of a file.
fn check_parts(text: &str) {
    let mut sources = SourceMap::default();
    let whole = format!("{BEFORE}{text}");
    let file = sources.add("b.pkr.hcl", whole.as_str());
    for read in [parse_expression, parse_template] {
        let (expr, problems) = read(file, BEFORE.len(), text);
        places::check_problems(&problems, &sources);
        match &expr {
            Some(expr) => places::check_expr(expr, &whole),
            None => assert!(!problems.is_empty(), "no expression and no problem"),
        }
    }
}

/// Tokens follow each other, leave out blanks only, and are cut between characters. After nesting
/// that is too deep, the rest of the text has none.
fn check_tokens(text: &str) {
    let all = tokens(text);
    let mut at = 0;
    let last = all.last().expect("there is always an end");
    assert_eq!(last.kind, TokenKind::End, "{all:?}");
    assert_eq!((last.start, last.end), (text.len(), text.len()));
    let gave_up = parse_hcl(FileId(0), text).0.is_none();
    for token in &all {
        assert!(at <= token.start && token.start <= token.end, "{token:?}");
        let between = text.get(at..token.start).expect("cut between characters");
        let is_rest = token.kind == TokenKind::End && gave_up;
        assert!(
            is_rest || between.chars().all(|letter| matches!(letter, ' ' | '\t')),
            "{between:?} is in no token"
        );
        assert!(text.get(token.start..token.end).is_some(), "{token:?}");
        at = token.end;
    }
}

/// Any text can be read as YAML, and places lie in it.
///
/// # Panics
///
/// When that is not so.
pub fn check_yaml(text: &str) {
    let mut sources = SourceMap::default();
    let file = sources.add("a.yaml", text);
    let (value, problems) = yaml::parse(file, text);
    places::check_problems(&problems, &sources);
    match &value {
        Some(value) => places::check_json(value, text),
        None => assert!(!problems.is_empty(), "no value and no problem"),
    }
}

/// Any text can be read as JSON and as HCL's JSON form, and places lie in it.
///
/// # Panics
///
/// When that is not so.
pub fn check_json(text: &str) {
    let mut sources = SourceMap::default();
    let file = sources.add("a.json", text);
    let (value, problems) = json::parse(file, text);
    places::check_problems(&problems, &sources);
    match &value {
        Some(value) => places::check_json(value, text),
        None => assert!(!problems.is_empty(), "no value and no problem"),
    }
    let (body, problems) = parse_hcl_json(file, text);
    places::check_problems(&problems, &sources);
    if let Some(body) = body {
        let (attributes, problems) = body.just_attributes();
        places::check_problems(&problems, &sources);
        for attribute in &attributes {
            places::check_expr(&attribute.expr, text);
        }
    }
}
