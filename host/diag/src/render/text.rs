//! Diagnostics as text.

use std::fmt::Write as _;

use super::snippet::{Line, carets, lines};
use super::wrap::wrap;
use crate::{Diagnostic, Severity, SourceMap, Span};

/// Columns of prose. Source lines are never broken.
const WIDTH: usize = 80;

/// Problems shown at once; nobody reads more, and each costs a look through its file.
const MOST_SHOWN: usize = 200;
/// Characters of one line of prose; a name of some megabytes tells nothing.
const LONGEST_LINE: usize = 4000;

/// The diagnostics as text without colour, prose 80 columns wide, in the form Packer prints:
///
/// ```text
/// Error: SUMMARY
///
///   on FILE line 3, in source "null" "a":
///    3:   colour = "red"
///         ^^^^^^
///
/// DETAIL
///
/// ```
///
/// Differs: Packer prints no caret line, no hints and no related places. A place in a file whose
/// text is not in `sources` says so. Of very many problems, and of very long lines, the first part is
/// shown. Every diagnostic ends in an empty line; for no diagnostics the
/// text is empty.
#[must_use]
pub fn render_text(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    render_clean_text(diagnostics, sources, &str::to_owned)
}

/// The same, with source lines as `clean` leaves them: marks stand under what they are about, whatever
/// was taken out before them.
#[must_use]
pub fn render_clean_text(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    clean: &dyn Fn(&str) -> String,
) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(MOST_SHOWN) {
        one(&mut out, diagnostic, sources, clean);
    }
    let more = diagnostics.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        push_paragraph(&mut out, &format!("{more} more problems are not shown."));
    }
    out
}

fn one(
    out: &mut String,
    diagnostic: &Diagnostic,
    sources: &SourceMap,
    clean: &dyn Fn(&str) -> String,
) {
    let title = match diagnostic.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    };
    push_paragraph(out, &shortened(&format!("{title}: {}", diagnostic.summary)));
    if let Some(span) = diagnostic.subject {
        let shown: Vec<Line> = lines(sources, span)
            .into_iter()
            .map(|line| line.cleaned(clean))
            .collect();
        place(out, span, diagnostic.context.as_deref(), sources, &shown);
    }
    let detail = detail_and_values(diagnostic);
    if !detail.is_empty() {
        push_paragraph(out, &wrap(&shortened(&detail), WIDTH));
    }
    if !diagnostic.related.is_empty() {
        let mut text = String::new();
        for label in &diagnostic.related {
            let (line, _) = sources.position(label.span.file, label.span.start);
            let separator = if label.text.is_empty() { "" } else { ": " };
            let name = sources.name(label.span.file);
            text.push_str(&format!(
                "\n  on {name} line {line}{separator}{}",
                label.text
            ));
        }
        push_paragraph(out, text.trim_start_matches('\n'));
    }
    if !diagnostic.hints.is_empty() {
        let hints = diagnostic
            .hints
            .iter()
            .map(|hint| wrap(&shortened(&format!("Hint: {hint}")), WIDTH));
        push_paragraph(out, &hints.collect::<Vec<_>>().join("\n"));
    }
}

/// The detail, and a sentence about values behind it.
fn detail_and_values(diagnostic: &Diagnostic) -> String {
    let (detail, values) = (diagnostic.detail.trim_end(), diagnostic.values_text());
    if values.is_empty() {
        return detail.to_owned();
    }
    // The words of other programs often end without a period.
    let separator = match detail.chars().next_back() {
        None => "",
        Some('.' | '!' | '?' | ':') => " ",
        Some(_) => ". ",
    };
    [detail, separator, &values].concat()
}

fn place(out: &mut String, span: Span, context: Option<&str>, sources: &SourceMap, shown: &[Line]) {
    let (line, _) = sources.position(span.file, span.start);
    let name = sources.name(span.file);
    let context = context
        .map(|header| shortened(&format!(", in {header}")))
        .unwrap_or_default();
    let mut text = format!("  on {name} line {line}{context}:");
    if shown.is_empty() {
        text.push_str("\n  (source code not available)");
    }
    let single = shown.len() == 1;
    for line in shown {
        let number = format!("{:4}: ", line.number);
        text.push_str(&format!("\n{number}{}", line.text));
        if single {
            text.push_str(&format!("\n{:1$}{2}", "", number.len(), carets(line)));
        }
    }
    push_paragraph(out, &text);
}

fn push_paragraph(out: &mut String, text: &str) {
    write!(out, "{text}\n\n").expect("writing to a string cannot fail");
}

/// `text` without the rest of lines that are too long to read.
fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_LINE {
        return text.to_owned();
    }
    let lines = text
        .split('\n')
        .map(|line| match line.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => format!("{}… ({} bytes more)", &line[..end], line.len() - end),
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}
