//! An expression as one flat list, and what is found in it.

use std::ops::Range;

use super::outline::template_end;
use crate::scanner::{Token, TokenKind};

/// A token of an expression, or a whole string or heredoc.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// The kind of the first token.
    pub kind: TokenKind,
    /// First token.
    pub first: usize,
    /// Last token.
    pub last: usize,
}

/// The tokens in `range` with strings and heredocs taken as one each.
pub(super) fn pieces(tokens: &[Token], range: Range<usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let kind = tokens[at].kind;
        let last = match kind {
            TokenKind::OpenQuote | TokenKind::OpenHeredoc => template_end(tokens, at),
            _ => at,
        };
        pieces.push(Piece {
            kind,
            first: at,
            last,
        });
        at = last + 1;
    }
    pieces
}

/// What was found in an expression that makes sense.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Objects in the order they end.
    pub objects: Vec<ObjectOutline>,
    /// Pieces that are line breaks between items of an object, in order.
    pub line_breaks: Vec<usize>,
}

/// An object and its items, as piece numbers.
#[derive(Debug)]
pub(super) struct ObjectOutline {
    /// The opening brace.
    pub open: usize,
    /// The items in order.
    pub items: Vec<ItemOutline>,
}

/// `key = value` and what separates it from the next.
#[derive(Debug)]
pub(super) struct ItemOutline {
    /// The key.
    pub key: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

/// What encloses the piece at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enclosure {
    /// Nothing.
    Root,
    /// `( … )`.
    Parens,
    /// `name( … )`.
    Call,
    /// `x[ … ]`.
    Index,
    /// `[ … ]`.
    Tuple,
    /// `{ … }` before `=`.
    ObjectKey,
    /// `{ … }` behind `=`.
    ObjectValue,
    /// `[for …]`.
    ForTuple(ForPart),
    /// `{for …}`.
    ForObject(ForPart),
}

/// Parts of a `for` expression, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ForPart {
    /// Behind `in`.
    Collection,
    /// Behind `:`, in `{for …}` the key.
    Result,
    /// Behind `=>`.
    Value,
    /// Behind `...`.
    Grouped,
    /// Behind `if`.
    Condition,
}
