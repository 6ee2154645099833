//! Blanks between two pieces of a cell.

use host_syntax::TokenKind as Kind;

use super::line::Line;
use super::piece::Piece;

/// Sets the blanks between the pieces of leads and assignments.
pub(super) fn space(pieces: &mut [Piece], lines: &[Line]) {
    for cell in lines.iter().flat_map(|line| [&line.lead, &line.assign]) {
        for at in cell.start + 1..cell.end {
            let before = (at - cell.start >= 2).then(|| pieces[at - 2].kind);
            pieces[at].blanks = usize::from(is_apart(before, &pieces[at - 1], &pieces[at]));
        }
    }
}

/// Whether a blank belongs between `left` and `right`; `before` is what comes before `left` in the
/// same cell. Of the rules the first that knows decides.
fn is_apart(before: Option<Kind>, left: &Piece, right: &Piece) -> bool {
    let (l, r) = (left.kind, right.kind);
    match (l, r) {
        (_, Kind::Newline) => false,
        (Kind::Ident, Kind::OpenParen | Kind::DoubleColon) | (Kind::DoubleColon, Kind::Ident) => {
            false
        }
        (Kind::Dot, _) | (_, Kind::Dot | Kind::Comma | Kind::Ellipsis) => false,
        (Kind::Comma, _) => true,
        _ if is_within_template(l, r) => false,
        // What follows the `in` of a `for` is a list, not an index.
        (Kind::Ident, _) if left.text == "in" && before == Some(Kind::Ident) => true,
        (Kind::Ident | Kind::Number, Kind::OpenBracket) => false,
        (_, Kind::OpenBracket) if left.opens() < 0 => false,
        (Kind::Bang, _) => false,
        (Kind::Minus, _) => !is_sign(before),
        (Kind::OpenBrace, Kind::CloseBrace) => false,
        (Kind::OpenBrace, _) | (_, Kind::CloseBrace) => true,
        // An object alone in a sequence keeps its braces apart from those of the sequence.
        (Kind::OpenInterpolation | Kind::OpenDirective, Kind::OpenBrace)
        | (Kind::CloseBrace, Kind::CloseTemplate) => true,
        (Kind::CloseTemplate, Kind::OpenInterpolation | Kind::OpenDirective) => false,
        _ => left.opens() <= 0 && right.opens() >= 0,
    }
}

/// Whether one of the two is text of a template or touches its border from within.
fn is_within_template(left: Kind, right: Kind) -> bool {
    let is_text = |kind| matches!(kind, Kind::QuotedText | Kind::HeredocText);
    is_text(left)
        || is_text(right)
        || matches!(left, Kind::OpenQuote | Kind::OpenHeredoc)
        || matches!(right, Kind::CloseQuote | Kind::CloseHeredoc)
}

/// Whether a minus behind `before` belongs to one operand; otherwise it stands between two.
fn is_sign(before: Option<Kind>) -> bool {
    matches!(
        before,
        None | Some(
            Kind::OpenParen
                | Kind::OpenBrace
                | Kind::OpenBracket
                | Kind::Equal
                | Kind::Colon
                | Kind::Comma
                | Kind::Question
                | Kind::Operator
                | Kind::Star
                | Kind::Minus
                | Kind::Bang
        )
    )
}
