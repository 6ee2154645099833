//! `dynamic` blocks, which stand for others.
//!
//! A dynamic block is replaced when the body around it is read; the blocks it makes remember the
//! names that their `for_each` bound. So it works at every depth, without rewriting any syntax.

use std::sync::Arc;

use bigdecimal::BigDecimal;
use host_diag::{Diagnostic, Diagnostics};
use host_eval::{Scope, Type, Value, convert, evaluate};
use host_syntax::ast::{Body, Expr, ExprKind, Ident};
use host_syntax::{AttributeRule, BlockRule, ContentSchema};

use crate::hcl::bound::{Bindings, BoundBlock, BoundBody};
use crate::hcl::scope::in_block;

/// Most blocks that one `dynamic` block makes, those around it counted: nested ones multiply.
const LIMIT: usize = 10_000;

/// The rule under which `dynamic` blocks are read.
pub(crate) fn dynamic_rule() -> BlockRule {
    BlockRule {
        kind: "dynamic".into(),
        labels: vec!["type".into()],
    }
}

/// `blocks` with every `dynamic` one replaced by what it stands for.
pub(crate) fn expand(
    blocks: Vec<BoundBlock>,
    bindings: Option<&Arc<Bindings>>,
    schema: &ContentSchema,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Vec<BoundBlock> {
    let mut expanded = Vec::with_capacity(blocks.len());
    for block in blocks {
        let declared = schema.blocks.iter().any(|rule| rule.kind == "dynamic");
        if block.kind.name != "dynamic" || declared {
            expanded.push(block.rebound(bindings));
            continue;
        }
        let header = block.header_text();
        let mut found = Diagnostics::new();
        let made = expand_one(&block, bindings, schema, scope, &mut found);
        problems.extend(in_block(found, &header));
        expanded.extend(made.unwrap_or_default());
    }
    expanded
}

/// What one dynamic block says.
struct Dynamic {
    kind: Ident,
    iterator: String,
    for_each: Value,
    labels: Option<Expr>,
    content: Arc<Body>,
}

fn expand_one(
    block: &BoundBlock,
    bindings: Option<&Arc<Bindings>>,
    schema: &ContentSchema,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<Vec<BoundBlock>> {
    let kind = block.labels.first()?;
    let Some(rule) = schema.blocks.iter().find(|rule| rule.kind == kind.name) else {
        let names = schema.blocks.iter().map(|rule| rule.kind.as_str());
        problems.push(
            Diagnostic::error("Unsupported block type")
                .detail(format!(
                    "Blocks of type \"{}\" are not expected here.",
                    kind.name
                ))
                .at(kind.span)
                .hint(
                    host_diag::nearest(&kind.name, names).map(|n| format!("Did you mean `{n}`?")),
                ),
        );
        return None;
    };
    let outer = BoundBody {
        body: Arc::clone(&block.body.body),
        bindings: bindings.cloned(),
    };
    let scope = outer.scope(scope);
    let dynamic = read_dynamic(block, kind, &scope, problems)?;
    let around = bindings
        .map(|bindings| Bindings::clone(bindings))
        .unwrap_or_default();
    let rounds = iterations(&dynamic.for_each);
    let copies = around.copies.saturating_mul(rounds.len());
    if copies > LIMIT {
        problems.push(too_many(rounds.len(), around.copies, block));
        return None;
    }
    let mut made = Vec::with_capacity(rounds.len());
    for (key, value) in rounds {
        let mut inner = around.clone();
        inner.copies = copies;
        let sensitive = dynamic.for_each.sensitive;
        let each = Value::object_of([
            ("key", key.marked_like(sensitive)),
            ("value", value.marked_like(sensitive)),
        ]);
        inner.names.insert(dynamic.iterator.clone(), each);
        let body = BoundBody {
            body: Arc::clone(&dynamic.content),
            bindings: Some(Arc::new(inner)),
        };
        let labels = match &dynamic.labels {
            Some(labels) => read_labels(labels, &body.scope(&scope), problems)?,
            None => Vec::new(),
        };
        if labels.len() != rule.labels.len() {
            problems.push(wrong_labels(rule, labels.len(), block));
            return None;
        }
        made.push(BoundBlock {
            kind: dynamic.kind.clone(),
            labels,
            body,
            header: block.header,
            instance: None,
        });
    }
    Some(made)
}

fn too_many(rounds: usize, around: usize, block: &BoundBlock) -> Diagnostic {
    let nested = match around {
        1 => String::new(),
        _ => format!(" in each of {around} blocks around it"),
    };
    Diagnostic::error("Too many dynamic blocks")
        .detail(format!(
            "A dynamic block makes at most {LIMIT} blocks; this one makes {rounds}{nested}."
        ))
        .at(block.header)
}

fn wrong_labels(rule: &BlockRule, given: usize, block: &BoundBlock) -> Diagnostic {
    Diagnostic::error("Invalid dynamic block labels")
        .detail(format!(
            "A block of type \"{}\" has {} labels ({}); `labels` gives {given}.",
            rule.kind,
            rule.labels.len(),
            rule.labels.join(", ")
        ))
        .at(block.header)
}

fn read_dynamic(
    block: &BoundBlock,
    kind: &Ident,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<Dynamic> {
    let rule = |name: &str, required| AttributeRule {
        name: name.into(),
        required,
    };
    let schema = ContentSchema {
        attributes: vec![
            rule("for_each", true),
            rule("iterator", false),
            rule("labels", false),
        ],
        blocks: vec![BlockRule {
            kind: "content".into(),
            labels: Vec::new(),
        }],
    };
    let (mut content, found) = block.body.body.content(&schema);
    problems.extend(found);
    let attribute = |name: &str| content.attributes.iter().find(|a| a.name.name == name);
    let iterator = match attribute("iterator").map(|attribute| &attribute.expr) {
        None => kind.name.clone(),
        Some(Expr {
            kind: ExprKind::Variable(name) | ExprKind::String(name),
            ..
        }) => name.clone(),
        Some(other) => {
            problems.push(
                Diagnostic::error("Invalid dynamic iterator name")
                    .detail("`iterator` takes one bare word, such as `iterator = disk`.")
                    .at(other.span),
            );
            return None;
        }
    };
    let labels = attribute("labels").map(|attribute| attribute.expr.clone());
    let for_each = read_collection(&attribute("for_each")?.expr, scope, problems)?;
    if content.blocks.len() != 1 {
        let (summary, place) = match content.blocks.get(1) {
            None => ("Missing dynamic content block", block.header),
            Some(second) => ("Extraneous dynamic content block", second.header),
        };
        problems.push(
            Diagnostic::error(summary)
                .detail("A dynamic block must have exactly one nested block of type \"content\".")
                .at(place),
        );
        return None;
    }
    let content = Arc::new(content.blocks.pop()?.body);
    Some(Dynamic {
        kind: kind.clone(),
        iterator,
        for_each,
        labels,
        content,
    })
}

/// The value of `for_each`: something with elements, or not known yet.
fn read_collection(expr: &Expr, scope: &Scope, problems: &mut Diagnostics) -> Option<Value> {
    let (value, found) = evaluate(expr, scope);
    let failed = found.iter().any(Diagnostic::is_error);
    problems.extend(found);
    if failed {
        return None;
    }
    if value.is_unknown() || value.as_sequence().is_some() || value.as_mapping().is_some() {
        return Some(value);
    }
    let detail = match value.is_null() {
        true => "Cannot use a null value in for_each.".to_owned(),
        false => format!(
            "Cannot use a {} value in for_each. An iterable collection is required.",
            value.ty.friendly_name()
        ),
    };
    let problem = Diagnostic::error("Invalid dynamic for_each value");
    problems.push(problem.detail(detail).at(expr.span));
    None
}

/// Key and value of each round. A collection that is not known yet makes one block of unknowns, so
/// that its content is checked all the same.
fn iterations(collection: &Value) -> Vec<(Value, Value)> {
    if let Some(entries) = collection.as_mapping() {
        let entries = entries.iter();
        return entries
            .map(|(key, value)| (Value::string(key.as_str()), value.clone()))
            .collect();
    }
    if let Some(items) = collection.as_sequence() {
        let is_set = matches!(collection.ty, Type::Set(_));
        let key = |index: usize, item: &Value| match is_set {
            true => item.clone(),
            false => Value::number(BigDecimal::from(u64::try_from(index).unwrap_or(u64::MAX))),
        };
        return items
            .iter()
            .enumerate()
            .map(|(i, item)| (key(i, item), item.clone()))
            .collect();
    }
    vec![(Value::dynamic(), Value::dynamic())]
}

fn read_labels(labels: &Expr, scope: &Scope, problems: &mut Diagnostics) -> Option<Vec<Ident>> {
    let (value, found) = evaluate(labels, scope);
    let failed = found.iter().any(Diagnostic::is_error);
    problems.extend(found);
    if failed {
        return None;
    }
    let texts = convert(value, &Type::list(Type::String)).ok();
    let names: Option<Vec<Ident>> = texts
        .as_ref()
        .and_then(Value::as_sequence)
        .and_then(|items| {
            let ident = |item: &Value| {
                Some(Ident {
                    name: item.as_str()?.to_owned(),
                    span: labels.span,
                })
            };
            items.iter().map(ident).collect()
        });
    if names.is_none() {
        problems.push(
            Diagnostic::error("Invalid dynamic block label")
                .detail("`labels` has to be a list of known texts.")
                .at(labels.span),
        );
    }
    names
}
