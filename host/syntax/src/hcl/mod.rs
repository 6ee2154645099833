//! HCL2's own syntax.
//!
//! Reading has four layers. The scanner makes tokens and isolates broken strings. [`body`] finds
//! attributes and blocks, each on its own, so that an error in one hides none in another.
//! [`check`] walks the tokens of one expression and names what is wrong with them, the way Go's
//! library does. What passes goes to hcl-edit, whose tree [`convert`] turns into ours; strings and
//! heredocs are masked before, and read by [`template`], which keeps every position and applies
//! trim markers and indents exactly as Go's library does.

mod body;
mod check;
mod complaint;
mod convert;
mod expression;
mod literal;
mod mask;
mod outline;
mod pieces;
mod template;
#[cfg(test)]
mod tests;
mod trim;

use host_diag::{Diagnostic, Diagnostics, FileId, Span};

use self::body::BodyReader;
use self::expression::ExpressionReader;
use crate::ast::{Body, Expr};
use crate::origin::Origin;
use crate::scanner::{Scan, Start, Token, TokenKind, scan};

/// Problems reported of one text.
const MOST_DIAGNOSTICS: usize = 100;

/// Reads a file. Every syntax error is reported; what could be read comes back with them.
///
/// The body is `None` only when nothing could be read at all. A byte-order mark is skipped.
#[must_use]
pub fn parse_hcl(file: FileId, text: &str) -> (Option<Body>, Diagnostics) {
    let (skipped, text) = match text.strip_prefix('\u{FEFF}') {
        Some(rest) => ('\u{FEFF}'.len_utf8(), rest),
        None => (0, text),
    };
    let origin = Origin::verbatim(file, skipped);
    let Scan {
        tokens,
        mut diagnostics,
        gave_up,
    } = scan(text, Start::Plain, origin);
    if gave_up {
        return (None, limited(diagnostics));
    }
    let tokens = without_comments(tokens);
    let mut expressions = ExpressionReader::new(text, &tokens, origin);
    expressions.text_ends_early = diagnostics
        .iter()
        .any(|one| one.summary.starts_with("Unterminated"));
    let mut reader = BodyReader::new(expressions);
    let body = reader.file();
    diagnostics.append(&mut reader.into_diagnostics());
    (Some(Body::Native(body)), limited(diagnostics))
}

/// Reads one expression, `offset` bytes into `file` (for text taken out of a larger file).
#[must_use]
pub fn parse_expression(file: FileId, offset: usize, text: &str) -> (Option<Expr>, Diagnostics) {
    let origin = Origin::verbatim(file, offset);
    let Scan {
        tokens,
        mut diagnostics,
        gave_up,
    } = scan(text, Start::Plain, origin);
    if gave_up {
        return (None, limited(diagnostics));
    }
    let tokens = without_comments(tokens);
    let mut reader = ExpressionReader::new(text, &tokens, origin);
    let expr = reader.whole(0..tokens.len() - 1, expression::Place::Alone);
    diagnostics.append(&mut reader.diagnostics);
    (expr, limited(diagnostics))
}

/// Reads text as a template, as between quotes but without escapes (`templatefile`, HCL in JSON).
#[must_use]
pub fn parse_template(file: FileId, offset: usize, text: &str) -> (Option<Expr>, Diagnostics) {
    template_at(Origin::verbatim(file, offset), text)
}

/// Reads text that was computed from what stands at `span` as a template.
pub(crate) fn parse_computed_template(span: Span, text: &str) -> (Option<Expr>, Diagnostics) {
    template_at(Origin::computed(span), text)
}

fn template_at(origin: Origin, text: &str) -> (Option<Expr>, Diagnostics) {
    let Scan {
        tokens,
        mut diagnostics,
        gave_up,
    } = scan(text, Start::Template, origin);
    if gave_up {
        return (None, limited(diagnostics));
    }
    let tokens = without_comments(tokens);
    let mut reader = ExpressionReader::new(text, &tokens, origin);
    let expr = reader.template(
        0..tokens.len() - 1,
        template::Form::Bare,
        origin.span(0, text.len()),
    );
    diagnostics.append(&mut reader.diagnostics);
    (expr, limited(diagnostics))
}

fn without_comments(mut tokens: Vec<Token>) -> Vec<Token> {
    tokens.retain(|token| token.kind != TokenKind::Comment);
    tokens
}

/// In the order of the text, and so few that they can be read.
fn limited(mut diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.sort_by_key(|one| one.subject.map(|span| (span.start, span.end)));
    // What is behind a brace that was left open may have been read twice.
    diagnostics.dedup_by(|second, first| second.repeats(first));
    let left_out = diagnostics.len().saturating_sub(MOST_DIAGNOSTICS);
    if left_out > 0 {
        diagnostics.truncate(MOST_DIAGNOSTICS);
        diagnostics.push(Diagnostic::error("Too many errors").detail(format!(
            "{left_out} more problems of this file are not shown."
        )));
    }
    diagnostics
}
