//! Blanks before a cell, so that cells of adjacent lines stand below each other.

use std::ops::Range;

use super::line::Line;
use super::piece::Piece;

/// Aligns assignments, then the comments behind what has come out of that.
pub(super) fn align(pieces: &mut [Piece], lines: &[Line]) {
    align_cells(pieces, lines, |line| line.assign.clone());
    align_cells(pieces, lines, |line| line.comment.clone());
}

/// Puts the cells of adjacent lines that have one behind the longest of what stands before them.
fn align_cells(pieces: &mut [Piece], lines: &[Line], cell: impl Fn(&Line) -> Range<usize>) {
    let has_cell = |line: &Line| !cell(line).is_empty();
    for chain in lines.chunk_by(|one, next| has_cell(one) && has_cell(next)) {
        if !chain.iter().all(has_cell) {
            continue;
        }
        let width = |line: &Line| -> usize {
            pieces[line.lead.start..cell(line).start]
                .iter()
                .map(Piece::columns)
                .sum()
        };
        let widths: Vec<usize> = chain.iter().map(width).collect();
        let widest = widths.iter().copied().max().unwrap_or_default();
        for (line, width) in chain.iter().zip(widths) {
            pieces[cell(line).start].blanks = widest - width + 1;
        }
    }
}
