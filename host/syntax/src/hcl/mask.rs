//! The text that hcl-edit gets to see.
//!
//! Strings and heredocs are replaced by plain strings of the same length, comments and line breaks
//! that mean nothing by blanks, and an object's item whose key comes again later is blanked out,
//! because hcl-edit refuses it where Go's library lets the last one win.

use std::collections::HashMap;
use std::ops::Range;

use super::pieces::{Findings, ItemOutline, Piece};
use crate::scanner::{Token, TokenKind};

/// An expression's text, ready for hcl-edit.
pub(super) struct Masked {
    /// As long as the expression's own text.
    pub text: String,
    /// Items that were blanked out.
    pub lifted: Vec<Lifted>,
}

/// An item of an object that is read on its own.
pub(super) struct Lifted {
    /// Byte of the object's opening brace.
    pub object: usize,
    /// Tokens of the key.
    pub key: Range<usize>,
    /// Tokens of the value.
    pub value: Range<usize>,
}

/// Masks the expression that `pieces`, of which there is at least one, make up.
pub(super) fn mask(text: &str, tokens: &[Token], pieces: &[Piece], findings: &Findings) -> Masked {
    let start = tokens[pieces[0].first].start;
    let end = tokens[pieces[pieces.len() - 1].last].end;
    let mut bytes = vec![b' '; end - start];
    for (at, piece) in pieces.iter().enumerate() {
        let place = tokens[piece.first].start..tokens[piece.last].end;
        let original = &text.as_bytes()[place.clone()];
        let masked = &mut bytes[place.start - start..place.end - start];
        match piece.kind {
            TokenKind::Newline => {}
            TokenKind::OpenQuote | TokenKind::OpenHeredoc => mask_string(masked, original),
            TokenKind::Number if at > 0 && pieces[at - 1].kind == TokenKind::Dot => {
                mask_index(masked, original);
            }
            TokenKind::Number if is_huge(original) => {
                masked.fill(b'1');
                masked[1] = b'.';
            }
            _ => masked.copy_from_slice(original),
        }
    }
    for at in &findings.line_breaks {
        bytes[tokens[pieces[*at].first].end - start - 1] = b'\n';
    }
    let mut lifted = Vec::new();
    for object in &findings.objects {
        for (item, next) in repeated(&object.items, |item| {
            key_text(&bytes, tokens, pieces, item, start)
        }) {
            lifted.push((tokens[pieces[object.open].first].start, item, next));
        }
    }
    let lifted = lifted.into_iter().map(|(object, item, next)| {
        let blank_end = next.map_or(item.value.end, |next: &ItemOutline| next.key.start);
        let from = tokens[pieces[item.key.start].first].start - start;
        let to = tokens[pieces[blank_end].first].start - start;
        bytes[from..to].fill(b' ');
        let range = |pieces_range: &Range<usize>| {
            pieces[pieces_range.start].first..pieces[pieces_range.end - 1].last + 1
        };
        Lifted {
            object,
            key: range(&item.key),
            value: range(&item.value),
        }
    });
    let lifted = lifted.collect();
    let text = String::from_utf8(bytes).expect("whole tokens and ASCII were copied");
    Masked { text, lifted }
}

/// Whether a number is larger than hcl-edit's numbers; ours are not limited so. Such a number has
/// five characters at least.
fn is_huge(number: &[u8]) -> bool {
    let number = std::str::from_utf8(number).ok();
    let number = number.and_then(|text| text.parse::<f64>().ok());
    number.is_some_and(f64::is_infinite)
}

/// An old index without the leading zeros that hcl-edit does not know.
fn mask_index(masked: &mut [u8], original: &[u8]) {
    let zeros = original.iter().take_while(|byte| **byte == b'0').count();
    let kept = zeros.min(original.len() - 1);
    masked[kept..].copy_from_slice(&original[kept..]);
}

/// A string of the same length whose content has no meaning: other bytes that differ stay different
/// as far as possible, because keys are compared.
fn mask_string(masked: &mut [u8], original: &[u8]) {
    for (to, from) in masked.iter_mut().zip(original) {
        *to = match from {
            b if b.is_ascii_alphanumeric() || *b == b' ' => *from,
            _ => b'_',
        };
    }
    let last = masked.len() - 1;
    masked[0] = b'"';
    masked[last] = b'"';
}

fn key_text<'b>(
    bytes: &'b [u8],
    tokens: &[Token],
    pieces: &[Piece],
    item: &ItemOutline,
    start: usize,
) -> &'b [u8] {
    let from = tokens[pieces[item.key.start].first].start - start;
    let to = tokens[pieces[item.key.end - 1].last].end - start;
    &bytes[from..to]
}

/// Items whose key comes again, each with the item behind it.
fn repeated<'i, 'b>(
    items: &'i [ItemOutline],
    key: impl Fn(&ItemOutline) -> &'b [u8],
) -> Vec<(&'i ItemOutline, Option<&'i ItemOutline>)> {
    let mut last = HashMap::new();
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let text: Vec<u8> = key(item).iter().copied().filter(|b| *b != b' ').collect();
        if let Some(earlier) = last.insert(text, at) {
            found.push((&items[earlier], items.get(earlier + 1)));
        }
    }
    found
}
