//! Both forms seen through the same schema.

use host_diag::{Diagnostics, FileId};

use super::{AttributeRule, BlockRule, Content, ContentSchema};
use crate::{Body, ExprKind, parse_hcl, parse_hcl_json};

fn schema() -> ContentSchema {
    let attribute = |name: &str, required| AttributeRule {
        name: name.to_owned(),
        required,
    };
    let block = |kind: &str, labels: &[&str]| BlockRule {
        kind: kind.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    ContentSchema {
        attributes: vec![attribute("size", true), attribute("tags", false)],
        blocks: vec![block("source", &["type", "name"]), block("build", &[])],
    }
}

fn native(text: &str) -> Body {
    let (body, diagnostics) = parse_hcl(FileId(0), text);
    assert_eq!(diagnostics, [], "{text}");
    body.expect("a body")
}

fn json(text: &str) -> Body {
    let (body, diagnostics) = parse_hcl_json(FileId(0), text);
    assert_eq!(diagnostics, [], "{text}");
    body.expect("a body")
}

fn show(content: &Content) -> String {
    let attributes = content.attributes.iter().map(|one| one.name.name.clone());
    let blocks = content.blocks.iter().map(crate::Block::header_text);
    attributes.chain(blocks).collect::<Vec<_>>().join("; ")
}

fn show_problems(text: &str, diagnostics: &Diagnostics) -> Vec<String> {
    let one = |one: &host_diag::Diagnostic| {
        let span = one.subject.expect("every problem has a place");
        let hint = one
            .hints
            .first()
            .map(|hint| format!(" ({hint})"))
            .unwrap_or_default();
        format!(
            "{} at {:?}{hint}",
            one.summary,
            &text[span.start as usize..span.end as usize]
        )
    };
    diagnostics.iter().map(one).collect()
}

fn check(body: fn(&str) -> Body, text: &str, expected: &str, problems: &[&str]) {
    let (content, diagnostics) = body(text).content(&schema());
    assert_eq!(show_problems(text, &diagnostics), problems, "{text}");
    assert_eq!(show(&content), expected, "{text}");
}

#[test]
fn both_forms_give_the_same_content() {
    let expected = "size; source \"null\" \"a\"; source \"null\" \"b\"; build; build";
    check(
        native,
        "size = 1\nsource \"null\" \"a\" {\n}\nsource \"null\" \"b\" {\n}\nbuild {\n}\nbuild {\n}\n",
        expected,
        &[],
    );
    check(
        json,
        r#"{"//": "note", "size": 1, "source": {"null": {"a": {}, "b": {}}}, "build": [{}, {}]}"#,
        expected,
        &[],
    );
    check(
        json,
        r#"[{"size": 1}, {"source": [{"null": {"a": {}}}, {"null": [{"b": {}}]}], "build": {}, "build": {}}]"#,
        expected,
        &[],
    );
}

#[test]
fn unknown_names_are_refused_with_the_nearest_one() {
    check(
        native,
        "size = 1\ntag = 2\n",
        "size",
        &["Unsupported argument at \"tag\" (did you mean `tags`?)"],
    );
    check(
        native,
        "size = 1\nsorce \"a\" \"b\" {\n}\n",
        "size",
        &["Unsupported block type at \"sorce\" (did you mean `source`?)"],
    );
    check(
        json,
        r#"{"size": 1, "biuld": {}}"#,
        "size",
        &["Extraneous JSON object property at \"\\\"biuld\\\"\" (did you mean `build`?)"],
    );
}

#[test]
fn arguments_and_blocks_in_each_others_place_are_explained() {
    check(
        native,
        "size = 1\nbuild = {}\n",
        "size",
        &[
            "Unsupported argument at \"build\" (`build` is a block: write `build { … }` without `=`)",
        ],
    );
    check(
        native,
        "size = 1\ntags {\n}\n",
        "size",
        &["Unsupported block type at \"tags\" (`tags` is an argument: write `tags = …` with `=`)"],
    );
}

#[test]
fn label_counts_are_checked() {
    check(
        native,
        "size = 1\nsource \"a\" {\n}\n",
        "size",
        &[
            "Missing name for source at \"source \\\"a\\\"\" (write `source \"type\" \"name\" { … }`)",
        ],
    );
    check(
        native,
        "size = 1\nbuild \"a\" {\n}\n",
        "size",
        &["Extraneous label for build at \"\\\"a\\\"\""],
    );
    check(
        json,
        r#"{"size": 1, "source": {"a": {}}}"#,
        "size",
        &["Missing block label at \"{}\""],
    );
    check(
        json,
        r#"{"size": 1, "source": {"a": 1}}"#,
        "size",
        &["Incorrect JSON value type at \"1\""],
    );
}

#[test]
fn required_arguments_are_missed_at_the_closing_brace() {
    check(
        native,
        "tags = 1\n",
        "tags",
        &["Missing required argument at \"\""],
    );
    check(
        json,
        r#"{"tags": 1}"#,
        "tags",
        &["Missing required argument at \"}\""],
    );
}

#[test]
fn partial_content_leaves_the_rest_alone() {
    let (content, diagnostics) =
        native("size = 1\nother = 2\nthing {\n}\n").partial_content(&schema());
    assert_eq!((show(&content).as_str(), diagnostics.len()), ("size", 0));
    let (content, diagnostics) = json(r#"{"size": 1, "other": 2}"#).partial_content(&schema());
    assert_eq!((show(&content).as_str(), diagnostics.len()), ("size", 0));
}

#[test]
fn just_attributes_refuses_blocks() {
    let text = "a = 1\nb {\n}\n";
    let (attributes, diagnostics) = native(text).just_attributes();
    assert_eq!(attributes.len(), 1);
    assert_eq!(
        show_problems(text, &diagnostics),
        ["Unexpected \"b\" block at \"b\" (to set an argument, write `b = …`)"]
    );
    let text = r#"{"//": 1, "a": 1, "a": 2}"#;
    let (attributes, diagnostics) = json(text).just_attributes();
    assert_eq!(attributes.len(), 1);
    assert_eq!(
        show_problems(text, &diagnostics),
        ["Duplicate argument at \"\\\"a\\\"\""]
    );
}

#[test]
fn json_strings_are_templates_with_exact_places() {
    let text = r#"{"size": "a ${x y}"}"#;
    let (content, diagnostics) = json(text).content(&schema());
    assert!(content.attributes.is_empty());
    assert_eq!(
        show_problems(text, &diagnostics),
        ["Extra characters after interpolation expression at \"y\""]
    );
    let text = r#"{"size": "\t${x y}"}"#;
    let (_, diagnostics) = json(text).content(&schema());
    assert_eq!(
        show_problems(text, &diagnostics),
        ["Extra characters after interpolation expression at \"\\\"\\\\t${x y}\\\"\""]
    );
}

#[test]
fn json_values_become_expressions() {
    let (content, diagnostics) =
        json(r#"{"size": [null, true, -1, {"${k}": "v"}]}"#).content(&schema());
    assert_eq!(diagnostics, []);
    let ExprKind::Tuple(items) = &content.attributes[0].expr.kind else {
        panic!("a tuple")
    };
    assert!(matches!(items[0].kind, ExprKind::Null));
    assert!(matches!(items[1].kind, ExprKind::Bool(true)));
    assert!(matches!(items[2].kind, ExprKind::Unary(..)));
    let ExprKind::Object(members) = &items[3].kind else {
        panic!("an object")
    };
    assert!(matches!(members[0].key.kind, ExprKind::Template(_)));
}

#[test]
fn the_root_of_a_json_file_is_an_object_or_some() {
    for text in ["1", "\"a\"", "[1]"] {
        let (body, diagnostics) = parse_hcl_json(FileId(0), text);
        assert!(body.is_none());
        assert_eq!(diagnostics[0].summary, "Root value must be object");
    }
}
