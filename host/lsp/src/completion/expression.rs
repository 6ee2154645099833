//! Expressions.

use std::collections::BTreeSet;
use std::ops::Range;

use host_template::{ComponentKind, Components, Primitive, Type};
use lsp_types::CompletionItemKind;

use super::{Candidate, Insert, Place, call, is_within, source_names};
use crate::catalog::component_of;
use crate::describe;
use crate::documents::Kind;
use crate::language::{self, Entry, legacy};
use crate::outline::{Attribute, Block, Typed};
use crate::symbols::SymbolKind;

/// What can stand in the value of `attribute`, and what it replaces.
pub(super) fn candidates(
    place: &Place<'_>,
    path: &[&Block],
    attribute: &Attribute,
    typed: Typed,
) -> (Range<usize>, Vec<Candidate>) {
    match typed {
        Typed::Text(range) => {
            let texts = texts(place, path, attribute).into_iter();
            let found = texts.map(|text| Candidate::new(text, CompletionItemKind::VALUE));
            (range, found.collect())
        }
        Typed::Bare { last } => {
            let found = bare(place, path, attribute, &last);
            (last, found)
        }
        Typed::Call { last } => (last, call::functions()),
        Typed::Argument { function, last } => (last, call::arguments(place, &function)),
        Typed::Code { before, last } => {
            let found = match before.as_slice() {
                [] => beginnings(place, path, attribute, &last),
                [root, rest @ ..] => members(place, path, root, rest),
            };
            (last, found)
        }
    }
}

/// The texts that mean something here.
fn texts(place: &Place<'_>, path: &[&Block], attribute: &Attribute) -> Vec<String> {
    let block = path.last().map_or("", |block| block.kind.as_str());
    let bare = |name: String| name.trim_start_matches("source.").to_owned();
    match (attribute.name.as_str(), block) {
        ("sources", "build") => source_names(place),
        ("type", _) if place.kind.is_legacy() => component_names(place, path),
        ("post-processors", "") if place.kind.is_legacy() => {
            place.catalog.names(ComponentKind::PostProcessor)
        }
        ("sensitive-variables", "") if place.kind.is_legacy() => {
            let variables = place.folder.declared(SymbolKind::Variable);
            variables.map(|variable| variable.name.clone()).collect()
        }
        ("only" | "except", "provisioners" | "post-processors") => source_names(place),
        ("only" | "except", "provisioner" | "post-processor" | "error-cleanup-provisioner") => {
            source_names(place).into_iter().map(bare).collect()
        }
        (name, _) => choices(place, path, name),
    }
}

fn choices(place: &Place<'_>, path: &[&Block], name: &str) -> Vec<String> {
    let contents = place.contents(path).filter(|_| !path.is_empty());
    let schema = contents.and_then(|contents| contents.schema);
    let option = schema.and_then(|schema| schema.attributes.iter().find(|one| one.name == name));
    option
        .map(|option| option.choices.clone())
        .unwrap_or_default()
}

/// The components that the innermost block of `path` can be.
fn component_names(place: &Place<'_>, path: &[&Block]) -> Vec<String> {
    let kind = path
        .split_last()
        .and_then(|(block, outer)| component_of(&block.kind, outer));
    kind.map(|kind| place.catalog.names(kind))
        .unwrap_or_default()
}

