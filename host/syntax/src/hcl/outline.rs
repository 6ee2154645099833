//! Where things end, judged by brackets alone.

use crate::scanner::{Token, TokenKind};

/// The end of an expression.
pub(super) enum Extent {
    /// Token behind it; all brackets match.
    Sound(usize),
    /// Token at which brackets stopped matching.
    Mismatch(usize),
}

/// Finds the end of the expression that begins at token `from`: the first line break or closing
/// bracket outside of all brackets that it opens itself.
pub(super) fn extent(tokens: &[Token], from: usize) -> Extent {
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.kind {
            TokenKind::End if open.is_empty() => return Extent::Sound(at),
            TokenKind::End => return Extent::Mismatch(at),
            TokenKind::Newline if open.is_empty() => return Extent::Sound(at),
            kind if kind.is_closer() && open.is_empty() => return Extent::Sound(at),
            kind if kind.closer().is_some() => open.extend(kind.closer()),
            kind if kind.is_closer() && open.pop() != Some(kind) => return Extent::Mismatch(at),
            _ => {}
        }
    }
    Extent::Sound(tokens.len().saturating_sub(1))
}

/// The token that closes the string, heredoc or sequence that token `open` opens.
///
/// The scanner always closes them, so there is one; should there be none, it is the last token.
pub(super) fn template_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            TokenKind::OpenQuote
            | TokenKind::OpenHeredoc
            | TokenKind::OpenInterpolation
            | TokenKind::OpenDirective => depth += 1,
            TokenKind::CloseQuote | TokenKind::CloseHeredoc | TokenKind::CloseTemplate => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len() - 1
}

/// Whether a block header begins with token `at`, without any blank before it on its line.
pub(super) fn is_header_at_margin(text: &str, tokens: &[Token], at: usize) -> bool {
    let first = tokens[at];
    if first.kind != TokenKind::Ident || !text[..first.start].ends_with('\n') {
        return false;
    }
    for token in &tokens[at + 1..] {
        match token.kind {
            TokenKind::OpenBrace => return true,
            TokenKind::Ident
            | TokenKind::OpenQuote
            | TokenKind::QuotedText
            | TokenKind::CloseQuote => {}
            _ => return false,
        }
    }
    false
}
