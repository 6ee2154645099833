//! Bodies in HCL's JSON form.

use std::collections::HashMap;

use host_diag::{Diagnostic, Diagnostics, Span};

use super::problem::unsupported_property;
use super::{BlockRule, Content, ContentSchema, Unknown};
use crate::ast::{Attribute, Block, Body, Ident};
use crate::hcl_json::expression;
use crate::json::{Kind, Member, Value};

/// The key that comments have in place of comments.
const COMMENT: &str = "//";

pub(super) fn content(
    value: &Value,
    schema: &ContentSchema,
    unknown: Unknown,
) -> (Content, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let missing = Some(closing_place(value));
    let mut content = Content {
        missing,
        ..Content::default()
    };
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for member in members(value, Wanted::Body, &mut diagnostics) {
        if schema.attributes.iter().any(|rule| rule.name == member.key) {
            if let Some(first) = seen.insert(&member.key, member.key_span) {
                diagnostics.push(already_set(member, first));
                continue;
            }
            content
                .attributes
                .extend(attribute(member, &mut diagnostics));
        } else if let Some(rule) = schema.blocks.iter().find(|rule| rule.kind == member.key) {
            Blocks {
                rule,
                member,
                found: &mut content.blocks,
                diagnostics: &mut diagnostics,
            }
            .collect(&member.value, &mut Vec::new());
        } else if member.key != COMMENT && unknown == Unknown::Refused {
            diagnostics.push(unsupported_property(&member.key, schema).at(member.key_span));
        }
    }
    (content, diagnostics)
}

pub(super) fn has_member(value: &Value, name: &str) -> bool {
    members(value, Wanted::Body, &mut Diagnostics::new())
        .iter()
        .any(|member| member.key == name)
}

pub(super) fn just_attributes(value: &Value) -> (Vec<Attribute>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut attributes = Vec::new();
    let Kind::Object(members) = &value.kind else {
        let problem =
            wrong_type("A JSON object is required here, setting the arguments for this block.");
        return (attributes, vec![problem.at(value.span)]);
    };
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for member in members.iter().filter(|member| member.key != COMMENT) {
        match seen.insert(&member.key, member.key_span) {
            Some(first) => diagnostics.push(already_set(member, first)),
            None => attributes.extend(attribute(member, &mut diagnostics)),
        }
    }
    (attributes, diagnostics)
}

/// The closing bracket.
fn closing_place(value: &Value) -> Span {
    Span {
        start: value.span.end.saturating_sub(1).max(value.span.start),
        ..value.span
    }
}

fn attribute(member: &Member, diagnostics: &mut Diagnostics) -> Option<Attribute> {
    let expr = expression(&member.value, diagnostics)?;
    let name = Ident {
        name: member.key.clone(),
        span: member.key_span,
    };
    Some(Attribute {
        span: member.key_span.to(expr.span),
        name,
        expr,
    })
}

fn already_set(member: &Member, first: Span) -> Diagnostic {
    Diagnostic::error("Duplicate argument")
        .detail(format!("The argument \"{}\" was already set.", member.key))
        .at(member.key_span)
        .related(first, "first set here")
}

fn wrong_type(detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("Incorrect JSON value type").detail(detail)
}

/// What the members of an object are wanted for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// Arguments and blocks.
    Body,
    /// Labels; this is what they are called.
    Labels(&'a str),
}

/// The members of an object, or of all objects in an array. Null has none.
fn members<'v>(value: &'v Value, wanted: Wanted, diagnostics: &mut Diagnostics) -> Vec<&'v Member> {
    let purpose = match wanted {
        Wanted::Body => "to define arguments and child blocks".to_owned(),
        Wanted::Labels(label) => format!("to specify the {label} of this block"),
    };
    let mut found = Vec::new();
    match &value.kind {
        Kind::Null => {}
        Kind::Object(members) => found.extend(members),
        Kind::Array(elements) => {
            for element in elements {
                match &element.kind {
                    Kind::Object(members) => found.extend(members),
                    _ => diagnostics.push(
                        wrong_type(format!("A JSON object is required here, {purpose}."))
                            .at(element.span),
                    ),
                }
            }
        }
        _ => diagnostics.push(
            wrong_type(format!(
                "Either a JSON object or a JSON array of objects is required here, {purpose}."
            ))
            .at(value.span),
        ),
    }
    found
}

/// The blocks that one member defines.
struct Blocks<'c> {
    rule: &'c BlockRule,
    member: &'c Member,
    found: &'c mut Vec<Block>,
    diagnostics: &'c mut Diagnostics,
}

impl Blocks<'_> {
    /// Each level of objects gives one label, the last level the bodies.
    fn collect(&mut self, value: &Value, labels: &mut Vec<Ident>) {
        let Some(label) = self.rule.labels.get(labels.len()) else {
            self.bodies(value, labels);
            return;
        };
        let before = self.diagnostics.len();
        let named = members(value, Wanted::Labels(label), self.diagnostics);
        if named.is_empty() && self.diagnostics.len() == before {
            self.diagnostics.push(
                Diagnostic::error("Missing block label")
                    .detail(format!(
                        "At least one object property is required, whose name represents the {} block's {label}.",
                        self.rule.kind
                    ))
                    .at(value.span),
            );
        }
        for member in named {
            labels.push(Ident {
                name: member.key.clone(),
                span: member.key_span,
            });
            self.collect(&member.value, labels);
            labels.pop();
        }
    }

    fn bodies(&mut self, value: &Value, labels: &[Ident]) {
        match &value.kind {
            Kind::Null => {}
            Kind::Object(_) => self.add(value, labels),
            Kind::Array(elements) => {
                for element in elements {
                    self.add(element, labels);
                }
            }
            _ => self.diagnostics.push(
                wrong_type(format!(
                    "Either a JSON object or a JSON array is required, representing the contents of one or more \"{}\" blocks.",
                    self.rule.kind
                ))
                .at(value.span),
            ),
        }
    }

    fn add(&mut self, body: &Value, labels: &[Ident]) {
        let key_span = self.member.key_span;
        let header = labels
            .last()
            .map_or(key_span, |label| key_span.to(label.span));
        self.found.push(Block {
            kind: Ident {
                name: self.member.key.clone(),
                span: key_span,
            },
            labels: labels.to_vec(),
            body: Body::Json(body.clone()),
            header,
            span: key_span.to(body.span),
        });
    }
}