/// A value without quotes in JSON or YAML.
fn bare(
    place: &Place<'_>,
    path: &[&Block],
    attribute: &Attribute,
    last: &Range<usize>,
) -> Vec<Candidate> {
    let before = place.text()[attribute.value.start.min(last.start)..last.start].trim_end();
    let in_list = before.contains('[') || before.ends_with('-');
    let lists = matches!(
        &*attribute.name,
        "sources" | "only" | "except" | "sensitive-variables"
    );
    let mut found: Vec<Candidate> = texts(place, path, attribute)
        .into_iter()
        .map(|text| {
            let quoted = match place.kind.is_yaml() {
                // Without quotes it would be no text.
                true if text != "null" => text.clone(),
                _ => format!("\"{text}\""),
            };
            let insert = match lists && !in_list {
                true => format!("[{quoted}]"),
                false => quoted,
            };
            Candidate::new(text, CompletionItemKind::VALUE)
                .rank(0)
                .insert(Insert::Plain(insert))
        })
        .collect();
    let is_section = path.is_empty() && legacy::of_section(&attribute.name).is_some();
    if is_section && place.kind == Kind::LegacyJson {
        let snippet = "{\n\t\"type\": \"$0\"\n}".to_owned();
        let insert = Insert::Snippet(snippet, "{ \"type\": ".to_owned());
        found.push(Candidate::new("type", CompletionItemKind::PROPERTY).insert(insert));
    }
    if is_bool(place, path, &attribute.name) {
        for word in ["true", "false"] {
            found.push(Candidate::new(word, CompletionItemKind::KEYWORD).rank(0));
        }
    }
    found
}

/// What an expression can begin with.
fn beginnings(
    place: &Place<'_>,
    path: &[&Block],
    attribute: &Attribute,
    word: &Range<usize>,
) -> Vec<Candidate> {
    let text = place.text();
    let outer = path.last().map_or("", |block| block.kind.as_str());
    if attribute.name == "type" && outer == "variable" {
        return language::TYPES.iter().map(type_word).collect();
    }
    let texts = texts(place, path, attribute);
    let in_list = text[attribute.value.start..word.start].contains('[');
    let lists = matches!(&*attribute.name, "sources" | "only" | "except");
    let mut found: Vec<Candidate> = texts
        .into_iter()
        .map(|text| match lists && !in_list {
            true => format!("[\"{text}\"]"),
            false => format!("\"{text}\""),
        })
        .map(|text| Candidate::new(text, CompletionItemKind::VALUE).rank(0))
        .collect();
    let rank = if is_bool(place, path, &attribute.name) {
        0
    } else {
        7
    };
    for word in ["true", "false", "null"] {
        found.push(Candidate::new(word, CompletionItemKind::KEYWORD).rank(rank));
    }
    if place.kind.is_values() {
        return found;
    }
    let default = matches!((&*attribute.name, outer), ("default", "variable"));
    if default || outer == "variables" {
        found.extend(functions(text, word).filter(|one| one.label == "env"));
        return found;
    }
    let roots = language::ROOTS
        .iter()
        .filter(|root| is_visible(path, root.name));
    found.extend(roots.map(|root| {
        Candidate::new(root.name, CompletionItemKind::VARIABLE)
            .about(root.form, root.doc)
            .rank(2)
    }));
    let iterators = iterators(path).into_iter();
    found.extend(iterators.map(|name| {
        Candidate::new(name, CompletionItemKind::VARIABLE)
            .about("object", "The element of the dynamic block.")
            .rank(1)
    }));
    found.extend(functions(text, word).filter(|one| one.label != "env"));
    found
}

/// Whether a name means something here.
fn is_visible(path: &[&Block], name: &str) -> bool {
    let repeated = |argument: &str| path.iter().any(|block| block.attribute(argument).is_some());
    match name {
        "source" | "build" => is_within(path, "build"),
        "each" => repeated("for_each"),
        "count" => repeated("count"),
        _ => true,
    }
}

fn is_bool(place: &Place<'_>, path: &[&Block], name: &str) -> bool {
    let Some(contents) = place.contents(path) else {
        return false;
    };
    let fixed = contents.arguments.iter().find(|entry| entry.name == name);
    let schema = contents.schema.and_then(|schema| {
        let options = &schema.attributes;
        options.iter().find(|option| option.name == name)
    });
    fixed.is_some_and(|entry| entry.form == "bool")
        || schema.is_some_and(|option| option.ty == Type::Primitive(Primitive::Bool))
}

