//! What can be written at the cursor.

mod body;
mod call;
mod expression;
mod label;
mod writing;

use std::ops::Range;

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemTag, CompletionTextEdit, Documentation,
    InsertTextFormat, MarkupContent, MarkupKind, TextEdit,
};

use crate::catalog::{Catalog, Contents};
use crate::documents::{Document, Documents, Kind};
use crate::folder::Folder;
use crate::outline::{Block, Cursor};
use crate::position::Encoding;

/// Where and about what is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) documents: &'a Documents,
    pub(crate) catalog: &'a Catalog,
    pub(crate) document: &'a Document,
    pub(crate) kind: Kind,
    /// The cursor's byte.
    pub(crate) at: usize,
}

impl<'a> Place<'a> {
    pub(crate) fn text(&self) -> &'a str {
        &self.document.text
    }

    /// What can stand in the innermost block of `path`.
    pub(crate) fn contents(&self, path: &[&Block]) -> Option<Contents<'a>> {
        match path.is_empty() && self.kind.is_legacy() {
            true => Some(Catalog::legacy_root()),
            false => self.catalog.contents(path),
        }
    }
}

/// Something that can be written.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) label: String,
    pub(crate) kind: CompletionItemKind,
    /// A few words behind the label.
    pub(crate) detail: String,
    /// Markdown.
    pub(crate) doc: String,
    pub(crate) insert: Insert,
    /// Candidates with a smaller number come first.
    pub(crate) rank: u8,
    pub(crate) deprecated: bool,
    /// What is typed to choose it, when that is not its label.
    pub(crate) typed_as: Option<String>,
}

/// What is written.
#[derive(Debug)]
pub(crate) enum Insert {
    Plain(String),
    /// The snippet, and what is written when the editor takes none.
    Snippet(String, String),
}

impl Candidate {
    pub(crate) fn new(label: impl Into<String>, kind: CompletionItemKind) -> Self {
        let label = label.into();
        Self {
            insert: Insert::Plain(label.clone()),
            label,
            kind,
            detail: String::new(),
            doc: String::new(),
            rank: 5,
            deprecated: false,
            typed_as: None,
        }
    }

    pub(crate) fn about(mut self, detail: impl Into<String>, doc: impl Into<String>) -> Self {
        self.detail = detail.into();
        self.doc = doc.into();
        self
    }

    pub(crate) fn rank(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }

    pub(crate) fn insert(mut self, insert: Insert) -> Self {
        self.insert = insert;
        self
    }
}

/// Everything that can be written at the cursor, and what it replaces.
pub(crate) fn complete(place: &Place<'_>) -> (Range<usize>, Vec<Candidate>) {
    let cursor = place.document.outline().cursor(place.text(), place.at);
    let (range, mut candidates) = candidates(place, cursor);
    // Editors compare what is replaced, quotes included.
    if place.text()[range.clone()].starts_with('"') {
        for candidate in &mut candidates {
            candidate.typed_as = Some(format!("\"{}\"", candidate.label));
        }
    }
    (range, candidates)
}

fn candidates(place: &Place<'_>, cursor: Cursor<'_>) -> (Range<usize>, Vec<Candidate>) {
    match cursor {
        Cursor::Nowhere => (place.at..place.at, Vec::new()),
        Cursor::Item { path, items, word } => {
            let candidates = body::candidates(place, &path, items, &word);
            (word, candidates)
        }
        Cursor::Label {
            path,
            block,
            index,
            range,
            quoted,
        } => {
            let at = label::At {
                index,
                range: &range,
                quoted,
            };
            let candidates = label::candidates(place, &path, block, &at);
            (range, candidates)
        }
        Cursor::Value {
            path,
            attribute,
            typed,
        } => expression::candidates(place, &path, attribute, typed),
    }
}

/// The sources of the folder as builds name them: `source.TYPE.NAME`; the builders of a legacy
/// template by name.
pub(crate) fn source_names(place: &Place<'_>) -> Vec<String> {
    if place.kind.is_legacy() {
        let builders = place.folder.declared(crate::symbols::SymbolKind::Builder);
        return builders.map(|builder| builder.name.clone()).collect();
    }
    let sources = place.folder.declared(crate::symbols::SymbolKind::Source);
    sources
        .map(|source| format!("source.{}", source.name))
        .collect()
}

/// Whether one of `path` is a block of this kind.
pub(crate) fn is_within(path: &[&Block], kind: &str) -> bool {
    path.iter().any(|block| block.kind == kind)
}

/// Candidates as the protocol has them.
pub(crate) fn items(
    document: &Document,
    (range, candidates): (Range<usize>, Vec<Candidate>),
    encoding: Encoding,
    snippets: bool,
) -> Vec<CompletionItem> {
    let range = document.lines().range(&document.text, &range, encoding);
    let candidates = candidates.into_iter();
    candidates
        .map(|candidate| {
            let (text, format) = match candidate.insert {
                Insert::Snippet(snippet, _) if snippets => (snippet, InsertTextFormat::SNIPPET),
                Insert::Snippet(_, text) | Insert::Plain(text) => {
                    (text, InsertTextFormat::PLAIN_TEXT)
                }
            };
            CompletionItem {
                sort_text: Some(format!("{}{}", candidate.rank, candidate.label)),
                filter_text: Some(
                    candidate
                        .typed_as
                        .unwrap_or_else(|| candidate.label.clone()),
                ),
                label: candidate.label,
                kind: Some(candidate.kind),
                detail: Some(candidate.detail).filter(|text| !text.is_empty()),
                documentation: Some(candidate.doc)
                    .filter(|text| !text.is_empty())
                    .map(markdown),
                tags: candidate
                    .deprecated
                    .then(|| vec![CompletionItemTag::DEPRECATED]),
                insert_text_format: Some(format),
                text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(range, text))),
                ..CompletionItem::default()
            }
        })
        .collect()
}

fn markdown(value: String) -> Documentation {
    Documentation::MarkupContent(MarkupContent {
        kind: MarkupKind::Markdown,
        value,
    })
}
