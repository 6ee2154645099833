//! What the editor asks about open files.

use std::collections::HashMap;
use std::sync::Arc;

use lsp_types::{
    CompletionParams, CompletionResponse, DocumentFormattingParams, DocumentSymbolParams,
    DocumentSymbolResponse, FoldingRangeParams, GotoDefinitionParams, GotoDefinitionResponse,
    Hover, HoverContents, HoverParams, MarkupContent, MarkupKind, Position, PrepareRenameResponse,
    ReferenceParams, RenameParams, SignatureHelpParams, TextDocumentPositionParams, TextEdit, Url,
    WorkspaceEdit,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::catalog::Catalog;
use crate::completion::{self, Place};
use crate::documents::{Document, Documents, Open};
use crate::folder::Folder;
use crate::session::Agreed;
use crate::symbols::SymbolKind;
use crate::transport::code;
use crate::{formatting, hover, navigation, signature};

/// An answer, or code and text of an error.
pub(crate) type Answer = Result<Value, (i32, String)>;

/// What answers are made from.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) documents: &'a Documents,
    pub(crate) catalog: &'a Catalog,
    pub(crate) agreed: Agreed,
}

impl Asked<'_> {
    /// The answer to a request; about a file that is not open there is nothing to say.
    pub(crate) fn answer(&self, method: &str, params: Value) -> Answer {
        match method {
            "textDocument/completion" => self.completion(&read(params)?),
            "textDocument/hover" => self.hover(&read(params)?),
            "textDocument/signatureHelp" => self.signature(&read(params)?),
            "textDocument/definition" => self.definition(&read(params)?),
            "textDocument/references" => self.references(&read(params)?),
            "textDocument/prepareRename" => self.prepare_rename(&read(params)?),
            "textDocument/rename" => self.rename(&read(params)?),
            "textDocument/documentSymbol" => self.document_symbols(&read(params)?),
            "textDocument/foldingRange" => self.folding(&read(params)?),
            "textDocument/formatting" => self.formatting(&read(params)?),
            _ => Err((
                code::METHOD_NOT_FOUND,
                format!("There is no method `{method}` here."),
            )),
        }
    }

    /// The open file with this address.
    fn open(&self, url: &Url) -> Option<&Open> {
        self.documents.get(url)
    }

    /// Does `make` with what is at a position.
    fn at<T>(
        &self,
        (url, position): (&Url, Position),
        make: impl FnOnce(&Place<'_>) -> Option<T>,
    ) -> Option<T> {
        let open = self.open(url)?;
        let document: Arc<Document> = Arc::clone(&open.document);
        let folder = Folder::around(&open.path, open.kind, self.documents);
        let encoding = self.agreed.encoding;
        make(&Place {
            folder: &folder,
            documents: self.documents,
            catalog: self.catalog,
            document: &document,
            kind: open.kind,
            at: document.lines().byte(&document.text, position, encoding),
        })
    }

    fn completion(&self, params: &CompletionParams) -> Answer {
        let found = self.at(place_of(&params.text_document_position), |place| {
            let candidates = completion::complete(place);
            let agreed = self.agreed;
            let items =
                completion::items(place.document, candidates, agreed.encoding, agreed.snippets);
            Some(CompletionResponse::Array(items))
        });
        written(&found)
    }

    fn hover(&self, params: &HoverParams) -> Answer {
        let asked = place_of(&params.text_document_position_params);
        let found = self.at(asked, |place| {
            let (range, value) = hover::hover(place)?;
            let document = place.document;
            let lines = document.lines();
            Some(Hover {
                contents: HoverContents::Markup(MarkupContent {
                    kind: MarkupKind::Markdown,
                    value,
                }),
                range: Some(lines.range(&document.text, &range, self.agreed.encoding)),
            })
        });
        written(&found)
    }

    fn signature(&self, params: &SignatureHelpParams) -> Answer {
        let asked = place_of(&params.text_document_position_params);
        let found = self.at(asked, |place| signature::help(place.document, place.at));
        written(&found)
    }

    fn definition(&self, params: &GotoDefinitionParams) -> Answer {
        let asked = place_of(&params.text_document_position_params);
        let found = self.at(asked, |place| {
            let found = navigation::definition(place, self.agreed.encoding);
            Some(GotoDefinitionResponse::Array(found))
        });
        written(&found)
    }

    fn references(&self, params: &ReferenceParams) -> Answer {
        let declared = params.context.include_declaration;
        let found = self.at(place_of(&params.text_document_position), |place| {
            let target = navigation::target(place)?;
            let places = navigation::places(place.folder, &target, declared);
            let locations = places
                .into_iter()
                .map(|(file, range)| navigation::location(file, &range, self.agreed.encoding));
            Some(locations.collect::<Vec<_>>())
        });
        written(&found)
    }

    fn prepare_rename(&self, params: &TextDocumentPositionParams) -> Answer {
        let found = self.at(place_of(params), |place| {
            let target = renamed(place)?;
            let (document, encoding) = (place.document, self.agreed.encoding);
            let range = document
                .lines()
                .range(&document.text, &target.name_range, encoding);
            Some(PrepareRenameResponse::Range(range))
        });
        written(&found)
    }

    fn rename(&self, params: &RenameParams) -> Answer {
        if !navigation::is_name(&params.new_name) {
            let text = format!(
                "`{}` is no name: it has to start with a letter or `_` and go on with letters, \
                 digits, `_` and `-`.",
                params.new_name
            );
            return Err((code::REQUEST_FAILED, text));
        }
        let asked = place_of(&params.text_document_position);
        let found = self.at(asked, |place| {
            let target = renamed(place)?;
            let mut changes: HashMap<Url, Vec<TextEdit>> = HashMap::new();
            for (file, range) in navigation::places(place.folder, &target, true) {
                let location = navigation::location(file, &range, self.agreed.encoding);
                let edit = TextEdit::new(location.range, params.new_name.clone());
                changes.entry(location.uri).or_default().push(edit);
            }
            Some(WorkspaceEdit::new(changes))
        });
        match found {
            Some(edit) => written(&edit),
            None => Err((
                code::REQUEST_FAILED,
                "What stands here has no name that can be changed.".to_owned(),
            )),
        }
    }

    fn document_symbols(&self, params: &DocumentSymbolParams) -> Answer {
        let open = self.open(&params.text_document.uri);
        written(&open.map(|open| {
            let encoding = self.agreed.encoding;
            let symbols = navigation::document_symbols(&open.document, encoding);
            DocumentSymbolResponse::Nested(symbols)
        }))
    }

    fn folding(&self, params: &FoldingRangeParams) -> Answer {
        let open = self.open(&params.text_document.uri);
        written(&open.map(|open| navigation::folding(&open.document)))
    }

    fn formatting(&self, params: &DocumentFormattingParams) -> Answer {
        let open = self.open(&params.text_document.uri);
        // The layout of JSON and YAML is not ours.
        let open = open.filter(|open| !open.kind.is_data());
        written(&open.and_then(|open| formatting::edits(&open.document, self.agreed.encoding)))
    }
}

/// What can be renamed: what is declared in this folder, but no output, whose users lie elsewhere,
/// and no builder, whose name may be its type.
fn renamed(place: &Place<'_>) -> Option<navigation::Target> {
    let target = navigation::target(place)?;
    let declared = place.folder.find(target.kind, &target.name).is_some();
    let fixed = matches!(target.kind, SymbolKind::Output | SymbolKind::Builder);
    (declared && !fixed).then_some(target)
}

fn place_of(params: &TextDocumentPositionParams) -> (&Url, Position) {
    (&params.text_document.uri, params.position)
}

/// The parameters of a request.
pub(crate) fn read<T: DeserializeOwned>(params: Value) -> Result<T, (i32, String)> {
    serde_json::from_value(params).map_err(|error| {
        let text = format!("The parameters are not what the method takes: {error}.");
        (code::INVALID_PARAMS, text)
    })
}

/// An answer as JSON.
pub(crate) fn written(answer: &impl Serialize) -> Answer {
    serde_json::to_value(answer).map_err(|error| (code::INTERNAL_ERROR, error.to_string()))
}
