//! YAML in brackets and quotes.

use host_syntax::TokenKind;

use super::yaml::Reader;
use super::{Entry, MOST_DEPTH, Node};

impl Reader<'_> {
    /// The value at byte `begin`, and where it ends.
    pub(super) fn flow(&mut self, begin: usize, indent: usize, depth: usize) -> (Node, usize) {
        match self.text.as_bytes().get(begin) {
            Some(b'{' | b'[') if depth < MOST_DEPTH => self.brackets(begin, indent, depth),
            Some(b'"' | b'\'') => self.quoted(begin),
            _ => {
                let end = self.word_end(begin);
                self.token(TokenKind::QuotedText, begin..end);
                (Node::Scalar { range: begin..end }, end)
            }
        }
    }

    /// Text in quotes. Quotes that are not closed reach to the end of their line.
    fn quoted(&mut self, begin: usize) -> (Node, usize) {
        let bytes = self.text.as_bytes();
        let quote = bytes[begin];
        let mut end = begin + 1;
        let closed = loop {
            match bytes.get(end) {
                None => break false,
                Some(b'\\') if quote == b'"' => end += 1,
                Some(byte) if *byte == quote => {
                    let doubled = quote == b'\'' && bytes.get(end + 1) == Some(&quote);
                    if !doubled {
                        break true;
                    }
                    end += 1;
                }
                Some(_) => {}
            }
            end += 1;
        };
        if !closed {
            let rest = &self.text[begin + 1..];
            let line = rest.split('\n').next().unwrap_or_default();
            end = begin + 1 + line.trim_end().len();
        }
        self.token(TokenKind::OpenQuote, begin..begin + 1);
        self.token(TokenKind::QuotedText, begin + 1..end);
        if closed {
            self.token(TokenKind::CloseQuote, end..end + 1);
        }
        let range = begin + 1..end;
        (Node::Scalar { range }, end + usize::from(closed))
    }

    fn brackets(&mut self, begin: usize, indent: usize, depth: usize) -> (Node, usize) {
        let is_map = self.text.as_bytes()[begin] == b'{';
        let (mut entries, mut items) = (Vec::new(), Vec::new());
        let mut at = begin + 1;
        loop {
            let (next, goes_on) = self.skipped(at, indent);
            at = next;
            let byte = self.text.as_bytes().get(at).copied();
            let ends = matches!(byte, None | Some(b'}' | b']'));
            if ends || !goes_on {
                break;
            }
            if is_map {
                let (entry, end) = self.flow_entry(at, indent, depth);
                entries.push(entry);
                at = end.max(at + 1);
            } else {
                let (item, end) = self.flow(at, indent, depth + 1);
                items.push(item);
                at = end.max(at + 1);
            }
            while !self.text.is_char_boundary(at) {
                at += 1;
            }
        }
        let range = begin + 1..at;
        let closes = self.text[at..].starts_with(['}', ']']);
        let node = match is_map {
            true => Node::Map {
                entries,
                range,
                column: 0,
            },
            false => Node::List { items, range },
        };
        (node, at + usize::from(closes))
    }

    /// Behind blanks and commas; false when what follows is no part of the brackets: a line that is
    /// indented no more than what they are in.
    fn skipped(&self, from: usize, indent: usize) -> (usize, bool) {
        let rest = &self.text[from..];
        let next = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        let skipped = &rest[..rest.len() - next.len()];
        let column = skipped.rsplit_once('\n').map(|(_, column)| column.len());
        let goes_on = column.is_none_or(|column| column > indent);
        let first_line = skipped.find('\n').map_or(from, |line| from + line);
        match goes_on || next.starts_with(['}', ']']) {
            true => (from + skipped.len(), true),
            false => (first_line, false),
        }
    }

    fn flow_entry(&mut self, begin: usize, indent: usize, depth: usize) -> (Entry, usize) {
        let quoted = self.text[begin..].starts_with(['"', '\'']);
        let (key_range, behind) = match quoted {
            true => {
                let before = self.count();
                let (key, end) = self.quoted(begin);
                debug_assert!(before < self.count(), "a text in quotes has tokens");
                (key.range(), end)
            }
            false => {
                let end = self.word_end(begin);
                (begin..end, end)
            }
        };
        let key = self.text[key_range.clone()].to_owned();
        let rest = &self.text[behind..];
        let colon = behind + rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let first = self.count();
        if !self.text[colon..].starts_with(':') {
            let entry = Entry {
                key,
                value: None,
                value_start: key_range.end,
                tokens: first..first,
                key_range,
            };
            return (entry, behind);
        }
        let value_start = colon + 1;
        let rest = &self.text[value_start..];
        let value_begin = value_start + rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let missing = matches!(
            self.text.as_bytes().get(value_begin),
            None | Some(b',' | b'}' | b']' | b'\n' | b'\r')
        );
        let (value, end) = match missing {
            true => (Node::Missing { at: value_start }, value_begin),
            false => self.flow(value_begin, indent, depth + 1),
        };
        let entry = Entry {
            key,
            key_range,
            value: Some(value),
            value_start,
            tokens: first..self.count(),
        };
        (entry, end)
    }

    /// The end of a word without quotes in brackets.
    fn word_end(&self, begin: usize) -> usize {
        let rest = &self.text[begin..];
        let end = rest.char_indices().find(|(at, character)| match character {
            ',' | ']' | '}' | '[' | '{' | '\n' | '\r' => true,
            ':' => rest[at + 1..].starts_with([' ', '\n', '\r']) || rest.len() == at + 1,
            _ => false,
        });
        let end = end.map_or(rest.len(), |(at, _)| at);
        begin + rest[..end].trim_end().len()
    }
}
