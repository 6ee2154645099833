//! Where things are declared and used.

use std::ops::Range;
use std::path::Path;

use lsp_types::{
    DocumentSymbol, FoldingRange, FoldingRangeKind, Location, SymbolKind as Shown, Url,
};

use crate::completion::Place;
use crate::documents::Document;
use crate::folder::{File, Folder};
use crate::outline::{Cursor, Item, Typed};
use crate::position::Encoding;
use crate::symbols::SymbolKind;

/// How deep a file's tree is shown; programs that read JSON have limits of their own.
const DEEPEST_SYMBOL: usize = 20;

/// What stands at the cursor, when it has a name.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) kind: SymbolKind,
    pub(crate) name: String,
    /// The name at the cursor.
    pub(crate) name_range: Range<usize>,
}

/// A place in a file of a folder.
pub(crate) type Found<'a> = (&'a File, Range<usize>);

/// What is used or declared at the cursor.
pub(crate) fn target(place: &Place<'_>) -> Option<Target> {
    let folder = place.folder;
    let here = |range: &Range<usize>| range.start <= place.at && place.at <= range.end;
    let own = |file: usize| std::ptr::eq(&*folder.files[file].document, place.document);
    let usages = folder.usages.iter();
    let mut used = usages.filter(|usage| own(usage.file) && here(&usage.range));
    if let Some(usage) = used.next() {
        return Some(Target {
            kind: usage.kind,
            name: usage.name.clone(),
            name_range: usage.name_range.clone(),
        });
    }
    let declared = folder.declarations.iter();
    let mut declared = declared.filter(|one| own(one.file) && here(&one.name_range));
    declared.next().map(|declaration| Target {
        kind: declaration.kind,
        name: declaration.name.clone(),
        name_range: declaration.name_range.clone(),
    })
}

