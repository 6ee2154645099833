//! HCL's JSON form (`*.pkr.json`).
//!
//! A body is an object, or an array of objects that are read as one. What is an argument and what a
//! block is decided by the schema that the body is read with. Strings are templates.

use std::collections::HashMap;

use host_diag::{Diagnostic, Diagnostics, FileId, Span};

use crate::ast::{Body, Expr, ExprKind, ObjectItem};
use crate::hcl::{parse_computed_template, parse_template};
use crate::json::{self, Kind, Member, Value};

/// Reads a file in HCL's JSON form.
///
/// The body is `None` when the text is not JSON at all, or is no object and no array of objects.
#[must_use]
pub fn parse_hcl_json(file: FileId, text: &str) -> (Option<Body>, Diagnostics) {
    let (value, mut diagnostics) = json::parse(file, text);
    let Some(value) = value else {
        return (None, diagnostics);
    };
    let wrong = match &value.kind {
        Kind::Object(_) => None,
        Kind::Array(elements) => elements
            .iter()
            .find(|element| !matches!(element.kind, Kind::Object(_)))
            .map(|element| element.span),
        _ => Some(value.span),
    };
    if let Some(span) = wrong {
        diagnostics.push(
            Diagnostic::error("Root value must be object")
                .detail("A configuration in JSON is an object, or an array of objects.")
                .at(span),
        );
        return (None, diagnostics);
    }
    (Some(Body::Json(value)), diagnostics)
}

/// A JSON value as an expression. `None` means that an error was reported.
pub(crate) fn expression(value: &Value, diagnostics: &mut Diagnostics) -> Option<Expr> {
    let span = value.span;
    let kind = match &value.kind {
        Kind::Null => ExprKind::Null,
        Kind::Bool(value) => ExprKind::Bool(*value),
        Kind::Number(number) => number_kind(number, span),
        Kind::String(text) => return template(text, span, diagnostics),
        Kind::Array(elements) => {
            let read = elements
                .iter()
                .map(|element| expression(element, diagnostics));
            ExprKind::Tuple(
                read.collect::<Vec<_>>()
                    .into_iter()
                    .collect::<Option<_>>()?,
            )
        }
        Kind::Object(members) => ExprKind::Object(object_items(members, diagnostics)?),
    };
    Some(Expr { kind, span })
}

fn number_kind(number: &str, span: Span) -> ExprKind {
    match number.strip_prefix('-') {
        Some(digits) => {
            let number = Expr {
                kind: ExprKind::Number(digits.to_owned()),
                span,
            };
            ExprKind::Unary(crate::ast::UnaryOp::Negate, Box::new(number))
        }
        None => ExprKind::Number(number.to_owned()),
    }
}

/// Text in quotes as a template. Places inside it are exact unless it has JSON escapes, which move
/// what is behind them; then every place is the whole text.
fn template(text: &str, span: Span, diagnostics: &mut Diagnostics) -> Option<Expr> {
    if !text.contains("${") && !text.contains("%{") {
        return Some(Expr {
            kind: ExprKind::String(text.to_owned()),
            span,
        });
    }
    let is_verbatim = (span.end - span.start) as usize == text.len() + 2;
    let (expr, mut problems) = if is_verbatim {
        parse_template(span.file, span.start as usize + 1, text)
    } else {
        parse_computed_template(span, text)
    };
    diagnostics.append(&mut problems);
    expr.map(|expr| Expr { span, ..expr })
}

fn object_items(members: &[Member], diagnostics: &mut Diagnostics) -> Option<Vec<ObjectItem>> {
    let mut names: HashMap<&str, Span> = HashMap::new();
    let mut items = Vec::with_capacity(members.len());
    let mut sound = true;
    for member in members {
        if let Some(first) = names.insert(&member.key, member.key_span) {
            sound = false;
            diagnostics.push(
                Diagnostic::error("Duplicate object attribute")
                    .detail(format!(
                        "An attribute named `{}` was already defined.",
                        member.key
                    ))
                    .at(member.key_span)
                    .related(first, "first defined here"),
            );
        }
        let key = template(&member.key, member.key_span, diagnostics);
        let value = expression(&member.value, diagnostics);
        match (key, value) {
            (Some(key), Some(value)) => items.push(ObjectItem { key, value }),
            _ => sound = false,
        }
    }
    sound.then_some(items)
}