/// The names that dynamic blocks around bind.
fn iterators(path: &[&Block]) -> Vec<String> {
    path.iter()
        .filter(|block| block.kind == "dynamic")
        .map(|block| block.label(0).to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn functions(text: &str, word: &Range<usize>) -> impl Iterator<Item = Candidate> {
    let called = text[word.end..].starts_with('(');
    host_eval::functions().iter().map(move |function| {
        let candidate = Candidate::new(function.name, CompletionItemKind::FUNCTION)
            .about(&*function.signature, describe::function(function));
        let none = function.signature.contains("()");
        match (called, none) {
            (true, _) => candidate,
            (false, true) => candidate.insert(Insert::Plain(format!("{}()", function.name))),
            (false, false) => candidate.insert(Insert::Snippet(
                format!("{}($0)", function.name),
                format!("{}(", function.name),
            )),
        }
    })
}

fn type_word(entry: &Entry) -> Candidate {
    let candidate = Candidate::new(entry.name, CompletionItemKind::STRUCT).about("type", entry.doc);
    match entry.form {
        "type" => candidate,
        form => candidate.insert(Insert::Snippet(
            format!("{}{form}", entry.name),
            format!("{}(", entry.name),
        )),
    }
}

/// What can stand behind `root.` and the names in `rest`.
fn members(place: &Place<'_>, path: &[&Block], root: &str, rest: &[String]) -> Vec<Candidate> {
    let declared = |kind: SymbolKind| -> Vec<Candidate> {
        let all = place.folder.declared(kind);
        all.map(|one| {
            Candidate::new(&*one.name, CompletionItemKind::VARIABLE).about(
                one.fact("type").unwrap_or_default(),
                describe::declaration(one),
            )
        })
        .collect()
    };
    match (root, rest) {
        ("var", []) => declared(SymbolKind::Variable),
        ("local", []) => declared(SymbolKind::Local),
        ("module", []) => declared(SymbolKind::Module),
        ("module", [name]) => module_outputs(place, name),
        ("data", rest) => data(place, rest),
        (root, []) => {
            let iterator = iterators(path).iter().any(|name| name == root);
            let found = language::members(if iterator { "each" } else { root });
            let found = found.iter();
            found
                .map(|entry| {
                    Candidate::new(entry.name, CompletionItemKind::FIELD)
                        .about(entry.form, entry.doc)
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn module_outputs(place: &Place<'_>, name: &str) -> Vec<Candidate> {
    let Some(module) = place.folder.module(name, place.documents) else {
        return Vec::new();
    };
    let outputs = module.declared(SymbolKind::Output);
    outputs
        .map(|output| {
            Candidate::new(&*output.name, CompletionItemKind::FIELD)
                .about("output", describe::declaration(output))
        })
        .collect()
}

fn data(place: &Place<'_>, rest: &[String]) -> Vec<Candidate> {
    let names = || {
        let all = place.folder.declared(SymbolKind::Data);
        all.filter_map(|data| data.name.split_once('.'))
    };
    let distinct = |names: BTreeSet<&str>| -> Vec<Candidate> {
        let names = names.into_iter();
        names
            .map(|name| Candidate::new(name, CompletionItemKind::FIELD))
            .collect()
    };
    match rest {
        [] => distinct(names().map(|(type_name, _)| type_name).collect()),
        [wanted] => {
            let own = names().filter(|(type_name, _)| type_name == wanted);
            distinct(own.map(|(_, name)| name).collect())
        }
        [type_name, _] => {
            let schema = place.catalog.schema(ComponentKind::DataSource, type_name);
            let outputs = schema.iter().flat_map(|schema| &schema.outputs);
            outputs
                .map(|output| {
                    Candidate::new(&*output.name, CompletionItemKind::FIELD)
                        .about(output.ty.name(), describe::option(output))
                })
                .collect()
        }
        _ => Vec::new(),
    }
}
