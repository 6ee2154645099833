//! JSON, read from tokens of the same scanner as HCL: JSON is nearly an expression of it.

use std::ops::Range;

use host_syntax::{Token, TokenKind};

use super::super::reader::closing;
use super::super::scan::Scan;
use super::{Entry, MOST_DEPTH, Node, Read};
use crate::documents::Kind;

/// Reads a text.
pub(super) fn read(text: &str, kind: Kind) -> Read {
    let masked = masked(text, kind);
    let (comments, tokens): (Vec<Token>, Vec<Token>) = host_syntax::tokens(&masked)
        .into_iter()
        .partition(|token| token.kind == TokenKind::Comment);
    let mut reader = Reader {
        scan: Scan {
            text,
            tokens: &tokens,
        },
        at: 0,
    };
    let root = reader.value(0);
    let comments = comments.iter().map(|token| token.start..token.end);
    Read {
        root,
        comments: comments.collect(),
        tokens,
    }
}

/// The text with the same number of bytes, but with what JSON and HCL read differently taken out:
/// escapes inside of `${…}`, and in legacy templates, which have no `${…}`, its dollar.
fn masked(text: &str, kind: Kind) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let is_template = kind == Kind::TemplateJson;
    let mut at = 0;
    let mut in_text = false;
    // Braces open in a sequence, and whether a text in quotes is open there.
    let (mut braces, mut quoted) = (0_usize, false);
    while at < bytes.len() {
        let next = bytes.get(at + 1).copied().unwrap_or_default();
        match bytes[at] {
            b'"' | b'\n' => {
                in_text = bytes[at] == b'"' && !in_text;
                (braces, quoted) = (0, false);
            }
            b'\\' if braces > 0 => {
                let kept = matches!(next, b'"' | b'\\');
                bytes[at] = b' ';
                if !kept && !matches!(next, b'\n' | b'\r' | b'"') && next.is_ascii() && next != 0 {
                    bytes[at + 1] = b' ';
                }
                quoted ^= next == b'"';
                at += 1;
            }
            b'\\' if in_text => at += 1,
            b'$' | b'%' if in_text && next == b'{' && !is_template => bytes[at] = b'_',
            b'$' | b'%' if in_text && next == bytes[at] && bytes.get(at + 2) == Some(&b'{') => {
                at += 2;
            }
            b'$' | b'%' if in_text && next == b'{' => {
                braces += 1;
                at += 1;
            }
            b'{' if braces > 0 && !quoted => braces += 1,
            b'}' if braces > 0 && !quoted => braces -= 1,
            _ => {}
        }
        at += 1;
    }
    // Only characters of one byte are replaced, by others of one byte.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

struct Reader<'a> {
    scan: Scan<'a>,
    at: usize,
}

impl Reader<'_> {
    fn skip_lines(&mut self) {
        while self.scan.kind(self.at) == TokenKind::Newline {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Node {
        self.skip_lines();
        let token = self.scan.tokens.get(self.at).copied();
        match self.scan.kind(self.at) {
            TokenKind::OpenBrace if depth < MOST_DEPTH => self.map(depth),
            TokenKind::OpenBracket if depth < MOST_DEPTH => self.list(depth),
            TokenKind::OpenQuote | TokenKind::Broken => Node::Scalar { range: self.text() },
            kind if kind.is_closer() || matches!(kind, TokenKind::Comma | TokenKind::End) => {
                Node::Missing {
                    at: self.scan.start(self.at),
                }
            }
            _ => {
                let start = token.map_or(self.scan.text.len(), |token| token.start);
                let mut end = start;
                while !self.ends_word() {
                    end = self.scan.tokens[self.at].end;
                    self.at += 1;
                }
                Node::Scalar { range: start..end }
            }
        }
    }

    fn ends_word(&self) -> bool {
        let kind = self.scan.kind(self.at);
        let shallow = matches!(
            kind,
            TokenKind::Comma | TokenKind::Newline | TokenKind::Colon | TokenKind::End
        );
        shallow
            || matches!(kind, TokenKind::CloseBrace | TokenKind::CloseBracket)
            || kind == TokenKind::OpenQuote
    }

    /// What stands between the quotes that begin here.
    fn text(&mut self) -> Range<usize> {
        let token = self.scan.tokens[self.at];
        if token.kind == TokenKind::Broken {
            self.at += 1;
            let start = token.start + usize::from(token.text(self.scan.text).starts_with('"'));
            let text = &self.scan.text[start..token.end];
            let text = text.trim_end_matches(['\r', ',', '}', ']', ' ', '\t']);
            return start..start + text.len();
        }
        let close = closing(self.scan.tokens, self.at);
        self.at = close + 1;
        token.end..self.scan.start(close).max(token.end)
    }

    fn list(&mut self, depth: usize) -> Node {
        let open = self.scan.tokens[self.at].end;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.scan.kind(self.at) {
                TokenKind::Newline | TokenKind::Comma => self.at += 1,
                TokenKind::CloseBracket | TokenKind::CloseBrace | TokenKind::End => break,
                // What belongs to nothing.
                TokenKind::Colon => self.at += 1,
                _ => {
                    let before = self.at;
                    items.push(self.value(depth + 1));
                    self.at = self.at.max(before + 1);
                }
            }
        }
        let range = open..self.scan.start(self.at);
        self.close(TokenKind::CloseBracket);
        Node::List { items, range }
    }

    fn map(&mut self, depth: usize) -> Node {
        let open = self.scan.tokens[self.at].end;
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            match self.scan.kind(self.at) {
                TokenKind::CloseBracket | TokenKind::CloseBrace | TokenKind::End => break,
                TokenKind::OpenQuote | TokenKind::Broken | TokenKind::Ident => {
                    entries.push(self.entry(depth));
                }
                _ => self.at += 1,
            }
        }
        let range = open..self.scan.start(self.at);
        self.close(TokenKind::CloseBrace);
        Node::Map {
            entries,
            range,
            column: 0,
        }
    }

    /// Steps over the bracket that closes; one of the other kind belongs to what is around.
    fn close(&mut self, kind: TokenKind) {
        if self.scan.kind(self.at) == kind {
            self.at += 1;
        }
    }

    fn entry(&mut self, depth: usize) -> Entry {
        let key_range = match self.scan.kind(self.at) {
            TokenKind::Ident => {
                let token = self.scan.tokens[self.at];
                self.at += 1;
                token.start..token.end
            }
            _ => self.text(),
        };
        let key = self.scan.text[key_range.clone()].to_owned();
        if self.scan.kind(self.at) != TokenKind::Colon {
            return Entry {
                key,
                value: None,
                value_start: key_range.end,
                tokens: self.at..self.at,
                key_range,
            };
        }
        let value_start = self.scan.tokens[self.at].end;
        self.at += 1;
        let first = self.at;
        let value = match self.is_next_key() {
            true => Node::Missing { at: value_start },
            false => self.value(depth + 1),
        };
        Entry {
            key,
            key_range,
            value: Some(value),
            value_start,
            tokens: first..self.at,
        }
    }

    /// Whether a line break and a key follow, so that there is no value yet.
    fn is_next_key(&self) -> bool {
        let mut at = self.at;
        while self.scan.kind(at) == TokenKind::Newline {
            at += 1;
        }
        at > self.at
            && self.scan.kind(at) == TokenKind::OpenQuote
            && self.scan.kind(closing(self.scan.tokens, at) + 1) == TokenKind::Colon
    }
}
