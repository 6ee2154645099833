//! Diagnostics as JSON.

use serde::Serialize;

use super::snippet::lines;
use crate::{Diagnostic, Severity, SourceMap, Span};

/// The diagnostics as a JSON array, on one line. Each element is an object:
///
/// - `severity`: `"error"` or `"warning"`; `summary`, `detail`: text;
/// - `range`: absent for a problem outside any file; else `filename`, `start` and `end` with
///   `line`, `column` (from one, in grapheme clusters) and `byte` (from zero); `end` is behind the
///   last character;
/// - `snippet`: absent when the text is not at hand; else `context` (the block header or null),
///   `code` (the lines the range touches), `start_line`, and the marked bytes of `code` as
///   `highlight_start_offset` and `highlight_end_offset`;
/// - `related`: array of `range` and `text`; `values`: array of `expression` and `value`, what parts
///   of the place come to; `hints`: array of text, what to do about it.
///
/// `host/cli/validate.schema.json` says the same to programs.
///
/// # Panics
///
/// Never: text and numbers can always be written as JSON.
#[must_use]
pub fn render_json(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let all: Vec<Element> = diagnostics
        .iter()
        .map(|one| element(one, sources))
        .collect();
    serde_json::to_string(&all).expect("text and numbers can always be written as JSON")
}

#[derive(Serialize)]
struct Element<'a> {
    severity: &'static str,
    summary: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Snippet<'a>>,
    related: Vec<Related<'a>>,
    values: Vec<ShownValue<'a>>,
    hints: &'a [String],
}

#[derive(Serialize)]
struct ShownValue<'a> {
    expression: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Range<'a> {
    filename: &'a str,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
    byte: u32,
}

#[derive(Serialize)]
struct Snippet<'a> {
    context: Option<&'a str>,
    code: String,
    start_line: usize,
    highlight_start_offset: usize,
    highlight_end_offset: usize,
}

#[derive(Serialize)]
struct Related<'a> {
    range: Range<'a>,
    text: &'a str,
}

fn element<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Element<'a> {
    Element {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        summary: &diagnostic.summary,
        detail: &diagnostic.detail,
        range: diagnostic.subject.map(|span| range(span, sources)),
        snippet: diagnostic
            .subject
            .and_then(|span| snippet(span, diagnostic.context.as_deref(), sources)),
        related: diagnostic
            .related
            .iter()
            .map(|label| Related {
                range: range(label.span, sources),
                text: &label.text,
            })
            .collect(),
        values: diagnostic
            .values
            .iter()
            .map(|shown| ShownValue {
                expression: &shown.expression,
                value: &shown.value,
            })
            .collect(),
        hints: &diagnostic.hints,
    }
}

fn range(span: Span, sources: &SourceMap) -> Range<'_> {
    let position = |byte: u32| {
        let (line, column) = sources.position(span.file, byte);
        Position { line, column, byte }
    };
    Range {
        filename: sources.name(span.file),
        start: position(span.start),
        end: position(span.end.max(span.start)),
    }
}

fn snippet<'a>(span: Span, context: Option<&'a str>, sources: &SourceMap) -> Option<Snippet<'a>> {
    let shown = lines(sources, span);
    let (first, last) = (shown.first()?, shown.last()?);
    let code = shown
        .iter()
        .map(|line| line.text.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    let before_last = code.len() - last.text.len();
    Some(Snippet {
        context,
        start_line: first.number,
        highlight_start_offset: first.marked.start,
        highlight_end_offset: before_last + last.marked.end,
        code,
    })
}
