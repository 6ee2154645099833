//! YAML, line by line: what is indented more belongs to what is before it.

use std::ops::Range;

use host_syntax::{Token, TokenKind};

use super::{Entry, MOST_DEPTH, Node, Read};

/// Reads a text.
pub(super) fn read(text: &str) -> Read {
    let mut reader = Reader {
        text,
        lines: Vec::new(),
        at: 0,
        tokens: Vec::new(),
        comments: Vec::new(),
    };
    reader.split();
    let root = reader.node(0, 0);
    Read {
        root,
        tokens: reader.tokens,
        comments: reader.comments,
    }
}

/// A line with something on it, but a comment.
#[derive(Clone, Debug)]
struct Line {
    /// Its first byte.
    start: usize,
    /// The column where its content begins; behind the dash of an item, the column of the item.
    indent: usize,
    content: Range<usize>,
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    lines: Vec<Line>,
    /// The line to read.
    at: usize,
    tokens: Vec<Token>,
    comments: Vec<Range<usize>>,
}

impl Reader<'_> {
    fn split(&mut self) {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let content = line.trim();
            let indent = line.len() - line.trim_start().len();
            let range = start + indent..start + indent + content.len();
            let is_mark = content == "---" || content == "..." || content.starts_with('%');
            if content.starts_with('#') {
                self.comments.push(range);
            } else if !content.is_empty() && !is_mark {
                self.lines.push(Line {
                    start,
                    indent,
                    content: range,
                });
            }
            start += line.len();
        }
    }

    fn line(&self) -> Option<&Line> {
        self.lines.get(self.at)
    }

    /// Where the line to read begins, or the text ends.
    fn next_start(&self) -> usize {
        self.line().map_or(self.text.len(), |line| line.start)
    }

    /// The value that begins on the line to read, when it is indented as much as `least`.
    fn node(&mut self, least: usize, depth: usize) -> Node {
        let Some(line) = self.line().filter(|line| line.indent >= least).cloned() else {
            return Node::Missing {
                at: self.next_start(),
            };
        };
        if depth >= MOST_DEPTH {
            self.at += 1;
            return Node::Missing {
                at: line.content.end,
            };
        }
        if is_item(&self.text[line.content.clone()]) {
            self.list(line.indent, depth)
        } else if self.key_of(&line.content).is_some() {
            self.map(line.indent, depth)
        } else {
            self.inline(line.content.start, line.indent)
        }
    }

    fn list(&mut self, indent: usize, depth: usize) -> Node {
        let mut items = Vec::new();
        let start = self.next_start();
        let mut end = start;
        while let Some(line) = self.line().cloned() {
            let content = &self.text[line.content.clone()];
            if line.indent < indent || (line.indent == indent && !is_item(content)) {
                break;
            }
            if line.indent > indent {
                // Indented by nothing that is known.
                self.at += 1;
                continue;
            }
            let rest = content[1..].trim_start();
            let dash = line.content.start + 1;
            let item = if rest.is_empty() || rest.starts_with('#') {
                self.at += 1;
                match self.line() {
                    Some(next) if next.indent > indent => self.node(indent + 1, depth + 1),
                    _ => Node::Missing { at: dash },
                }
            } else {
                let begin = line.content.end - rest.len();
                let changed = &mut self.lines[self.at];
                changed.indent += begin - changed.content.start;
                changed.content.start = begin;
                let least = changed.indent;
                self.node(least, depth + 1)
            };
            end = item.range().end.max(dash);
            items.push(item);
        }
        Node::List {
            items,
            range: start..end,
        }
    }

    fn map(&mut self, indent: usize, depth: usize) -> Node {
        let start = self.line().map_or(0, |line| line.content.start);
        let mut entries = Vec::new();
        while let Some(line) = self.line().cloned() {
            if line.indent < indent {
                break;
            }
            let content = &self.text[line.content.clone()];
            if line.indent > indent {
                self.at += 1;
                continue;
            }
            if is_item(content) {
                break;
            }
            entries.push(match self.key_of(&line.content) {
                Some((key, colon)) => self.entry(&line, key, colon, depth),
                None => {
                    self.at += 1;
                    let end = content.find(" #").unwrap_or(content.len());
                    self.bare(line.content.start..line.content.start + end)
                }
            });
        }
        Node::Map {
            entries,
            range: start..self.next_start(),
            column: indent,
        }
    }

    fn bare(&self, key_range: Range<usize>) -> Entry {
        let tokens = self.tokens.len();
        Entry {
            key: self.text[key_range.clone()].to_owned(),
            value: None,
            value_start: key_range.end,
            tokens: tokens..tokens,
            key_range,
        }
    }

    fn entry(&mut self, line: &Line, key: Range<usize>, colon: usize, depth: usize) -> Entry {
        let first = self.tokens.len();
        let mut begin = colon;
        let rest = loop {
            let rest = &self.text[begin..line.content.end];
            let trimmed = rest.trim_start();
            begin += rest.len() - trimmed.len();
            // Anchors and tags stand before the value.
            if !trimmed.starts_with(['&', '!']) {
                break trimmed;
            }
            begin += trimmed.find([' ', '\t']).unwrap_or(trimmed.len());
        };
        let value = match rest.chars().next() {
            None | Some('#') => {
                self.at += 1;
                self.below(line.indent, colon, depth)
            }
            Some('|' | '>') => self.block_text(line, begin),
            Some(_) => self.inline(begin, line.indent),
        };
        Entry {
            key: self.text[key.clone()].to_owned(),
            key_range: key,
            value: Some(value),
            value_start: colon,
            tokens: first..self.tokens.len(),
        }
    }

    /// The value of a key that has nothing behind it on its line.
    fn below(&mut self, indent: usize, colon: usize, depth: usize) -> Node {
        let Some(next) = self.line() else {
            return Node::Missing { at: colon };
        };
        let is_list = next.indent == indent && is_item(&self.text[next.content.clone()]);
        match next.indent > indent {
            true => self.node(indent + 1, depth + 1),
            false if is_list && depth < MOST_DEPTH => self.list(indent, depth + 1),
            false => Node::Missing { at: colon },
        }
    }

    /// A text in lines below its key.
    fn block_text(&mut self, line: &Line, begin: usize) -> Node {
        self.at += 1;
        let mut range = begin..line.content.end;
        let mut is_first = true;
        while let Some(next) = self.line().filter(|next| next.indent > line.indent) {
            if is_first {
                range.start = next.content.start;
                is_first = false;
            }
            range.end = next.content.end;
            self.at += 1;
        }
        if !is_first {
            self.token(TokenKind::QuotedText, range.clone());
        }
        Node::Scalar { range }
    }

    /// A value that begins at byte `begin` of the line to read, in something that is indented by
    /// `indent`.
    fn inline(&mut self, begin: usize, indent: usize) -> Node {
        let node = match self.text.as_bytes().get(begin) {
            Some(b'"' | b'\'' | b'[' | b'{') => self.flow(begin, indent, 0).0,
            _ => self.plain(begin, indent),
        };
        let end = node.range().end;
        let behind = self
            .lines
            .partition_point(|line| line.start < end.max(begin + 1));
        self.at = behind.max(self.at + 1);
        node
    }

    /// Text without quotes, with the lines it goes on in.
    fn plain(&mut self, begin: usize, indent: usize) -> Node {
        let line = self
            .line()
            .map_or(begin..begin, |line| line.content.clone());
        let text = &self.text[begin..line.end];
        let mut end = line.end;
        if let Some(comment) = text.find(" #") {
            self.comments.push(begin + comment + 1..line.end);
            end = begin + text[..comment].trim_end().len();
        } else {
            let more = self.lines[self.at + 1..].iter();
            let more = more.take_while(|line| line.indent > indent);
            end = more.last().map_or(end, |last| last.content.end);
        }
        self.token(TokenKind::QuotedText, begin..end);
        Node::Scalar { range: begin..end }
    }

    pub(super) fn token(&mut self, kind: TokenKind, range: Range<usize>) {
        self.tokens.push(Token {
            kind,
            start: range.start,
            end: range.end,
        });
    }

    /// How many tokens there are.
    pub(super) fn count(&self) -> usize {
        self.tokens.len()
    }

    /// The key that a line begins with, and where its value may begin.
    fn key_of(&self, content: &Range<usize>) -> Option<(Range<usize>, usize)> {
        let text = &self.text[content.clone()];
        let first = text.chars().next()?;
        if matches!(first, '"' | '\'') {
            let length = text[1..].find(first)?;
            let key = content.start + 1..content.start + 1 + length;
            let rest = self.text[key.end + 1..content.end].trim_start();
            return rest
                .starts_with(':')
                .then(|| (key, content.end - rest.len() + 1));
        }
        if matches!(first, '[' | '{' | '*' | '|' | '>' | '#') {
            return None;
        }
        let comment = text.find(" #").unwrap_or(text.len());
        let colon = match text[..comment].find(": ") {
            Some(colon) => colon,
            None => text[..comment].trim_end().strip_suffix(':')?.len(),
        };
        let key = text[..colon].trim_end();
        Some((
            content.start..content.start + key.len(),
            content.start + colon + 1,
        ))
    }
}

/// Whether a line begins with an item of a list.
fn is_item(content: &str) -> bool {
    content == "-" || content.starts_with("- ")
}
