//! Words for what makes no sense in an expression.

use host_diag::Diagnostic;

use super::pieces::{Enclosure, ForPart};
use crate::scanner::TokenKind;

/// The first thing that makes no sense.
#[derive(Debug)]
pub(super) struct Complaint {
    /// What is wrong, still without a place.
    pub diagnostic: Diagnostic,
    /// The piece it is about; behind the last one for something missing at the end.
    pub piece: usize,
    /// The piece that opened the innermost bracket.
    pub open: Option<usize>,
}

/// What was found, or what is wrong.
pub(super) type Checked<T> = Result<T, Box<Complaint>>;

/// What to say when `found` stands where a value (`operand`) or something behind a value is
/// expected. `question` tells whether a conditional waits for its `:`.
pub(super) fn complain(
    enclosure: Enclosure,
    found: Option<TokenKind>,
    question: bool,
    operand: bool,
) -> Diagnostic {
    if operand {
        return missing_value(enclosure, found);
    }
    if question {
        return error(
            "Missing false expression in conditional",
            "A conditional (`condition ? yes : no`) needs a `:` and a second value.",
        );
    }
    if found.is_none() {
        return unclosed(enclosure);
    }
    match enclosure {
        Enclosure::Root => match found {
            Some(TokenKind::Equal) => error(
                "Extra characters after expression",
                "An expression cannot hold `=`; equality is tested with `==`.",
            ),
            _ => error(
                "Extra characters after expression",
                "The expression is complete here, yet more follows.",
            ),
        },
        Enclosure::Parens => error(
            "Unbalanced parentheses",
            "A closing parenthesis is expected here.",
        ),
        Enclosure::Call => error(
            "Missing argument separator",
            "A comma is expected here, or the closing parenthesis of the call.",
        ),
        Enclosure::Index => error(
            "Missing close bracket on index",
            "The index ends with a closing bracket (`]`).",
        ),
        Enclosure::Tuple => error(
            "Missing item separator",
            "A comma is expected here, or the closing bracket of the list.",
        ),
        Enclosure::ObjectKey => match found {
            Some(TokenKind::Newline | TokenKind::Comma | TokenKind::CloseBrace) => error(
                "Missing attribute value",
                "The name of an attribute is followed by `=` and a value.",
            ),
            _ => error(
                "Missing key/value separator",
                "`=` is expected here, between the name of an attribute and its value.",
            )
            .hint(
                (found == Some(TokenKind::OpenBrace))
                    .then(|| "a block cannot stand in an object; write `name = { … }`".to_owned()),
            ),
        },
        Enclosure::ObjectValue => error(
            "Missing attribute separator",
            "A line break or comma is expected here, before the next attribute.",
        ),
        Enclosure::ForTuple(part) | Enclosure::ForObject(part) => error(
            "Invalid 'for' expression",
            for_part(part, matches!(enclosure, Enclosure::ForObject(_))),
        ),
    }
}

fn missing_value(enclosure: Enclosure, found: Option<TokenKind>) -> Diagnostic {
    let detail = match found {
        None | Some(TokenKind::Newline) => "A value is expected here.",
        Some(TokenKind::Equal) => "A value is expected here; equality is tested with `==`.",
        _ => "The start of a value is expected here.",
    };
    match (enclosure, found) {
        (Enclosure::Root, _) | (_, Some(_)) => error("Invalid expression", detail),
        (_, None) => error(
            "Missing expression",
            "A value or a closing bracket is expected here.",
        ),
    }
}

/// Brackets that nothing closes.
fn unclosed(enclosure: Enclosure) -> Diagnostic {
    match enclosure {
        Enclosure::Parens => error("Unbalanced parentheses", "This parenthesis is not closed.")
            .hint("write `)` behind the expression".to_owned()),
        Enclosure::Call => error(
            "Unterminated function call",
            "This call has no closing parenthesis.",
        )
        .hint("write `)` behind the last argument".to_owned()),
        Enclosure::Index => error(
            "Missing close bracket on index",
            "This bracket is not closed.",
        )
        .hint("write `]` behind the index".to_owned()),
        Enclosure::Tuple => error(
            "Unterminated tuple constructor expression",
            "This list has no closing bracket.",
        )
        .hint("write `]` behind the last item".to_owned()),
        Enclosure::ForTuple(_) | Enclosure::ForObject(_) => error(
            "Invalid 'for' expression",
            "This `for` expression has no closing bracket.",
        )
        .hint("write the closing bracket behind the result".to_owned()),
        Enclosure::ObjectKey | Enclosure::ObjectValue | Enclosure::Root => error(
            "Unterminated object constructor expression",
            "This object has no closing brace.",
        )
        .hint("write `}` behind the last attribute".to_owned()),
    }
}

fn for_part(part: ForPart, object: bool) -> &'static str {
    match (part, object) {
        (ForPart::Collection, _) => "The collection behind `in` is followed by a colon.",
        (ForPart::Result, true) => "In `{for …}` the key is followed by `=>` and a value.",
        (ForPart::Condition, _) => "The condition behind `if` is followed by the closing bracket.",
        _ => "The result is followed by `if` and a condition, or by the closing bracket.",
    }
}

fn error(summary: &str, detail: &str) -> Diagnostic {
    Diagnostic::error(summary).detail(detail)
}
