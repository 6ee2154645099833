//! From tokens to the outline.

use std::ops::Range;

use host_syntax::{Token, TokenKind};

use super::scan::Scan;
use super::{Attribute, Block, Body, Item, Label};
use crate::language::TOP_LEVEL;

/// Bodies in bodies that are read; the scanner has a limit of its own near this.
const MOST_DEPTH: usize = 100;

/// The items of a file.
pub(super) fn read(text: &str, tokens: &[Token]) -> Vec<Item> {
    let mut reader = Reader {
        scan: Scan { text, tokens },
        at: 0,
    };
    reader.body(0)
}

struct Reader<'a> {
    scan: Scan<'a>,
    at: usize,
}

impl Reader<'_> {
    /// Items up to the brace that closes the body, which is left.
    fn body(&mut self, depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        loop {
            match self.scan.kind(self.at) {
                TokenKind::End => return items,
                TokenKind::CloseBrace if depth > 0 => return items,
                TokenKind::Ident => {
                    if depth > 0 && self.is_top_level(self.at) {
                        return items;
                    }
                    items.push(self.item(depth));
                }
                _ => self.at += 1,
            }
        }
    }

    fn item(&mut self, depth: usize) -> Item {
        let name = self.scan.tokens[self.at];
        self.at += 1;
        if self.scan.kind(self.at) == TokenKind::Equal {
            return Item::Attribute(self.attribute(name));
        }
        let mut labels = Vec::new();
        while let Some(label) = self.label() {
            labels.push(label);
        }
        let opens = self.scan.kind(self.at) == TokenKind::OpenBrace;
        let mut end = labels.last().map_or(name.end, |label| label.range.end);
        let body = (opens && depth < MOST_DEPTH).then(|| {
            let open = self.scan.tokens[self.at].end;
            self.at += 1;
            let items = self.body(depth + 1);
            let close = self.scan.start(self.at);
            end = close;
            if self.scan.kind(self.at) == TokenKind::CloseBrace {
                end = self.scan.tokens[self.at].end;
                self.at += 1;
            }
            Body {
                items,
                range: open..close,
                column: 0,
            }
        });
        Item::Block(Block {
            kind: name.text(self.scan.text).to_owned(),
            kind_range: name.start..name.end,
            labels,
            body,
            gap: None,
            range: name.start..end.max(name.end),
        })
    }

    /// The next label on the line.
    fn label(&mut self) -> Option<Label> {
        let token = *self.scan.tokens.get(self.at)?;
        let range = match token.kind {
            TokenKind::Ident => {
                self.at += 1;
                token.start..token.end
            }
            TokenKind::OpenQuote => {
                let close = closing(self.scan.tokens, self.at);
                self.at = close + 1;
                token.end..self.scan.start(close)
            }
            TokenKind::Broken if token.text(self.scan.text).starts_with('"') => {
                self.at += 1;
                token.start + 1..token.end
            }
            _ => return None,
        };
        // Half a string reaches to the end of the line, its header's brace with it.
        let text = self.scan.text[range.clone()]
            .trim_end_matches(['\r', '{'])
            .trim_end();
        Some(Label {
            text: text.to_owned(),
            range: range.start..range.start + text.len(),
        })
    }

    fn attribute(&mut self, name: Token) -> Attribute {
        let value_start = self.scan.tokens[self.at].end;
        self.at += 1;
        let tokens = self.expression();
        let last = tokens.clone().next_back();
        let end = last.map_or(value_start, |last| self.scan.tokens[last].end);
        Attribute {
            name: name.text(self.scan.text).to_owned(),
            name_range: name.start..name.end,
            value: value_start..end,
            tokens,
        }
    }

    /// The tokens of the expression that begins here: up to the first line break outside of its
    /// brackets. A bracket that is never closed ends where the next attribute or block begins.
    fn expression(&mut self) -> Range<usize> {
        let first = self.at;
        let mut open: Vec<TokenKind> = Vec::new();
        loop {
            match self.scan.kind(self.at) {
                TokenKind::End => break,
                TokenKind::Newline => {
                    if open.is_empty() || self.is_top_level(self.at + 1) {
                        break;
                    }
                    let object = open.last() == Some(&TokenKind::CloseBrace);
                    if !object && self.begins_item(self.at + 1) {
                        break;
                    }
                }
                kind if kind.is_closer() => match open.iter().rposition(|due| *due == kind) {
                    Some(position) => open.truncate(position),
                    None => break,
                },
                kind => open.extend(kind.closer()),
            }
            self.at += 1;
        }
        let mut end = self.at;
        while end > first && self.scan.kind(end - 1) == TokenKind::Newline {
            end -= 1;
        }
        first..end
    }

    /// Whether an attribute or a block with a brace begins with token `at`.
    fn begins_item(&self, at: usize) -> bool {
        if self.scan.kind(at) != TokenKind::Ident {
            return false;
        }
        matches!(
            self.scan.kind(at + 1),
            TokenKind::Equal | TokenKind::OpenBrace
        ) || (self.scan.kind(at + 1) == TokenKind::OpenQuote
            && self.scan.kind(closing(self.scan.tokens, at + 1) + 1) == TokenKind::OpenBrace)
    }

    /// Whether a block of the top level begins with token `at`: at the margin, where nothing else
    /// stands, so that a brace that is missing before it does not swallow it.
    fn is_top_level(&self, at: usize) -> bool {
        let Some(token) = self
            .scan
            .tokens
            .get(at)
            .filter(|one| one.kind == TokenKind::Ident)
        else {
            return false;
        };
        if token.start > 0 && !self.scan.text[..token.start].ends_with('\n') {
            return false;
        }
        let name = token.text(self.scan.text);
        let opens = matches!(
            self.scan.kind(at + 1),
            TokenKind::OpenBrace | TokenKind::OpenQuote | TokenKind::Broken
        );
        opens && TOP_LEVEL.iter().any(|entry| entry.name == name)
    }
}

/// The token that closes what token `open` opens, or the last one.
pub(super) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.kind.closer().is_some() {
            depth += 1;
        } else if token.kind.is_closer() {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    tokens.len().saturating_sub(1)
}
