//! What stands at the cursor.

use std::ops::Range;

use host_syntax::{Token, TokenKind};

use super::{Attribute, Block, Item, Outline};

/// What stands at the cursor.
#[derive(Debug)]
pub(crate) enum Cursor<'a> {
    /// An attribute or block can begin here, or its name stands here.
    Item {
        /// The blocks around, the outermost first.
        path: Vec<&'a Block>,
        /// What stands in the innermost one, or in the file.
        items: &'a [Item],
        /// The name, as far as it is there.
        word: Range<usize>,
    },
    /// A label.
    Label {
        /// The blocks around its block.
        path: Vec<&'a Block>,
        block: &'a Block,
        /// Which one.
        index: usize,
        /// Its text; `quoted` when quotes stand around it.
        range: Range<usize>,
        quoted: bool,
    },
    /// An expression.
    Value {
        path: Vec<&'a Block>,
        attribute: &'a Attribute,
        typed: Typed,
    },
    /// A comment, or nothing that anything is known of.
    Nowhere,
}

/// What stands before the cursor in an expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Text between quotes; the range is what stands there.
    Text(Range<usize>),
    /// A value without quotes in JSON or YAML, which may be empty.
    Bare { last: Range<usize> },
    /// The name of a function in `{{ }}`.
    Call { last: Range<usize> },
    /// A text in quotes behind a function in `{{ }}`.
    Argument {
        function: String,
        last: Range<usize>,
    },
    /// Names with dots between, as far as the cursor; the last one may be empty.
    Code {
        /// All but the last, without indexes.
        before: Vec<String>,
        /// The last, up to its end behind the cursor.
        last: Range<usize>,
    },
}

impl Outline {
    /// What stands at byte `at`.
    pub(crate) fn cursor(&self, text: &str, at: usize) -> Cursor<'_> {
        let in_comment = |range: &Range<usize>| range.start < at && at <= range.end;
        if self.comments.iter().any(in_comment) {
            return Cursor::Nowhere;
        }
        if self.kind.is_data() {
            return self.data_cursor(text, at);
        }
        let mut path: Vec<&Block> = Vec::new();
        let mut items: &[Item] = &self.items;
        'deeper: loop {
            for item in items {
                match item {
                    Item::Attribute(attribute) if self.is_in_value(text, attribute, at) => {
                        let typed = self.typed(text, attribute, at);
                        return Cursor::Value {
                            path,
                            attribute,
                            typed,
                        };
                    }
                    Item::Block(block) => {
                        let body = block.body.as_ref();
                        let body =
                            body.filter(|body| body.range.start <= at && at <= body.range.end);
                        if let Some(body) = body {
                            path.push(block);
                            items = &body.items;
                            continue 'deeper;
                        }
                        if let Some((index, range, quoted)) = label_at(text, block, at) {
                            return Cursor::Label {
                                path,
                                block,
                                index,
                                range,
                                quoted,
                            };
                        }
                    }
                    _ => {}
                }
            }
            let word = word_around(text, at);
            let line = text[..word.start].rsplit('\n').next().unwrap_or_default();
            // In `{ a = 1 }` an item begins behind the brace.
            let line = line.rsplit('{').next().unwrap_or_default();
            return if line.trim().is_empty() {
                Cursor::Item { path, items, word }
            } else {
                Cursor::Nowhere
            };
        }
    }

    /// Whether the cursor is behind the `=` of an attribute and not behind its line.
    fn is_in_value(&self, text: &str, attribute: &Attribute, at: usize) -> bool {
        let value = &attribute.value;
        at >= value.start
            && (at <= value.end || text[value.end..at].chars().all(|c| c == ' ' || c == '\t'))
    }

    pub(super) fn typed(&self, text: &str, attribute: &Attribute, at: usize) -> Typed {
        let tokens = self.tokens_of(attribute);
        let before = tokens.iter().rposition(|token| token.start < at);
        if let Some(index) = before {
            let token = tokens[index];
            if let Some(range) = text_at(text, tokens, index, at) {
                return Typed::Text(range);
            }
            if token.kind == TokenKind::Broken && at <= token.end {
                return broken(text, token, at);
            }
        }
        code(text, attribute.value.start, at)
    }
}

