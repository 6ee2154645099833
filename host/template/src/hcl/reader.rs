//! Reading the bodies of components into drafts.

use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Scope, evaluate};
use host_syntax::ast::{Attribute, Body, Expr, ExprKind};
use host_syntax::{AttributeRule, BlockRule, ContentSchema};

use crate::assemble::{Draft, DraftBlock, DraftOption};
use crate::fit::Unknowns;
use crate::hcl::bound::{BoundBody, DynamicBlocks};
use crate::hcl::early::evaluate_early;
use crate::model::PathStep;
use crate::schema::Schema;
use crate::written::Written;

/// Reads bodies into drafts.
pub(crate) struct Reader<'a> {
    /// What `for_each` of dynamic blocks sees.
    pub(crate) base: &'a Scope,
    /// What attributes see.
    pub(crate) scope: &'a Scope,
    pub(crate) dynamic: DynamicBlocks,
    /// Whether anybody asks what a value waits for.
    pub(crate) unknowns: Unknowns,
    pub(crate) problems: Diagnostics,
}

impl Reader<'_> {
    /// What a body says. Arguments in `ignored` are left out.
    pub(crate) fn body(&mut self, body: &BoundBody, schema: &Schema, ignored: &[&str]) -> Draft {
        let rules = content_schema(body, schema, ignored);
        let content = match self.dynamic {
            DynamicBlocks::Expanded => body.content(&rules, self.base, &mut self.problems),
            DynamicBlocks::Refused => body.plain_content(&rules, &mut self.problems),
        };
        let scope = Arc::new(body.scope(self.scope));
        let mut draft = Draft {
            place: content.missing,
            ..Draft::default()
        };
        for attribute in content.attributes {
            if !ignored.contains(&attribute.name.name.as_str()) {
                draft.options.push(self.option(attribute, &scope));
            }
        }
        let open = Schema {
            open: true,
            ..Schema::default()
        };
        for block in content.blocks {
            let rule = schema
                .blocks
                .iter()
                .find(|rule| rule.name == block.kind.name);
            let mut inner = self.body(&block.body, rule.map_or(&open, |rule| &rule.schema), &[]);
            let (kind, span) = (block.kind.name, Some(block.header));
            inner.place = span;
            draft.blocks.push(DraftBlock {
                kind,
                span,
                draft: inner,
            });
        }
        draft
    }

    fn option(&mut self, attribute: Attribute, scope: &Arc<Scope>) -> DraftOption {
        let (value, found, waits_for) = match self.unknowns {
            Unknowns::Keep => evaluate_early(&attribute.expr, scope),
            Unknowns::Replace => {
                let (value, found) = evaluate(&attribute.expr, scope);
                (value, found, Vec::new())
            }
        };
        self.problems.extend(found);
        let mut spans = Vec::new();
        expression_spans(&attribute.expr, &mut Vec::new(), &mut spans);
        DraftOption {
            name: attribute.name.name,
            value,
            name_span: Some(attribute.name.span),
            spans,
            waits_for,
            written: Some(Written {
                expr: attribute.expr,
                scope: Arc::clone(scope),
            }),
        }
    }

    /// Adds what a second body says. It can add, but not change.
    pub(crate) fn merge(&mut self, draft: &mut Draft, more: Draft) {
        for option in more.options {
            match draft.options.iter().find(|known| known.name == option.name) {
                None => draft.options.push(option),
                Some(first) => {
                    let mut problem = Diagnostic::error("Duplicate argument").detail(format!(
                        "Argument \"{}\" was already set by the source; a build can only add to it.",
                        option.name
                    ));
                    if let Some(span) = option.name_span {
                        problem = problem.at(span);
                    }
                    if let Some(span) = first.name_span {
                        problem = problem.related(span, "it is set here");
                    }
                    self.problems.push(problem);
                }
            }
        }
        draft.blocks.extend(more.blocks);
        draft.place = draft.place.or(more.place);
    }
}

/// What a body may hold. An open schema takes whatever is there.
fn content_schema(body: &BoundBody, schema: &Schema, ignored: &[&str]) -> ContentSchema {
    let attribute = |name: &str| AttributeRule {
        name: name.to_owned(),
        required: false,
    };
    let block = |kind: &str, labels: usize| BlockRule {
        kind: kind.to_owned(),
        labels: (0..labels).map(|index| format!("label {index}")).collect(),
    };
    let mut rules = ContentSchema {
        attributes: schema
            .attributes
            .iter()
            .map(|rule| attribute(&rule.name))
            .collect(),
        blocks: schema
            .blocks
            .iter()
            .map(|rule| block(&rule.name, 0))
            .collect(),
    };
    let declares = |rules: &ContentSchema, name: &str| {
        rules.attributes.iter().any(|rule| rule.name == name)
            || rules.blocks.iter().any(|rule| rule.kind == name)
    };
    for name in ignored {
        if !declares(&rules, name) {
            rules.attributes.push(attribute(name));
        }
    }
    if !schema.open {
        return rules;
    }
    match &*body.body {
        Body::Native(native) => {
            for extra in &native.attributes {
                if !declares(&rules, &extra.name.name) {
                    rules.attributes.push(attribute(&extra.name.name));
                }
            }
            for extra in &native.blocks {
                let (kind, labels) = match extra.labels.first() {
                    Some(label) if extra.kind.name == "dynamic" => (&label.name, 0),
                    _ => (&extra.kind.name, extra.labels.len()),
                };
                if !declares(&rules, kind) {
                    rules.blocks.push(block(kind, labels));
                }
            }
        }
        Body::Json(value) => {
            if let host_syntax::json::Kind::Object(members) = &value.kind {
                let names = members.iter().map(|member| member.key.as_str());
                for name in names.filter(|name| !matches!(*name, "//" | "dynamic")) {
                    if !declares(&rules, name) {
                        rules.attributes.push(attribute(name));
                    }
                }
            }
        }
    }
    rules
}

/// The places of a value's parts, as far as the expression shows them.
fn expression_spans(expr: &Expr, path: &mut Vec<PathStep>, spans: &mut Vec<(Vec<PathStep>, Span)>) {
    spans.push((path.clone(), expr.span));
    match &expr.kind {
        ExprKind::Parens(inner) => expression_spans(inner, path, spans),
        ExprKind::Tuple(parts) => {
            for (index, part) in parts.iter().enumerate() {
                path.push(PathStep::Index(index));
                expression_spans(part, path, spans);
                path.pop();
            }
        }
        ExprKind::Object(items) => {
            for item in items {
                let ExprKind::String(key) = &item.key.kind else {
                    continue;
                };
                path.push(PathStep::Attribute(key.clone()));
                expression_spans(&item.value, path, spans);
                path.pop();
            }
        }
        _ => {}
    }
}
