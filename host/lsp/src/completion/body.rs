//! Options and blocks.

use std::ops::Range;

use host_template::{Primitive, Schema, Type};
use lsp_types::CompletionItemKind;

use super::{Candidate, Insert, Place};
use crate::describe;
use crate::documents::Kind;
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
    let behind = place.text()[word.end..].trim_start_matches([' ', '\t']);
    let writing = Writing {
        named: behind.starts_with(['=', '{', '"']),
        set: set_names(items, word),
    };
    if path.is_empty() && place.kind == Kind::Values {
        return variables(place.folder, &writing);
    }
    let mut found = Vec::new();
    if let [block] = path
        && block.kind == "module"
    {
        let module = place.folder.module(block.label(0), place.documents);
        found.extend(module.iter().flat_map(|module| variables(module, &writing)));
    }
    let Some(contents) = place.catalog.contents(path) else {
        return found;
    };
    let arguments = contents.arguments.iter().chain(contents.instances);
    for entry in arguments.filter(|entry| !writing.has(entry.name)) {
        found.push(argument(entry, &writing));
    }
    found.extend(contents.blocks.iter().map(|entry| block(entry, &writing)));
    if let Some(schema) = contents.schema {
        found.extend(of_schema(schema, &writing));
        let nested_kind = path.last().map_or("", |block| &block.kind);
        if !schema.blocks.is_empty() && nested_kind != "dynamic" {
            let entry = crate::language::TOP_LEVEL
                .iter()
                .find(|one| one.name == "dynamic");
            found.extend(entry.map(|entry| block(entry, &writing).rank(8)));
        }
    }
    found
}

/// What is there already.
struct Writing {
    /// Whether a value, label or body stands behind the name.
    named: bool,
    set: Vec<String>,
}

impl Writing {
    fn has(&self, name: &str) -> bool {
        self.set.iter().any(|set| set == name)
    }

    /// The name with a value or body, or alone when it has them.
    fn insert(&self, name: &str, snippet: &str, plain: &str) -> Insert {
        if self.named {
            Insert::Plain(name.to_owned())
        } else {
            Insert::Snippet(format!("{name}{snippet}"), format!("{name}{plain}"))
        }
    }
}

/// The names in a body, but not the one at the cursor.
fn set_names(items: &[Item], word: &Range<usize>) -> Vec<String> {
    let attributes = attributes(items).map(|one| (&one.name, one.name_range.start));
    let blocks = blocks(items).filter(|block| block.body.is_some());
    let blocks = blocks.map(|one| (&one.kind, one.kind_range.start));
    attributes
        .chain(blocks)
        .filter(|(_, start)| *start != word.start)
        .map(|(name, _)| name.clone())
        .collect()
}

fn variables(folder: &crate::folder::Folder, writing: &Writing) -> Vec<Candidate> {
    folder
        .declared(SymbolKind::Variable)
        .filter(|variable| !writing.has(&variable.name))
        .map(|variable| {
            let required = variable.fact("default").is_none();
            Candidate::new(&*variable.name, CompletionItemKind::VARIABLE)
                .about(
                    variable.fact("type").unwrap_or_default(),
                    describe::declaration(variable),
                )
                .rank(if required { 0 } else { 3 })
                .insert(writing.insert(&variable.name, " = $0", " = "))
        })
        .collect()
}

fn argument(entry: &Entry, writing: &Writing) -> Candidate {
    let value = match entry.form {
        "string" | "duration" => " = \"$0\"",
        "bool" => " = ${1|true,false|}",
        form if form.starts_with("list") => " = [$0]",
        form if form.starts_with("object") || form.starts_with("map of") => " = {\n\t$0\n}",
        _ => " = $0",
    };
    Candidate::new(entry.name, CompletionItemKind::PROPERTY)
        .about(entry.form, describe::entry(entry))
        .rank(6)
        .insert(writing.insert(entry.name, value, " = "))
}

fn block(entry: &Entry, writing: &Writing) -> Candidate {
    Candidate::new(entry.name, CompletionItemKind::CLASS)
        .about("block", describe::entry(entry))
        .rank(4)
        .insert(writing.insert(entry.name, entry.form, " "))
}

fn of_schema(schema: &Schema, writing: &Writing) -> Vec<Candidate> {
    let mut found = Vec::new();
    for option in schema
        .attributes
        .iter()
        .filter(|one| !writing.has(&one.name))
    {
        let detail = match option.required {
            true => format!("{}, required", option.ty.name()),
            false => option.ty.name(),
        };
        let snippet = value_snippet(&option.ty, &option.choices);
        let mut candidate = Candidate::new(&*option.name, CompletionItemKind::PROPERTY)
            .about(detail, describe::option(option))
            .rank(if option.required { 0 } else { 3 })
            .insert(writing.insert(&option.name, &snippet, " = "));
        if !option.deprecated.is_empty() {
            (candidate.deprecated, candidate.rank) = (true, 9);
        }
        found.push(candidate);
    }
    let nested = schema.blocks.iter();
    for block in nested.filter(|block| block.repeated || !writing.has(&block.name)) {
        found.push(
            Candidate::new(&*block.name, CompletionItemKind::CLASS)
                .about("block", describe::block(block))
                .rank(if block.required { 0 } else { 4 })
                .insert(writing.insert(&block.name, " {\n\t$0\n}", " ")),
        );
    }
    found
}

fn value_snippet(ty: &Type, choices: &[String]) -> String {
    if !choices.is_empty() && matches!(ty, Type::Primitive(_)) {
        let plain = choices
            .iter()
            .all(|one| !one.contains([',', '|', '}', '$', '\\', '"']));
        return match plain {
            true => format!(" = \"${{1|{}|}}\"", choices.join(",")),
            false => " = \"$0\"".to_owned(),
        };
    }
    match ty {
        Type::Primitive(Primitive::Bool) => " = ${1|true,false|}",
        Type::Primitive(Primitive::String | Primitive::Duration) => " = \"$0\"",
        Type::Primitive(_) => " = $0",
        Type::List(_) => " = [$0]",
        Type::Map(_) | Type::Object(_) => " = {\n\t$0\n}",
    }
    .to_owned()
}
