//! Where blanks belong.
//!
//! A text is split into pieces, the pieces into lines of up to three cells: what leads, the
//! assignment, the comment behind. Then three passes set the blanks before each piece: [`indent`]
//! those that begin a line, [`spacing`] those between two pieces of a cell, [`align`] those before a
//! cell. Pieces themselves are never touched, so a text keeps its meaning.

mod align;
mod indent;
mod line;
mod piece;
mod spacing;
#[cfg(test)]
mod tests;

use host_diag::{Diagnostic, Diagnostics, FileId};

/// The text in canonical layout. A byte-order mark is dropped.
///
/// Two blanks per level of brackets; equal signs and comments of adjacent lines stand below each
/// other; one blank or none between words and operators. Comments, heredocs, line breaks and
/// everything else that is not a blank stay as they are.
///
/// # Errors
///
/// All syntax errors of the text; only text without any has a layout.
///
/// # Source
///
/// The layout is that of Go's HCL library, byte for byte (measured with versions 2.19 and
/// 2.25, and with Packer 1.6.6, whose one difference is a blank behind `!`).
pub fn format(file: FileId, text: &str) -> Result<String, Diagnostics> {
    let (_, diagnostics) = host_syntax::parse_hcl(file, text);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok(lay_out(text.strip_prefix('\u{FEFF}').unwrap_or(text)))
}

fn lay_out(text: &str) -> String {
    let mut pieces = piece::pieces(text);
    let lines = line::lines(&pieces);
    indent::indent(&mut pieces, &lines);
    spacing::space(&mut pieces, &lines);
    align::align(&mut pieces, &lines);
    let mut result = String::with_capacity(text.len() + text.len() / 8);
    for piece in &pieces {
        result.extend(std::iter::repeat_n(' ', piece.blanks));
        result.push_str(piece.text);
    }
    result
}
