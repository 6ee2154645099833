//! Whether places lie in their text: in range, in order, and not inside of characters.

use host_diag::{Diagnostic, SourceMap, Span, render_json, render_text};
use host_syntax::ast::{Body, Expr, ExprKind, Ident, NativeBody, SplatStep, TemplatePart};
use host_syntax::json;

/// Problems that are shown to see whether that works.
const MOST_SHOWN: usize = 3;

/// Checks one place.
pub(crate) fn check(span: Span, text: &str) {
    let (start, end) = (span.start as usize, span.end as usize);
    assert!(
        text.get(start..end).is_some(),
        "{start}..{end} is no part of a text of {} bytes",
        text.len()
    );
}

/// Checks every place of problems, and that they can be shown.
pub(crate) fn check_problems(problems: &[Diagnostic], sources: &SourceMap) {
    for problem in problems {
        let related = problem.related.iter().map(|label| label.span);
        for span in problem.subject.into_iter().chain(related) {
            check(span, sources.text(span.file));
        }
        let text = [problem.summary.as_str(), problem.detail.as_str()].concat();
        assert!(!text.trim().is_empty(), "{problem:?} says nothing");
    }
    // Showing is slow beside reading, and the first few say enough about all.
    let shown = &problems[..problems.len().min(MOST_SHOWN)];
    drop(render_text(shown, sources));
    drop(render_json(shown, sources));
}

pub(crate) fn check_body(body: &Body, text: &str) {
    match body {
        Body::Native(native) => check_native(native, text),
        Body::Json(value) => check_json(value, text),
    }
}

fn check_native(body: &NativeBody, text: &str) {
    check(body.span, text);
    for attribute in &body.attributes {
        check(attribute.span, text);
        check_ident(&attribute.name, text);
        check_expr(&attribute.expr, text);
    }
    for block in &body.blocks {
        check(block.span, text);
        check(block.header, text);
        check_ident(&block.kind, text);
        for label in &block.labels {
            check_ident(label, text);
        }
        check_body(&block.body, text);
    }
}

fn check_ident(ident: &Ident, text: &str) {
    check(ident.span, text);
}

pub(crate) fn check_json(value: &json::Value, text: &str) {
    check(value.span, text);
    match &value.kind {
        json::Kind::Array(items) => items.iter().for_each(|item| check_json(item, text)),
        json::Kind::Object(members) => {
            for member in members {
                check(member.key_span, text);
                check_json(&member.value, text);
            }
        }
        _ => {}
    }
}

pub(crate) fn check_expr(expr: &Expr, text: &str) {
    check(expr.span, text);
    let each = |parts: &[&Expr]| parts.iter().for_each(|part| check_expr(part, text));
    match &expr.kind {
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Variable(_) => {}
        ExprKind::Template(parts) => check_parts(parts, text),
        ExprKind::Tuple(items) => items.iter().for_each(|item| check_expr(item, text)),
        ExprKind::Object(items) => items
            .iter()
            .for_each(|item| each(&[&item.key, &item.value])),
        ExprKind::GetAttr(target, name) => {
            check_expr(target, text);
            check_ident(name, text);
        }
        ExprKind::Index(target, key) => each(&[target, key]),
        ExprKind::AttrSplat(target, steps) | ExprKind::FullSplat(target, steps) => {
            check_expr(target, text);
            check_steps(steps, text);
        }
        ExprKind::Call { name, args, .. } => {
            check_ident(name, text);
            args.iter().for_each(|arg| check_expr(arg, text));
        }
        ExprKind::Conditional(condition, yes, no) => each(&[condition, yes, no]),
        ExprKind::Unary(_, operand) | ExprKind::Parens(operand) => check_expr(operand, text),
        ExprKind::Binary(_, left, right) => each(&[left, right]),
        ExprKind::For(parts) => {
            each(&[&parts.collection, &parts.result]);
            for part in parts.key_result.iter().chain(&parts.condition) {
                check_expr(part, text);
            }
        }
    }
}

fn check_steps(steps: &[SplatStep], text: &str) {
    for step in steps {
        match step {
            SplatStep::Attr(name) => check_ident(name, text),
            SplatStep::Index(key) => check_expr(key, text),
            SplatStep::AttrSplat(steps) | SplatStep::FullSplat(steps) => check_steps(steps, text),
        }
    }
}

fn check_parts(parts: &[TemplatePart], text: &str) {
    for part in parts {
        match part {
            TemplatePart::Literal(_, span) => check(*span, text),
            TemplatePart::Interpolation(expr) => check_expr(expr, text),
            TemplatePart::If { condition, yes, no } => {
                check_expr(condition, text);
                check_parts(yes, text);
                check_parts(no, text);
            }
            TemplatePart::For {
                collection, body, ..
            } => {
                check_expr(collection, text);
                check_parts(body, text);
            }
        }
    }
}
