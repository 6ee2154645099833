//! What the thing at the cursor is.

use std::ops::Range;

use host_template::Components;

use crate::catalog::component_of;
use crate::completion::Place;
use crate::describe;
use crate::language;
use crate::outline::{Block, Cursor, Typed};
use crate::symbols::SymbolKind;

/// What it is, as Markdown, with the place it is about.
pub(crate) fn hover(place: &Place<'_>) -> Option<(Range<usize>, String)> {
    if let Some((range, text)) = referred(place) {
        return Some((range, text));
    }
    let text = place.text();
    match place.document.outline().cursor(text, place.at) {
        Cursor::Item { path, word, .. } => {
            let name = text[word.clone()].trim_matches(['"', '\'']);
            let found = item(place, &path, name)?;
            Some((word, found))
        }
        Cursor::Label {
            path,
            block,
            index: 0,
            range,
            ..
        } => {
            let kind = component_of(&block.kind, &path)?;
            let name = block.label(0);
            let schema = place.catalog.schema(kind, name)?;
            Some((range, describe::component(kind, name, schema)))
        }
        Cursor::Value {
            path,
            typed: Typed::Code { before, last },
            ..
        } => {
            let found = in_code(place, &path, &before, &text[last.clone()])?;
            Some((last, found))
        }
        Cursor::Value {
            path,
            attribute,
            typed: Typed::Text(range) | Typed::Bare { last: range },
        } if attribute.name == "type" && place.kind.is_legacy() => {
            let (block, outer) = path.split_last()?;
            let kind = component_of(&block.kind, outer)?;
            let name = &text[range.clone()];
            let schema = place.catalog.schema(kind, name)?;
            Some((range, describe::component(kind, name, schema)))
        }
        Cursor::Value {
            typed: Typed::Call { last },
            ..
        } => {
            let name = &text[last.clone()];
            let entry = language::legacy::CALLS
                .iter()
                .find(|entry| entry.name == name)?;
            Some((last, describe::call(entry)))
        }
        _ => None,
    }
}

/// What a reference at the cursor refers to.
fn referred(place: &Place<'_>) -> Option<(Range<usize>, String)> {
    let folder = place.folder;
    let here = |range: &Range<usize>| range.start <= place.at && place.at <= range.end;
    let own = |file: usize| std::ptr::eq(&*folder.files[file].document, place.document);
    let mut usages = folder.usages.iter();
    let usage = usages.find(|usage| own(usage.file) && here(&usage.range))?;
    let declaration = folder.find(usage.kind, &usage.name)?;
    Some((usage.range.clone(), describe::declaration(declaration)))
}

/// An option or block by name.
fn item(place: &Place<'_>, path: &[&Block], name: &str) -> Option<String> {
    if path.is_empty() && place.kind.is_values() {
        return None;
    }
    if let [module] = path
        && module.kind == "module"
        && let Some(folder) = place.folder.module(module.label(0), place.documents)
        && let Some(variable) = folder.find(SymbolKind::Variable, name)
    {
        return Some(describe::declaration(variable));
    }
    if let [group] = path
        && let Some(kind) = match &*group.kind {
            "locals" => Some(SymbolKind::Local),
            "variables" => Some(SymbolKind::Variable),
            _ => None,
        }
    {
        return place.folder.find(kind, name).map(describe::declaration);
    }
    let contents = place.contents(path)?;
    if let Some(schema) = contents.schema {
        if let Some(option) = schema.attributes.iter().find(|option| option.name == name) {
            return Some(describe::option(option));
        }
        if let Some(block) = schema.blocks.iter().find(|block| block.name == name) {
            return Some(describe::block(block));
        }
    }
    let mut entries = contents
        .arguments
        .iter()
        .chain(contents.instances)
        .chain(contents.blocks);
    entries
        .find(|entry| entry.name == name)
        .map(describe::entry)
}

fn in_code(place: &Place<'_>, path: &[&Block], before: &[String], name: &str) -> Option<String> {
    match before {
        [] => {
            let function = host_eval::functions().iter().find(|one| one.name == name);
            let root = language::ROOTS.iter().find(|root| root.name == name);
            function
                .map(describe::function)
                .or_else(|| root.map(describe::entry))
        }
        [data, type_name, _] if data == "data" => {
            let kind = host_template::ComponentKind::DataSource;
            let schema = place.catalog.schema(kind, type_name)?;
            let output = schema.outputs.iter().find(|output| output.name == name)?;
            Some(describe::option(output))
        }
        [module, called] if module == "module" => {
            let folder = place.folder.module(called, place.documents)?;
            let output = folder.find(SymbolKind::Output, name)?;
            Some(describe::declaration(output))
        }
        [root] => {
            let dynamic = path
                .iter()
                .any(|one| one.kind == "dynamic" && one.label(0) == root);
            let members = language::members(if dynamic { "each" } else { root });
            let found = members.iter().find(|entry| entry.name == name);
            found.map(describe::entry)
        }
        _ => None,
    }
}