/// Where the thing at the cursor is declared.
pub(crate) fn definition(place: &Place<'_>, encoding: Encoding) -> Vec<Location> {
    let located = |folder: &Folder, kind: SymbolKind, name: &str| -> Vec<Location> {
        let declared = folder.declared(kind).filter(|one| one.name == name);
        declared
            .map(|one| location(&folder.files[one.file], &one.name_range, encoding))
            .collect()
    };
    if let Some(target) = target(place) {
        return located(place.folder, target.kind, &target.name);
    }
    let text = place.text();
    match place.document.outline().cursor(text, place.at) {
        Cursor::Value {
            typed: Typed::Code { before, last },
            ..
        } => match before.as_slice() {
            [module, name] if module == "module" => {
                let called = place.folder.module(name, place.documents);
                called.map_or_else(Vec::new, |called| {
                    located(&called, SymbolKind::Output, &text[last])
                })
            }
            _ => Vec::new(),
        },
        Cursor::Value {
            path, attribute, ..
        } => match path.as_slice() {
            [block] if block.kind == "module" && attribute.name == "source" => {
                let called = place.folder.module(block.label(0), place.documents);
                let first = called.as_ref().and_then(|called| called.files.first());
                let first = first.map(|file| location(file, &(0..0), encoding));
                first.into_iter().collect()
            }
            _ => Vec::new(),
        },
        Cursor::Item { path, word, .. } => match path.as_slice() {
            [block] if block.kind == "module" => {
                let called = place.folder.module(block.label(0), place.documents);
                let name = text[word].trim_matches('"');
                called.map_or_else(Vec::new, |called| {
                    located(&called, SymbolKind::Variable, name)
                })
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Every place that uses a name, and those that declare it when `declared`.
pub(crate) fn places<'a>(folder: &'a Folder, target: &Target, declared: bool) -> Vec<Found<'a>> {
    let same = |kind: SymbolKind, name: &str| kind == target.kind && name == target.name;
    let declarations = folder.declarations.iter();
    let declarations = declarations
        .filter(|one| declared && same(one.kind, &one.name))
        .map(|one| (one.file, one.name_range.clone()));
    let usages = folder.usages.iter();
    let usages = usages
        .filter(|one| same(one.kind, &one.name))
        .map(|one| (one.file, one.name_range.clone()));
    declarations
        .chain(usages)
        .map(|(file, range)| (&folder.files[file], range))
        .collect()
}

/// Whether a text can be a name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    first.is_some_and(|c| c.is_alphabetic() || c == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// A place as the protocol has it.
pub(crate) fn location(file: &File, range: &Range<usize>, encoding: Encoding) -> Location {
    let document = &file.document;
    let range = document.lines().range(&document.text, range, encoding);
    Location::new(file.url.clone(), range)
}

/// The address of a file on disk.
pub(crate) fn url_of(path: &Path) -> Option<Url> {
    Url::from_file_path(path).ok()
}

/// Blocks and attributes of a file as a tree.
pub(crate) fn document_symbols(document: &Document, encoding: Encoding) -> Vec<DocumentSymbol> {
    symbols(&document.outline().items, (document, encoding), 0)
}

fn symbols(
    items: &[Item],
    (document, encoding): (&Document, Encoding),
    depth: usize,
) -> Vec<DocumentSymbol> {
    if depth > DEEPEST_SYMBOL {
        return Vec::new();
    }
    let range = |range: &Range<usize>| document.lines().range(&document.text, range, encoding);
    items
        .iter()
        .filter_map(|item| {
            let (name, kind, whole, name_range, children) = match item {
                Item::Attribute(attribute) => (
                    attribute.name.clone(),
                    Shown::PROPERTY,
                    attribute.name_range.start..attribute.value.end,
                    attribute.name_range.clone(),
                    None,
                ),
                Item::Block(block) => {
                    let body = block.body.as_ref()?;
                    (
                        block.header(),
                        shown(&block.kind),
                        block.range.clone(),
                        block.selection(),
                        Some(symbols(&body.items, (document, encoding), depth + 1)),
                    )
                }
            };
            #[expect(deprecated, reason = "the field has to be there, with nothing in it")]
            Some(DocumentSymbol {
                name,
                detail: None,
                kind,
                tags: None,
                deprecated: None,
                range: range(&whole),
                selection_range: range(&name_range),
                children,
            })
        })
        .collect()
}

fn shown(kind: &str) -> Shown {
    match kind {
        "variable" | "variables" => Shown::VARIABLE,
        "local" | "locals" => Shown::CONSTANT,
        "source" => Shown::CLASS,
        "builders" => Shown::CLASS,
        "build" | "module" => Shown::MODULE,
        "data" => Shown::INTERFACE,
        "provisioner" | "post-processor" | "error-cleanup-provisioner" => Shown::METHOD,
        "provisioners" | "post-processors" => Shown::METHOD,
        _ => Shown::STRUCT,
    }
}

/// What can be folded: bodies of more than a line, and runs of comments.
pub(crate) fn folding(document: &Document) -> Vec<FoldingRange> {
    let line = |byte: usize| {
        let position = document
            .lines()
            .position(&document.text, byte, Encoding::Utf8);
        position.line
    };
    let mut found = Vec::new();
    fold_items(&document.outline().items, &line, &mut found);
    let mut run: Option<(u32, u32)> = None;
    for comment in &document.outline().comments {
        let (start, end) = (line(comment.start), line(comment.end));
        run = match run {
            Some((first, last)) if start == last + 1 => Some((first, end)),
            other => {
                found.extend(comments(other));
                Some((start, end))
            }
        };
    }
    found.extend(comments(run));
    found
}

fn comments(run: Option<(u32, u32)>) -> Option<FoldingRange> {
    let (start, end) = run.filter(|(start, end)| end > start)?;
    Some(fold(start, end, Some(FoldingRangeKind::Comment)))
}

fn fold_items(items: &[Item], line: &impl Fn(usize) -> u32, found: &mut Vec<FoldingRange>) {
    for item in items {
        let range = match item {
            Item::Attribute(attribute) => attribute.name_range.start..attribute.value.end,
            Item::Block(block) => {
                fold_items(block.items(), line, found);
                block.range.clone()
            }
        };
        let (start, end) = (line(range.start), line(range.end));
        if end > start {
            found.push(fold(start, end, None));
        }
    }
}

fn fold(start_line: u32, end_line: u32, kind: Option<FoldingRangeKind>) -> FoldingRange {
    FoldingRange {
        start_line,
        end_line,
        kind,
        ..FoldingRange::default()
    }
}
