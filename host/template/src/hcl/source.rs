//! `source` blocks, and how builds refer to them.

use std::collections::HashMap;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span};

use crate::hcl::bound::{BoundBlock, BoundBody};

/// A source as the template's top level has it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) body: Arc<BoundBody>,
    pub(crate) header: String,
    pub(crate) span: Span,
    /// Place of the type's label.
    pub(crate) type_span: Span,
}

/// Type and name of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SourceKey {
    pub(crate) type_name: String,
    pub(crate) name: String,
}

impl std::fmt::Display for SourceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.type_name, self.name)
    }
}

/// All sources by type and name.
pub(crate) type Sources = HashMap<SourceKey, Source>;

/// Adds the source that `block` describes; a second one of its name is an error.
pub(crate) fn declare(block: BoundBlock, sources: &mut Sources, problems: &mut Diagnostics) {
    let header = block.header_text();
    let key = SourceKey {
        type_name: block.label(0).to_owned(),
        name: block.label(1).to_owned(),
    };
    if let Some(first) = sources.get(&key) {
        problems.push(
            Diagnostic::error("Duplicate source block")
                .detail(format!("There is already a {header} block."))
                .at(block.header)
                .related(first.span, "the first one is here"),
        );
        return;
    }
    let type_span = block
        .labels
        .first()
        .map_or(block.header, |label| label.span);
    let (body, span) = (Arc::new(block.body), block.header);
    sources.insert(
        key,
        Source {
            body,
            header,
            span,
            type_span,
        },
    );
}

/// Reads `source.TYPE.NAME` or `TYPE.NAME`.
pub(crate) fn read_reference(
    text: &str,
    span: Span,
    problems: &mut Diagnostics,
) -> Option<SourceKey> {
    let parts: Vec<&str> = text.split('.').collect();
    let key = match parts.as_slice() {
        [type_name, name] | [_, type_name, name, ..]
            if !type_name.is_empty() && !name.is_empty() =>
        {
            Some(SourceKey {
                type_name: (*type_name).to_owned(),
                name: (*name).to_owned(),
            })
        }
        _ => None,
    };
    if key.is_none() {
        problems.push(
            Diagnostic::error("Invalid source reference")
                .detail(format!("`{text}` names no source."))
                .at(span)
                .hint("Write type and name of a source: `source.null.example`.".to_owned()),
        );
    }
    key
}

/// A reference to a source that does not exist.
pub(crate) fn unknown_source(key: &SourceKey, span: Span, sources: &Sources) -> Diagnostic {
    let mut known: Vec<String> = sources.keys().map(SourceKey::to_string).collect();
    known.sort();
    let near = host_diag::nearest(&key.to_string(), known.iter().map(String::as_str));
    Diagnostic::error(format!("Unknown source {key}"))
        .detail(format!(
            "Known: {}",
            if known.is_empty() {
                "none".into()
            } else {
                known.join(", ")
            }
        ))
        .at(span)
        .hint(near.map(|near| format!("Did you mean `{near}`?")))
}
