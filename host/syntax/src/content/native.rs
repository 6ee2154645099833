//! Bodies in HCL's own syntax.

use host_diag::{Diagnostic, Diagnostics, Span};

use super::problem::{extraneous_label, missing_label, unsupported_argument, unsupported_block};
use super::{BlockRule, Content, ContentSchema, Unknown};
use crate::ast::{Attribute, Block, NativeBody};

pub(super) fn content(
    body: &NativeBody,
    schema: &ContentSchema,
    unknown: Unknown,
) -> (Content, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let missing = Some(closing_place(body));
    let mut content = Content {
        missing,
        ..Content::default()
    };
    for attribute in &body.attributes {
        let name = &attribute.name.name;
        if schema.attributes.iter().any(|rule| rule.name == *name) {
            content.attributes.push(attribute.clone());
        } else if unknown == Unknown::Refused {
            diagnostics.push(unsupported_argument(name, schema).at(attribute.name.span));
        }
    }
    for block in &body.blocks {
        let Some(rule) = schema
            .blocks
            .iter()
            .find(|rule| rule.kind == block.kind.name)
        else {
            if unknown == Unknown::Refused {
                diagnostics.push(unsupported_block(&block.kind.name, schema).at(block.kind.span));
            }
            continue;
        };
        match label_problem(block, rule) {
            Some(problem) => diagnostics.push(problem),
            None => content.blocks.push(block.clone()),
        }
    }
    (content, diagnostics)
}

/// The closing brace, or the end of the file.
fn closing_place(body: &NativeBody) -> Span {
    Span {
        start: body.span.end,
        ..body.span
    }
}

fn label_problem(block: &Block, rule: &BlockRule) -> Option<Diagnostic> {
    if let Some(extra) = block.labels.get(rule.labels.len()) {
        return Some(
            extraneous_label(rule)
                .at(extra.span)
                .context(block.header_text()),
        );
    }
    (block.labels.len() < rule.labels.len()).then(|| {
        missing_label(rule, block.labels.len())
            .at(block.header)
            .context(block.header_text())
    })
}

pub(super) fn just_attributes(body: &NativeBody) -> (Vec<Attribute>, Diagnostics) {
    let unexpected = |block: &Block| {
        Diagnostic::error(format!("Unexpected \"{}\" block", block.kind.name))
            .detail("Blocks are not allowed here.")
            .hint(format!(
                "to set an argument, write `{} = …`",
                block.kind.name
            ))
            .at(block.kind.span)
    };
    (
        body.attributes.clone(),
        body.blocks.iter().map(unexpected).collect(),
    )
}
