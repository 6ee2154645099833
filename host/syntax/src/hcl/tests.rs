//! Text in, trees and errors as text out.

use host_diag::{Diagnostics, FileId, Span};

use super::{parse_expression, parse_hcl, parse_template};
use crate::ast::{Body, Expr, ExprKind, SplatStep, TemplatePart};

fn spanned(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// A tree as text, every operation in parentheses.
fn show(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Null => "null".to_owned(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Number(digits) => digits.clone(),
        ExprKind::String(text) => format!("{text:?}"),
        ExprKind::Template(parts) => format!("<{}>", show_parts(parts)),
        ExprKind::Tuple(items) => format!("[{}]", list(items)),
        ExprKind::Object(items) => {
            let item = |item: &crate::ast::ObjectItem| {
                format!("{}: {}", show(&item.key), show(&item.value))
            };
            format!(
                "{{{}}}",
                items.iter().map(item).collect::<Vec<_>>().join(", ")
            )
        }
        ExprKind::Variable(name) => name.clone(),
        ExprKind::GetAttr(target, name) => format!("{}.{}", show(target), name.name),
        ExprKind::Index(target, key) => format!("{}[{}]", show(target), show(key)),
        ExprKind::AttrSplat(target, steps) => format!("{}.*({})", show(target), show_steps(steps)),
        ExprKind::FullSplat(target, steps) => format!("{}[*]({})", show(target), show_steps(steps)),
        ExprKind::Call { name, args, expand } => {
            format!(
                "{}({}{})",
                name.name,
                list(args),
                if *expand { "..." } else { "" }
            )
        }
        ExprKind::Conditional(condition, yes, no) => {
            format!("({} ? {} : {})", show(condition), show(yes), show(no))
        }
        ExprKind::Unary(operator, operand) => format!("({operator:?} {})", show(operand)),
        ExprKind::Binary(operator, left, right) => {
            format!("({} {operator:?} {})", show(left), show(right))
        }
        ExprKind::For(parts) => {
            let key = parts
                .key
                .as_ref()
                .map(|key| format!("{}, ", key.name))
                .unwrap_or_default();
            let key_result = parts
                .key_result
                .as_ref()
                .map(|key| format!("{} => ", show(key)));
            let condition = parts
                .condition
                .as_ref()
                .map(|test| format!(" if {}", show(test)));
            format!(
                "(for {key}{} in {} : {}{}{}{})",
                parts.value.name,
                show(&parts.collection),
                key_result.unwrap_or_default(),
                show(&parts.result),
                if parts.group { "..." } else { "" },
                condition.unwrap_or_default(),
            )
        }
        ExprKind::Parens(inner) => format!("({})", show(inner)),
    }
}

fn show_steps(steps: &[SplatStep]) -> String {
    let step = |step: &SplatStep| match step {
        SplatStep::Attr(name) => format!(".{}", name.name),
        SplatStep::Index(key) => format!("[{}]", show(key)),
        SplatStep::AttrSplat(steps) => format!(".*({})", show_steps(steps)),
        SplatStep::FullSplat(steps) => format!("[*]({})", show_steps(steps)),
    };
    steps.iter().map(step).collect()
}

fn show_parts(parts: &[TemplatePart]) -> String {
    let part = |part: &TemplatePart| match part {
        TemplatePart::Literal(text, _) => format!("{text:?}"),
        TemplatePart::Interpolation(expr) => format!("${}", show(expr)),
        TemplatePart::If { condition, yes, no } => {
            format!(
                "if({} ? {} : {})",
                show(condition),
                show_parts(yes),
                show_parts(no)
            )
        }
        TemplatePart::For {
            key,
            value,
            collection,
            body,
        } => {
            let key = key
                .as_ref()
                .map(|key| format!("{}, ", key.name))
                .unwrap_or_default();
            format!(
                "for({key}{} in {}: {})",
                value.name,
                show(collection),
                show_parts(body)
            )
        }
    };
    parts.iter().map(part).collect::<Vec<_>>().join(" ")
}

fn show_body(body: &Body) -> String {
    let Body::Native(body) = body else {
        panic!("a native body")
    };
    let attributes = body
        .attributes
        .iter()
        .map(|one| format!("{}={}", one.name.name, show(&one.expr)));
    let blocks = body
        .blocks
        .iter()
        .map(|one| format!("{} {{{}}}", one.header_text(), show_body(&one.body)));
    attributes.chain(blocks).collect::<Vec<_>>().join("; ")
}

fn show_errors(text: &str, diagnostics: &Diagnostics) -> Vec<String> {
    let one = |one: &host_diag::Diagnostic| {
        let place = one
            .subject
            .map(|span| spanned(text, span))
            .unwrap_or_default();
        format!("{} at {place:?}", one.summary)
    };
    diagnostics.iter().map(one).collect()
}

fn check(text: &str, expected: &str) {
    let (expr, diagnostics) = parse_expression(FileId(0), 0, text);
    assert_eq!(show_errors(text, &diagnostics), [""; 0], "{text:?}");
    assert_eq!(
        expr.as_ref().map(show).as_deref(),
        Some(expected),
        "{text:?}"
    );
}

fn check_error(text: &str, expected: &str) {
    let (expr, diagnostics) = parse_expression(FileId(0), 0, text);
    assert_eq!(show_errors(text, &diagnostics), [expected], "{text:?}");
    assert!(expr.is_none(), "{text:?}");
}

fn check_template(text: &str, expected: &str) {
    let (expr, diagnostics) = parse_template(FileId(0), 0, text);
    assert_eq!(show_errors(text, &diagnostics), [""; 0], "{text:?}");
    assert_eq!(
        expr.as_ref().map(show).as_deref(),
        Some(expected),
        "{text:?}"
    );
}

fn check_template_error(text: &str, expected: &str) {
    let (_, diagnostics) = parse_template(FileId(0), 0, text);
    assert_eq!(show_errors(text, &diagnostics), [expected], "{text:?}");
}

fn check_file(text: &str, expected: &str, errors: &[&str]) {
    let (body, diagnostics) = parse_hcl(FileId(0), text);
    assert_eq!(show_errors(text, &diagnostics), errors, "{text:?}");
    assert_eq!(show_body(&body.expect("a body")), expected, "{text:?}");
}

#[test]
fn reads_values() {
    check("null", "null");
    check("true", "true");
    check(
        "12345678901234567890123.5e-7",
        "12345678901234567890123.5e-7",
    );
    check("1e9999", "1e9999");
    check("[1e400, 2]", "[1e400, 2]");
    check("-5", "(Negate 5)");
    check("- - x", "(Negate (Negate x))");
    check("[1, [2], ]", "[1, [2]]");
    check("a-b", "a-b");
    check("\n x\n", "x");
}

#[test]
fn reads_operators_by_their_rank() {
    check("1+2*3-4", "((1 Add (2 Multiply 3)) Subtract 4)");
    check("a || b && c == d", "(a Or (b And (c Equal d)))");
    check("a > b == c", "((a Greater b) Equal c)");
    check("!x == y", "((Not x) Equal y)");
    check("-x.y[0]", "(Negate x.y[0])");
    check("a ? b : c ? d : e", "(a ? b : (c ? d : e))");
    check("(1 +\n 2) % 3", "(((1 Add 2)) Modulo 3)");
}

#[test]
fn reads_traversals() {
    check("a.b[\"c\"].0.d", "a.b[\"c\"][0].d");
    check("[1][0]", "[1][0]");
    check("(a.\nb.01)", "(a.b[1])");
    check("a[b[c]]", "a[b[c]]");
    check("(a\n.b)", "(a.b)");
    check("a.b.*.c.0[1]", "a.b.*(.c[0])[1]");
    check("a[*].b[0]", "a[*](.b[0])");
    check("a[*].b[*].c", "a[*](.b[*](.c))");
    check("a[*].b.*.c[0]", "a[*](.b.*(.c)[0])");
    check_error("a.*.b.*.c", "Nested splat expression not allowed at \".*\"");
}

#[test]
fn reads_calls_and_for_expressions() {
    check("f(a,\n b...)", "f(a, b...)");
    check("f()", "f()");
    check("[f\n(1)]", "[f(1)]");
    check("core::upper(a,)", "core::upper(a)");
    check("[for v in l : v.x if v]", "(for v in l : v.x if v)");
    check(
        "{for k, v in l :\n k => v... if k}",
        "(for k, v in l : k => v... if k)",
    );
}

#[test]
fn reads_objects() {
    check(
        "{a = 1, \"b\" : 2\n(c) = 3}",
        "{\"a\": 1, \"b\": 2, (c): 3}",
    );
    check("{\n# x\na = [\n1\n] # y\n\n}", "{\"a\": [1]}");
    check(
        "{true = 1, null = 2, 5 = 3}",
        "{\"true\": 1, \"null\": 2, 5: 3}",
    );
    check("{}", "{}");
}

#[test]
fn repeated_keys_of_an_object_are_all_kept_in_order() {
    check("{b=1, c=2, b=3}", "{\"b\": 1, \"c\": 2, \"b\": 3}");
    check(
        "{a={x=1, x=2}\n a=[{y=1, y=2}]}",
        "{\"a\": {\"x\": 1, \"x\": 2}, \"a\": [{\"y\": 1, \"y\": 2}]}",
    );
    check(
        "{\"${x}\"=1, \"${y}\"=2, (z)=3, (z)=4}",
        "{<$x>: 1, <$y>: 2, (z): 3, (z): 4}",
    );
}

#[test]
fn reads_quoted_templates() {
    check(r#""a\n\u00e9""#, "\"a\\né\"");
    check(r#""${x}""#, "<$x>");
    check(r#""a ${"b ${c}"} d""#, "<\"a \" $<\"b \" $c> \" d\">");
    check(r#""$${x} %%{y} $z""#, "\"${x} %{y} $z\"");
    check(r#""  ${~ x ~}  b""#, "<$x \"b\">");
    check("\"${\n{a = 1}.a\n}\"", "<${\"a\": 1}.a>");
}

#[test]
fn reads_heredocs() {
    check("<<E\n  a\n  ${x}\nE\n", "<\"  a\\n  \" $x \"\\n\">");
    check("<<E\nE\n", "\"\"");
    check("[<<E\na\nE\n, 1]", "[\"a\\n\", 1]");
    check("<<E\n\\n \"q\" $${x}\nE\n", "\"\\\\n \\\"q\\\" ${x}\\n\"");
}

#[test]
fn removes_the_indent_of_heredocs() {
    check(
        "<<-E\n    a\n      b\n\n    c\n  E\n",
        "\"a\\n  b\\n\\nc\\n\"",
    );
    check("<<-E\n  ${x}\n    b\n  E\n", "<$x \"\\n  b\\n\">");
    check(
        "<<-E\n    a\n      %{ if t }\n    b\n  %{ endif }\n    c\n  E\n",
        "<\"  a\\n    \" if(t ? \"\\n  b\\n\" : ) \"\\n  c\\n\">",
    );
    check("<<-E\r\n    a\r\n  b\r\n  E\r\n", "\"  a\\r\\nb\\r\\n\"");
}

#[test]
fn trim_markers_do_not_reach_beyond_their_line_in_heredocs() {
    check(
        "<<E\n  a\n   b ${~ x ~}  \n  c\nE\n",
        "<\"  a\\n   b\" $x \"  c\\n\">",
    );
    check(
        "<<-E\n    a ${x ~}\n      b\n    c\n  E\n",
        "<\"a \" $x \"      b\\nc\\n\">",
    );
}

#[test]
fn reads_directives() {
    check_template("%{ if a }b%{ else }c%{ endif }", "<if(a ? \"b\" : \"c\")>");
    check_template(
        "%{ for k, v in l ~}\n ${v} \n%{~ endfor }",
        "<for(k, v in l: \" \" $v)>",
    );
    check_template(
        "%{if a}%{if b}c%{endif}%{endif}",
        "<if(a ? if(b ? \"c\" : ) : )>",
    );
    check_template("a \"q\" \\n", "\"a \\\"q\\\" \\\\n\"");
    check_template("", "\"\"");
}

#[test]
fn explains_broken_directives() {
    check_template_error(
        "%{ foo }",
        "Invalid template control keyword at \"%{ foo }\"",
    );
    check_template_error("%{ if a }", "Unexpected end of template at \"\"");
    check_template_error(
        "%{ if a }%{ endfor }",
        "Unexpected endfor directive at \"%{ endfor }\"",
    );
    check_template_error(
        "%{ for in l }%{ endfor }",
        "Invalid 'for' directive at \"l\"",
    );
    check_template_error(
        "%{ if a }%{ endif b }",
        "Extra characters in endif marker at \"b\"",
    );
    check_template_error("${", "Unclosed template interpolation at \"${\"");
}

#[test]
fn explains_broken_expressions() {
    check_error("[1 2]", "Missing item separator at \"2\"");
    check_error("{a=1 b=2}", "Missing attribute separator at \"b\"");
    check_error("{a\n=1}", "Missing attribute value at \"\\n\"");
    check_error("{a {}}", "Missing key/value separator at \"{\"");
    check_error("f(1 2)", "Missing argument separator at \"2\"");
    check_error("(1 2)", "Unbalanced parentheses at \"2\"");
    check_error("l[0 1]", "Missing close bracket on index at \"1\"");
    check_error("t ? 1", "Missing false expression in conditional at \"\"");
    check_error("a.f(1)", "Extra characters after expression at \"(\"");
    check_error("l.", "Invalid attribute name at \"\"");
    check_error("1 +", "Invalid expression at \"\"");
    check_error("[,]", "Invalid expression at \",\"");
    check_error("1 2", "Extra characters after expression at \"2\"");
    check_error(
        "\"${x y}\"",
        "Extra characters after interpolation expression at \"y\"",
    );
    check_error("\"${}\"", "Invalid expression at \"}\"");
    check_error("\"a\\qb\"", "Invalid escape sequence at \"\\\\q\"");
    check_error("{a.b = 1}", "Ambiguous attribute key at \"a.b\"");
    check_error("[for x l : x]", "Invalid 'for' expression at \"l\"");
    check_error("[1", "Unterminated tuple constructor expression at \"[\"");
    check_error("a.0.1", "Invalid legacy index syntax at \"0.1\"");
}

#[test]
fn reads_bodies() {
    check_file(
        "a = 1 # c\nb \"x\" y {\n  c = 2\n  d {}\n  e { f = 3 }\n}\n",
        "a=1; b \"x\" \"y\" {c=2; d {}; e {f=3}}",
        &[],
    );
    check_file("\u{FEFF}", "", &[]);
    check_file("a = <<E\nE\nb = <<E\nx\nE\n", "a=\"\"; b=\"x\\n\"", &[]);
    check_file("a = 1\r\nb = [\r\n1]\r\n", "a=1; b=[1]", &[]);
}

#[test]
fn every_error_is_reported_and_hides_nothing_behind_it() {
    check_file(
        "a = 1 1\nb {\n  c = [1 2]\n  d = 3\n}\ne = 5 =\nf = 6\n",
        "f=6; b {d=3}",
        &[
            "Missing newline after argument at \"1\"",
            "Missing item separator at \"2\"",
            "Missing newline after argument at \"=\"",
        ],
    );
    check_file(
        "a \"b\" {\n  c = (1\n}\nd {\n  e = 1 1\n  f = 2\n}\n",
        "d {f=2}",
        &[
            "Unbalanced parentheses at \"(\"",
            "Missing newline after argument at \"1\"",
        ],
    );
    check_file(
        "a = \"x\nb = 1\n",
        "b=1",
        &["Invalid multi-line string at \"\\\"x\""],
    );
    check_file(
        "a = t ? [1] :\n  [2]\nb = 1\n",
        "b=1",
        &["Invalid expression at \"\\n\""],
    );
}

#[test]
fn explains_broken_bodies() {
    check_file("a = 1\na = 2\n", "a=1", &["Attribute redefined at \"a\""]);
    check_file(
        "a\n",
        "",
        &["Argument or block definition required at \"a\""],
    );
    check_file(
        "a: 1\n",
        "",
        &["Argument or block definition required at \"a\""],
    );
    check_file(
        "\"a\" = 1\n",
        "",
        &["Invalid argument name at \"\\\"a\\\"\""],
    );
    check_file("a \"b\" = 1\n", "", &["Invalid block definition at \"=\""]);
    check_file(
        "a \"b\"\n{\n}\n",
        "a \"b\" {}",
        &["Invalid block definition at \"{\""],
    );
    check_file(
        "a \"${b}\" {\n}\n",
        "",
        &["Invalid string literal at \"${b}\""],
    );
    check_file("a {\n", "", &["Unclosed configuration block at \"a {\""]);
    check_file(
        "a {\n}}\n",
        "",
        &["Missing newline after block definition at \"}\""],
    );
    check_file(
        "a { b = 1, c = 2 }\n",
        "a {}",
        &["Invalid single-argument block definition at \",\""],
    );
    check_file(
        "a { b {} }\n",
        "a {}",
        &["Argument definition required at \"b\""],
    );
    check_file(
        "}\n",
        "",
        &["Argument or block definition required at \"}\""],
    );
}

#[test]
fn spans_cover_exactly_what_they_name() {
    let text = "x \"y\" {\n  é = f(a.b, \"${c}\")[0]\n}\n";
    let (body, _) = parse_hcl(FileId(0), text);
    let Some(Body::Native(body)) = body else {
        panic!("a native body")
    };
    let block = &body.blocks[0];
    assert_eq!(spanned(text, block.header), "x \"y\"");
    assert_eq!(spanned(text, block.span), text.trim_end());
    assert_eq!(spanned(text, block.labels[0].span), "\"y\"");
    let Body::Native(inside) = &block.body else {
        panic!("a native body")
    };
    assert_eq!(spanned(text, inside.span), "\n  é = f(a.b, \"${c}\")[0]\n");
    let attribute = &inside.attributes[0];
    assert_eq!(spanned(text, attribute.name.span), "é");
    assert_eq!(spanned(text, attribute.span), "é = f(a.b, \"${c}\")[0]");
    let ExprKind::Index(call, key) = &attribute.expr.kind else {
        panic!("an index")
    };
    assert_eq!(spanned(text, key.span), "0");
    assert_eq!(spanned(text, call.span), "f(a.b, \"${c}\")");
    let ExprKind::Call { name, args, .. } = &call.kind else {
        panic!("a call")
    };
    assert_eq!(spanned(text, name.span), "f");
    let ExprKind::GetAttr(target, step) = &args[0].kind else {
        panic!("a step")
    };
    assert_eq!(
        (spanned(text, target.span), spanned(text, step.span)),
        ("a", "b")
    );
    let ExprKind::Template(parts) = &args[1].kind else {
        panic!("a template")
    };
    let TemplatePart::Interpolation(inner) = &parts[0] else {
        panic!("an interpolation")
    };
    assert_eq!(
        (spanned(text, args[1].span), spanned(text, inner.span)),
        ("\"${c}\"", "c")
    );
}

#[test]
fn spans_count_from_the_offset_given() {
    let (expr, _) = parse_expression(FileId(4), 100, " a + b");
    let span = expr.expect("an expression").span;
    assert_eq!((span.file, span.start, span.end), (FileId(4), 101, 106));
    let (_, diagnostics) = parse_template(FileId(4), 100, "ab${1 2}");
    assert_eq!(
        diagnostics[0].subject.map(|span| (span.start, span.end)),
        Some((106, 107))
    );
}

#[test]
fn literal_spans_follow_trimming_and_indent() {
    let text = "<<-E\n    a\n    ${~ x ~} b\n  E\n";
    let (expr, _) = parse_expression(FileId(0), 0, text);
    let ExprKind::Template(parts) = expr.expect("an expression").kind else {
        panic!("a template")
    };
    let literals: Vec<&str> = parts
        .iter()
        .filter_map(|part| match part {
            TemplatePart::Literal(_, span) => Some(spanned(text, *span)),
            _ => None,
        })
        .collect();
    assert_eq!(literals, ["    a\n", "b\n"]);
}

#[test]
fn more_problems_than_anyone_reads_are_counted() {
    let (_, diagnostics) = parse_hcl(FileId(0), &"1\n".repeat(1000));
    assert_eq!(diagnostics.len(), 101);
    assert_eq!(diagnostics[100].summary, "Too many errors");
}
