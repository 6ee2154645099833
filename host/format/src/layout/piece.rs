//! What stands between blanks.

use host_syntax::{TokenKind, tokens};
use unicode_segmentation::UnicodeSegmentation;

/// A token with the blanks before it.
#[derive(Debug)]
pub(super) struct Piece<'t> {
    pub(super) kind: TokenKind,
    pub(super) text: &'t str,
    /// Blanks before it.
    pub(super) blanks: usize,
}

impl Piece<'_> {
    /// Characters it takes, as people count them, with the blanks before it.
    pub(super) fn columns(&self) -> usize {
        let characters = if self.text.is_ascii() {
            self.text.len()
        } else {
            self.text.graphemes(true).count()
        };
        self.blanks + characters
    }

    /// Whether a line ends with it.
    pub(super) fn ends_line(&self) -> bool {
        match self.kind {
            TokenKind::Newline => true,
            TokenKind::Comment => self.text.ends_with('\n'),
            _ => false,
        }
    }

    /// By how many more brackets are open behind it than before it. Sequences in templates count,
    /// quotes do not.
    pub(super) fn opens(&self) -> isize {
        match self.kind {
            TokenKind::OpenBrace
            | TokenKind::OpenBracket
            | TokenKind::OpenParen
            | TokenKind::OpenInterpolation
            | TokenKind::OpenDirective => 1,
            TokenKind::CloseBrace
            | TokenKind::CloseBracket
            | TokenKind::CloseParen
            | TokenKind::CloseTemplate => -1,
            _ => 0,
        }
    }
}

/// All of a text, closed by [`TokenKind::End`]. The line break behind a comment is part of it.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut end = 0;
    let mut comment_start = None;
    for token in tokens(text) {
        let piece = token.text(text);
        if let (TokenKind::Newline, Some(start)) = (token.kind, comment_start.take()) {
            let comment = pieces.last_mut().expect("the comment is the last piece");
            comment.text = &text[start..token.end];
        } else {
            let blanks = token.start - end;
            pieces.push(Piece {
                kind: token.kind,
                text: piece,
                blanks,
            });
            let runs_to_line_end = token.kind == TokenKind::Comment && !piece.starts_with("/*");
            comment_start = runs_to_line_end.then_some(token.start);
        }
        end = token.end;
    }
    pieces
}
