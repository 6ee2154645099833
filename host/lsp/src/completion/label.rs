//! Labels: types of components, names of sources, kinds of blocks.

use std::ops::Range;

use host_template::Components;
use lsp_types::CompletionItemKind;

use super::writing::{Shape, Writing};
use super::{Candidate, Insert, Place, source_names};
use crate::catalog::component_of;
use crate::describe;
use crate::outline::Block;

/// A label.
pub(super) struct At<'a> {
    /// Which one.
    pub(super) index: usize,
    pub(super) range: &'a Range<usize>,
    /// Whether quotes stand around it that stay.
    pub(super) quoted: bool,
}

/// What a label of `block` can be.
pub(super) fn candidates(
    place: &Place<'_>,
    path: &[&Block],
    block: &Block,
    at: &At<'_>,
) -> Vec<Candidate> {
    if at.index > 0 {
        return Vec::new();
    }
    let mut found = if block.kind == "source" && !path.is_empty() {
        let names = source_names(place).into_iter();
        names
            .map(|name| Candidate::new(name, CompletionItemKind::REFERENCE))
            .collect()
    } else if block.kind == "dynamic" {
        block_kinds(place, path)
    } else {
        components(place, path, block)
    };
    if place.kind.is_data() {
        let writing = Writing::at(place, at.range);
        for candidate in &mut found {
            candidate.insert = writing.insert(&candidate.label, &Shape::Object);
        }
    } else if !at.quoted {
        for candidate in &mut found {
            candidate.insert = Insert::Plain(format!("\"{}\"", candidate.label));
        }
    }
    found
}

fn components(place: &Place<'_>, path: &[&Block], block: &Block) -> Vec<Candidate> {
    let Some(kind) = component_of(&block.kind, path) else {
        return Vec::new();
    };
    let names = place.catalog.names(kind).into_iter();
    names
        .map(|name| {
            let schema = place.catalog.schema(kind, &name);
            let doc = schema.map(|schema| describe::component(kind, &name, schema));
            Candidate::new(name, CompletionItemKind::MODULE)
                .about(describe::kind_name(kind), doc.unwrap_or_default())
        })
        .collect()
}

fn block_kinds(place: &Place<'_>, path: &[&Block]) -> Vec<Candidate> {
    let Some(contents) = place.contents(path) else {
        return Vec::new();
    };
    let fixed = contents.blocks.iter().map(|entry| entry.name);
    let nested = contents.schema.iter().flat_map(|schema| &schema.blocks);
    fixed
        .chain(nested.map(|block| block.name.as_str()))
        .filter(|name| *name != "dynamic")
        .map(|name| Candidate::new(name, CompletionItemKind::CLASS))
        .collect()
}
