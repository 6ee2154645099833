//! What is agreed with the editor, and what it may ask.

use lsp_types::{
    ClientCapabilities, CompletionOptions, HoverProviderCapability, InitializeParams,
    InitializeResult, OneOf, PositionEncodingKind, RenameOptions, SaveOptions, ServerCapabilities,
    ServerInfo, SignatureHelpOptions, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkDoneProgressOptions,
};

use crate::position::Encoding;

/// What the editor can do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Agreed {
    pub(crate) encoding: Encoding,
    /// Whether it takes snippets.
    pub(crate) snippets: bool,
    /// Whether it shows related places.
    pub(crate) related: bool,
}

impl Agreed {
    /// Bytes are counted when the editor can: that is what files are made of.
    pub(crate) fn with(client: &ClientCapabilities) -> Self {
        let encodings = client
            .general
            .as_ref()
            .and_then(|general| general.position_encodings.as_ref());
        let bytes = encodings.is_some_and(|all| all.contains(&PositionEncodingKind::UTF8));
        let text = client.text_document.as_ref();
        let item = text
            .and_then(|text| text.completion.as_ref())
            .and_then(|completion| completion.completion_item.as_ref());
        let diagnostics = text.and_then(|text| text.publish_diagnostics.as_ref());
        Self {
            encoding: if bytes {
                Encoding::Utf8
            } else {
                Encoding::Utf16
            },
            snippets: item.and_then(|item| item.snippet_support).unwrap_or(false),
            related: diagnostics
                .and_then(|diagnostics| diagnostics.related_information)
                .unwrap_or(false),
        }
    }
}

/// The answer to `initialize`.
pub(crate) fn initialized(params: &InitializeParams, version: &str) -> (Agreed, InitializeResult) {
    let agreed = Agreed::with(&params.capabilities);
    let encoding = match agreed.encoding {
        Encoding::Utf8 => PositionEncodingKind::UTF8,
        Encoding::Utf16 => PositionEncodingKind::UTF16,
    };
    let capabilities = ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(TextDocumentSyncCapability::Options(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                save: Some(SaveOptions::default().into()),
                ..TextDocumentSyncOptions::default()
            },
        )),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some([".", "\"", "`"].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: Some(vec!["(".to_owned(), ",".to_owned()]),
            ..SignatureHelpOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        document_symbol_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(true.into()),
        document_formatting_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    };
    let result = InitializeResult {
        capabilities,
        server_info: Some(ServerInfo {
            name: "kiln".to_owned(),
            version: Some(version.to_owned()),
        }),
    };
    (agreed, result)
}
