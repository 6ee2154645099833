//! Lines and their cells.

use std::ops::Range;

use host_syntax::TokenKind;

use super::piece::Piece;

/// A line: three cells of pieces, each of which may be empty, as positions among all pieces. A
/// heredoc is part of the line it begins on.
#[derive(Debug)]
pub(super) struct Line {
    /// What comes before an assignment, or all but the comment.
    pub(super) lead: Range<usize>,
    /// From the equal sign on, when what is behind it closes all brackets it opens.
    pub(super) assign: Range<usize>,
    /// The comment behind something.
    pub(super) comment: Range<usize>,
}

/// Splits pieces into lines. The last piece, the end of the text, is in none.
pub(super) fn lines(pieces: &[Piece]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    let last = pieces.len().saturating_sub(1);
    for (at, piece) in pieces[..last].iter().enumerate() {
        if piece.ends_line() {
            lines.push(line(pieces, start..at + 1));
            start = at + 1;
        }
    }
    if start < last {
        lines.push(line(pieces, start..last));
    }
    lines
}

fn line(pieces: &[Piece], range: Range<usize>) -> Line {
    let ends_with_comment = range.len() > 1 && pieces[range.end - 1].kind == TokenKind::Comment;
    let comment = if ends_with_comment {
        range.end - 1
    } else {
        range.end
    };
    let assign = assignment(&pieces[range.start..comment]).map_or(comment, |at| range.start + at);
    Line {
        lead: range.start..assign,
        assign: assign..comment,
        comment: comment..range.end,
    }
}

/// The equal sign that begins an assignment, unless that goes on in other lines.
fn assignment(pieces: &[Piece]) -> Option<usize> {
    let at = pieces
        .iter()
        .skip(1)
        .position(|piece| piece.kind == TokenKind::Equal)?
        + 1;
    let open: isize = pieces[at..].iter().map(Piece::opens).sum();
    (open == 0).then_some(at)
}
