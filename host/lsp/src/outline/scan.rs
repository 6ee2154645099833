//! The tokens of a file that is read, with what stands behind the last one.

use host_syntax::{Token, TokenKind};

/// The tokens of a text.
pub(super) struct Scan<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
}

impl Scan<'_> {
    /// The kind of the token at this place; behind the last one, the end.
    pub(super) fn kind(&self, at: usize) -> TokenKind {
        self.tokens
            .get(at)
            .map_or(TokenKind::End, |token| token.kind)
    }

    /// Where the token at this place begins; behind the last one, where the text ends.
    pub(super) fn start(&self, at: usize) -> usize {
        self.tokens
            .get(at)
            .map_or(self.text.len(), |token| token.start)
    }
}
