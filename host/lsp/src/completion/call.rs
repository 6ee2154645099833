//! Template calls in legacy templates: `{{ user "x" }}`.

use lsp_types::CompletionItemKind;

use super::{Candidate, Insert, Place};
use crate::describe;
use crate::language;
use crate::symbols::SymbolKind;

/// The functions there are.
pub(super) fn functions() -> Vec<Candidate> {
    language::legacy::CALLS
        .iter()
        .map(|entry| {
            let takes_name = matches!(entry.name, "user" | "env" | "build");
            let insert = match takes_name {
                true => {
                    Insert::Snippet(format!("{} `$0`", entry.name), format!("{} `", entry.name))
                }
                false => Insert::Plain(entry.name.to_owned()),
            };
            Candidate::new(entry.name, CompletionItemKind::FUNCTION)
                .about(entry.form, describe::call(entry))
                .rank(if entry.name == "user" { 0 } else { 5 })
                .insert(insert)
        })
        .collect()
}

/// What can stand between the quotes behind `function`.
pub(super) fn arguments(place: &Place<'_>, function: &str) -> Vec<Candidate> {
    match function {
        "user" => {
            let variables = place.folder.declared(SymbolKind::Variable);
            variables
                .map(|variable| {
                    Candidate::new(&*variable.name, CompletionItemKind::VARIABLE)
                        .about("variable", describe::declaration(variable))
                })
                .collect()
        }
        "build" => {
            let values = language::members("build").iter();
            let values = values.filter(|entry| entry.name != "name");
            values
                .map(|entry| {
                    Candidate::new(entry.name, CompletionItemKind::FIELD)
                        .about(entry.form, entry.doc)
                })
                .collect()
        }
        _ => Vec::new(),
    }
}
