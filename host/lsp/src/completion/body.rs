//! Options and blocks.

use std::ops::Range;

use host_template::Schema;
use lsp_types::CompletionItemKind;

use super::writing::{Shape, Writing};
use super::{Candidate, Place, source_names};
use crate::describe;
use crate::language::Entry;
use crate::outline::{Block, Item, attributes, blocks};
use crate::symbols::SymbolKind;

/// What can stand in the innermost block of `path`. What `items` have already is left out.
pub(super) fn candidates(
    place: &Place<'_>,
    path: &[&Block],
    items: &[Item],
    word: &Range<usize>,
) -> Vec<Candidate> {
    let writing = Writing::at(place, word);
    let set = Set(set_names(items, word));
    if path.is_empty() && place.kind.is_values() {
        return variables(place.folder, &writing, &set);
    }
    if path.last().is_some_and(|block| block.kind == "override") {
        return sources(place, &writing, &set);
    }
    let mut found = Vec::new();
    if let [block] = path
        && block.kind == "module"
    {
        let module = place.folder.module(block.label(0), place.documents);
        found.extend(
            module
                .iter()
                .flat_map(|module| variables(module, &writing, &set)),
        );
    }
    let Some(contents) = place.contents(path) else {
        return found;
    };
    let arguments = contents.arguments.iter().chain(contents.instances);
    for entry in arguments.filter(|entry| !set.has(entry.name)) {
        found.push(argument(entry, &writing));
    }
    found.extend(contents.blocks.iter().map(|entry| block(entry, &writing)));
    if let Some(schema) = contents.schema {
        found.extend(of_schema(schema, &writing, &set));
        let nested_kind = path.last().map_or("", |block| &block.kind);
        if !schema.blocks.is_empty() && nested_kind != "dynamic" && !place.kind.is_legacy() {
            let entry = crate::language::TOP_LEVEL
                .iter()
                .find(|one| one.name == "dynamic");
            found.extend(entry.map(|entry| block(entry, &writing).rank(8)));
        }
    }
    found
}

/// The names that are there already.
struct Set(Vec<String>);

impl Set {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|set| set == name)
    }
}

/// What an override can be for.
fn sources(place: &Place<'_>, writing: &Writing, set: &Set) -> Vec<Candidate> {
    let names = source_names(place).into_iter();
    names
        .map(|name| name.trim_start_matches("source.").to_owned())
        .filter(|name| !set.has(name))
        .map(|name| {
            let insert = writing.insert(&name, &Shape::Object);
            Candidate::new(name, CompletionItemKind::REFERENCE).insert(insert)
        })
        .collect()
}

/// The names in a body, but not the one at the cursor.
fn set_names(items: &[Item], word: &Range<usize>) -> Vec<String> {
    let attributes = attributes(items).map(|one| (&one.name, one.name_range.start));
    let blocks = blocks(items).filter(|block| block.body.is_some());
    let blocks = blocks.map(|one| (&one.kind, one.kind_range.start));
    attributes
        .chain(blocks)
        .filter(|(_, start)| !(word.start..=word.end).contains(start))
        .map(|(name, _)| name.clone())
        .collect()
}

fn variables(folder: &crate::folder::Folder, writing: &Writing, set: &Set) -> Vec<Candidate> {
    folder
        .declared(SymbolKind::Variable)
        .filter(|variable| !set.has(&variable.name))
        .map(|variable| {
            let required = variable.fact("default").is_none();
            Candidate::new(&*variable.name, CompletionItemKind::VARIABLE)
                .about(
                    variable.fact("type").unwrap_or_default(),
                    describe::declaration(variable),
                )
                .rank(if required { 0 } else { 3 })
                .insert(writing.insert(&variable.name, &Shape::Any))
        })
        .collect()
}

fn argument(entry: &Entry, writing: &Writing) -> Candidate {
    Candidate::new(entry.name, CompletionItemKind::PROPERTY)
        .about(entry.form, describe::entry(entry))
        .rank(6)
        .insert(writing.insert(entry.name, &Shape::of_entry(entry)))
}

fn block(entry: &Entry, writing: &Writing) -> Candidate {
    Candidate::new(entry.name, CompletionItemKind::CLASS)
        .about("block", describe::entry(entry))
        .rank(4)
        .insert(writing.insert(entry.name, &Shape::of_block(entry)))
}

fn of_schema(schema: &Schema, writing: &Writing, set: &Set) -> Vec<Candidate> {
    let mut found = Vec::new();
    for option in schema.attributes.iter().filter(|one| !set.has(&one.name)) {
        let detail = match option.required {
            true => format!("{}, required", option.ty.name()),
            false => option.ty.name(),
        };
        let shape = Shape::of_option(&option.ty, &option.choices);
        let mut candidate = Candidate::new(&*option.name, CompletionItemKind::PROPERTY)
            .about(detail, describe::option(option))
            .rank(if option.required { 0 } else { 3 })
            .insert(writing.insert(&option.name, &shape));
        if !option.deprecated.is_empty() {
            (candidate.deprecated, candidate.rank) = (true, 9);
        }
        found.push(candidate);
    }
    let nested = schema.blocks.iter();
    for block in nested.filter(|block| block.repeated || !set.has(&block.name)) {
        found.push(
            Candidate::new(&*block.name, CompletionItemKind::CLASS)
                .about("block", describe::block(block))
                .rank(if block.required { 0 } else { 4 })
                .insert(writing.insert(&block.name, &Shape::Block(0, ""))),
        );
    }
    found
}
