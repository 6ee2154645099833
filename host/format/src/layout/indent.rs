//! Blanks at the start of a line.

use host_syntax::TokenKind;

use super::line::Line;
use super::piece::Piece;

/// Blanks per level.
const STEP: usize = 2;

/// Indents every line by the levels open before it. A line that opens brackets, however many, opens
/// one level; a line that closes as many closes it, and stands outside of it itself.
pub(super) fn indent(pieces: &mut [Piece], lines: &[Line]) {
    let mut levels = Levels::default();
    for line in lines {
        let first = line.lead.start;
        if pieces[first].kind == TokenKind::Newline {
            pieces[first].blanks = 0;
            continue;
        }
        let open = opens(&pieces[line.lead.clone()]);
        if open < 0 {
            levels.close(open.unsigned_abs());
        }
        pieces[first].blanks = STEP * levels.0.len();
        if open > 0 {
            levels.0.push(open.unsigned_abs());
        }
    }
}

/// How many more brackets are open behind a line than before it, by what leads: assignments close
/// what they open. Of a line that begins a heredoc, what is within the heredoc does not count.
fn opens(lead: &[Piece]) -> isize {
    let code = lead
        .iter()
        .take_while(|piece| piece.kind != TokenKind::OpenHeredoc);
    code.map(Piece::opens).sum()
}

/// How many brackets each open level stands for.
#[derive(Default)]
struct Levels(Vec<usize>);

impl Levels {
    /// Closes brackets; a level of which some stay open stays.
    fn close(&mut self, mut brackets: usize) {
        while brackets > 0 {
            let Some(level) = self.0.last_mut() else {
                return;
            };
            if brackets < *level {
                *level -= brackets;
                return;
            }
            brackets -= *level;
            self.0.pop();
        }
    }
}
