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

/// Columns of blanks before the line of a token.
pub(super) fn indent(text: &str, token: Token) -> usize {
    let line = text[..token.start].rfind('\n').map_or(0, |at| at + 1);
    let blank = |c: &char| matches!(c, ' ' | '\t');
    text[line..].chars().take_while(blank).count()
}

/// The first token on the line of token `at`.
pub(super) fn first_of_line(text: &str, tokens: &[Token], at: usize) -> Token {
    let line = text[..tokens[at].start].rfind('\n').map_or(0, |at| at + 1);
    let first = tokens[..=at].iter().rev();
    let first = first.take_while(|token| token.start >= line).last();
    first.copied().unwrap_or(tokens[at])
}

/// The first token of every line from token `from` on that is not empty.
fn line_starts(tokens: &[Token], from: usize) -> impl Iterator<Item = usize> {
    let starts = (from + 1..tokens.len()).filter(|at| tokens[at - 1].kind == TokenKind::Newline);
    starts.filter(|at| !matches!(tokens[*at].kind, TokenKind::Newline | TokenKind::End))
}

/// The brace from token `open` on that was probably not closed, and the token that should be behind
/// it, judged by indents: within braces, lines are indented deeper than the line that opens them.
pub(super) fn unclosed_brace(text: &str, tokens: &[Token], open: usize) -> Option<(usize, usize)> {
    let mut braces: Vec<usize> = vec![open];
    let mut starts = line_starts(tokens, open).peekable();
    for at in open + 1..tokens.len() {
        let kind = tokens[at].kind;
        let top = *braces.last()?;
        if starts.next_if_eq(&at).is_some() {
            let (here, outer) = (indent(text, tokens[at]), indent(text, tokens[top]));
            let closes = kind == TokenKind::CloseBrace;
            let content = matches!(kind, TokenKind::Ident | TokenKind::OpenQuote);
            if (content && here <= outer) || (closes && here < outer) {
                return Some((top, at));
            }
        }
        match kind {
            TokenKind::OpenBrace => braces.push(at),
            TokenKind::CloseBrace if braces.len() > 1 => {
                braces.pop();
            }
            _ => {}
        }
    }
    None
}

/// The line break before the next argument (`name = …` on a line of its own), when that comes before
/// a bracket or parenthesis of the value that begins at token `from` is closed.
pub(super) fn next_argument(text: &str, tokens: &[Token], from: usize) -> Option<usize> {
    let own = from
        .checked_sub(2)
        .map_or(0, |name| indent(text, tokens[name]));
    let mut open = Vec::new();
    for at in from..tokens.len() {
        let kind = tokens[at].kind;
        match kind {
            TokenKind::End => return None,
            TokenKind::Newline if open.is_empty() => return None,
            TokenKind::Newline => {
                let enclosed = open
                    .last()
                    .is_some_and(|closer| *closer != TokenKind::CloseBrace);
                let next = tokens.get(at + 1..at + 3);
                let argument = matches!(next, Some([name, equal])
                    if name.kind == TokenKind::Ident
                        && equal.kind == TokenKind::Equal
                        && indent(text, *name) <= own);
                if enclosed && argument {
                    return Some(at);
                }
            }
            kind if kind.closer().is_some() => open.extend(kind.closer()),
            kind if kind.is_closer() && open.pop() != Some(kind) => return None,
            _ => {}
        }
    }
    None
}