/// The text between quotes, or in a heredoc, that the cursor is in.
pub(super) fn text_at(
    text: &str,
    tokens: &[Token],
    index: usize,
    at: usize,
) -> Option<Range<usize>> {
    let token = tokens[index];
    let next = tokens.get(index + 1);
    match token.kind {
        TokenKind::QuotedText | TokenKind::HeredocText if at <= token.end => {
            Some(token.start..token.end)
        }
        TokenKind::OpenQuote if at == token.end => Some(match next {
            Some(next) if next.kind == TokenKind::QuotedText => next.start..next.end,
            _ => at..at,
        }),
        TokenKind::OpenHeredoc if at == token.end => Some(at..at),
        TokenKind::CloseTemplate if at == token.end => {
            let closes = next.is_some_and(|next| next.kind == TokenKind::CloseQuote);
            (closes || text[at..].starts_with(|c: char| c != '\n')).then_some(at..at)
        }
        _ => None,
    }
}

/// In a string that does not end on its line.
fn broken(text: &str, token: Token, at: usize) -> Typed {
    let mut start = token.start;
    // Braces of sequences that are open, and whether text began at `start`.
    let mut open: Vec<bool> = Vec::new();
    let mut characters = text[token.start..at].char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        let place = token.start + offset;
        let in_text = open.last() == Some(&true);
        match character {
            '\\' if in_text => drop(characters.next()),
            '"' if in_text => drop(open.pop()),
            '"' => {
                open.push(true);
                start = place + 1;
            }
            '$' | '%' if in_text => {
                if let Some((_, '{')) = characters.peek() {
                    characters.next();
                    open.push(false);
                    start = place + 2;
                }
            }
            '}' if !in_text => {
                open.pop();
                start = place + 1;
            }
            _ => {}
        }
    }
    match open.last() {
        Some(true) => {
            let rest = &text[at..token.end];
            let end = rest
                .find(['"', '\r', '\n', ',', ']', ' '])
                .unwrap_or(rest.len());
            Typed::Text(start..at + end)
        }
        _ => code(text, start.min(at), at),
    }
}

/// In code: the names with dots before the cursor, from byte `from` on.
pub(super) fn code(text: &str, from: usize, at: usize) -> Typed {
    let word = word_around(text, at);
    let word = word.start.max(from)..word.end.max(at);
    let mut before = Vec::new();
    let mut rest = &text[from..word.start];
    while let Some(shorter) = rest.strip_suffix('.') {
        let target = without_indexes(shorter);
        let name = word_around(target, target.len());
        let found = target[name.start..].to_owned();
        if found.is_empty() {
            break;
        }
        rest = &target[..name.start];
        before.insert(0, found);
    }
    Typed::Code { before, last: word }
}

/// `a.b[0]["x"]` without what is in brackets at its end.
fn without_indexes(mut text: &str) -> &str {
    while let Some(inner) = text.strip_suffix(']') {
        let Some(open) = inner.rfind('[') else {
            return text;
        };
        text = &inner[..open];
    }
    text
}

/// The name that the cursor is in or at an end of.
pub(crate) fn word_around(text: &str, at: usize) -> Range<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let before = text[..at].chars().rev().take_while(|c| part(*c));
    let start = at - before.map(char::len_utf8).sum::<usize>();
    let after = text[at..].chars().take_while(|c| part(*c));
    let end = at + after.map(char::len_utf8).sum::<usize>();
    // A name begins with no dash and no digit.
    let skipped = text[start..end]
        .chars()
        .take_while(|c| *c == '-' || c.is_ascii_digit())
        .map(char::len_utf8)
        .sum::<usize>();
    (start + skipped).min(at)..end
}

/// The label of a header that the cursor is in: which one, its place, whether it has quotes.
fn label_at(text: &str, block: &Block, at: usize) -> Option<(usize, Range<usize>, bool)> {
    for (index, label) in block.labels.iter().enumerate() {
        if label.range.start <= at && at <= label.range.end {
            let quoted = text[..label.range.start].ends_with('"');
            return Some((index, label.range.clone(), quoted));
        }
    }
    let last = block.labels.last().map_or(&block.kind_range, |l| &l.range);
    let between = text.get(last.end..at)?;
    let blanks = between.strip_prefix('"').unwrap_or(between);
    let behind = !blanks.is_empty() && blanks.chars().all(|c| c == ' ' || c == '\t');
    behind.then_some((block.labels.len(), at..at, false))
}
