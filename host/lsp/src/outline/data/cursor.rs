//! What stands at the cursor in JSON and YAML.

use std::ops::Range;

use host_syntax::TokenKind;

use super::super::cursor::{text_at, word_around};
use super::super::{Attribute, Block, Cursor, Item, Outline, Typed};
use super::call::call_at;

impl Outline {
    /// What stands at byte `at`, in anything but HCL.
    pub(crate) fn data_cursor(&self, text: &str, at: usize) -> Cursor<'_> {
        let mut path: Vec<&Block> = Vec::new();
        let mut items: &[Item] = &self.items;
        let mut column = None;
        'deeper: loop {
            for item in items {
                match item {
                    Item::Attribute(one) if hits(text, &one.name_range, at) => {
                        let word = with_quotes(text, &one.name_range);
                        return Cursor::Item { path, items, word };
                    }
                    Item::Attribute(one) if self.is_in_data(text, one, at) => {
                        return match self.data_typed(text, one, at) {
                            Some(typed) => Cursor::Value {
                                path,
                                attribute: one,
                                typed,
                            },
                            None => Cursor::Nowhere,
                        };
                    }
                    Item::Attribute(_) => {}
                    Item::Block(block) => {
                        let body = block.body.as_ref();
                        if let Some(body) = body.filter(|body| {
                            body.range.start <= at
                                && at <= body.range.end
                                && column_of(text, word_around(text, at).start) >= body.column
                        }) {
                            path.push(block);
                            items = &body.items;
                            column = Some(body.column).filter(|_| !items.is_empty());
                            continue 'deeper;
                        }
                        let mut labels = block.labels.iter().enumerate();
                        let label = labels.find(|(_, label)| hits(text, &label.range, at));
                        if let Some((index, label)) = label.filter(|_| !self.kind.is_legacy()) {
                            let range = with_quotes(text, &label.range);
                            return label_at(path, block, index, range);
                        }
                        if hits(text, &block.kind_range, at) {
                            let word = with_quotes(text, &block.kind_range);
                            return Cursor::Item { path, items, word };
                        }
                    }
                }
            }
            let word = word_around(text, at);
            if !self.is_key_place(text, word.start, column.unwrap_or(usize::MAX)) {
                return Cursor::Nowhere;
            }
            let gap = super::super::blocks(items).find(|block| {
                let gap = block.gap.as_ref();
                gap.is_some_and(|gap| gap.start <= at && at <= gap.end)
            });
            return match gap {
                Some(block) => label_at(path, block, block.labels.len(), word),
                None => Cursor::Item { path, items, word },
            };
        }
    }

    /// Whether a key can begin at byte `at`, in a body whose keys stand in `column`.
    fn is_key_place(&self, text: &str, at: usize, column: usize) -> bool {
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        let is_bracket = line.trim_end().ends_with(['{', ',']);
        if self.kind.is_yaml() {
            let is_begun = line.trim_start_matches([' ', '-']).is_empty();
            let root = self.items.is_empty() || line.is_empty();
            let fits =
                line.len() == column || (column == usize::MAX && (root || line.contains('-')));
            return (is_begun && fits) || is_bracket;
        }
        let mut open = Vec::new();
        for token in self.tokens.iter().take_while(|token| token.end <= at) {
            match token.kind {
                TokenKind::OpenBrace | TokenKind::OpenBracket => open.push(token.kind),
                TokenKind::CloseBrace | TokenKind::CloseBracket => drop(open.pop()),
                _ => {}
            }
        }
        let begun = line.trim().is_empty() && !text[..at].trim_end().ends_with(':');
        open.last() == Some(&TokenKind::OpenBrace) && (begun || is_bracket)
    }

    /// Whether the cursor is in a value, or where one is missing.
    fn is_in_data(&self, text: &str, attribute: &Attribute, at: usize) -> bool {
        let value = &attribute.value;
        let Some(behind) = text.get(value.end..at) else {
            return value.start <= at && at <= value.end;
        };
        // A quote that closes is behind the value.
        let behind = behind.trim_start_matches(['"', '\'']);
        at >= value.start
            && behind.chars().all(|c| c == ' ' || c == '\t')
            && (!self.kind.is_yaml() || at > value.start || value.start < value.end)
    }

    fn data_typed(&self, text: &str, attribute: &Attribute, at: usize) -> Option<Typed> {
        if let Some((range, quoted)) = self.text_around(text, attribute, at) {
            if self.kind.is_legacy()
                && let Some(typed) = call_at(text, &range, at)
            {
                return Some(typed);
            }
            return Some(match quoted {
                true => Typed::Text(range),
                false => Typed::Bare { last: range },
            });
        }
        let is_code = !self.kind.is_legacy() && self.is_in_sequence(attribute, at);
        if is_code {
            return Some(self.typed(text, attribute, at));
        }
        let word = word_around(text, at);
        let before = text[..word.start].trim_end_matches([' ', '\t', '\n', '\r']);
        let begins = match self.kind.is_yaml() {
            true => before.ends_with([':', '-', '[', ',']) && !before.ends_with("--"),
            false => before.ends_with([':', '[', ',']),
        };
        begins.then_some(Typed::Bare { last: word })
    }

    /// The text that the cursor is in, and whether in quotes.
    fn text_around(
        &self,
        text: &str,
        attribute: &Attribute,
        at: usize,
    ) -> Option<(Range<usize>, bool)> {
        let tokens = self.tokens_of(attribute);
        let is_here = |token: &&host_syntax::Token| {
            token.kind == TokenKind::QuotedText && token.start <= at && at <= token.end
        };
        if self.kind.is_yaml() {
            let token = tokens.iter().find(is_here)?;
            let quoted = text[..token.start].ends_with(['"', '\'']);
            return Some((token.start..token.end, quoted));
        }
        let index = tokens.iter().rposition(|token| token.start < at)?;
        let token = tokens[index];
        if token.kind == TokenKind::Broken && at <= token.end {
            // A character that belongs nowhere is broken, too, without being a text.
            let start = token.start + usize::from(token.text(text).starts_with('"'));
            let before = text.get(start..at)?;
            let code = before.rfind("${").is_some_and(|open| {
                self.kind == crate::documents::Kind::TemplateJson && !before[open..].contains('}')
            });
            let rest = &text[at..token.end];
            let length = rest.find(['"', ',', '}', ']', '\r']).unwrap_or(rest.len());
            return (!code).then_some((start..at + length, true));
        }
        text_at(text, tokens, index, at).map(|range| (range, true))
    }

    /// Whether the cursor is between `${` and `}`.
    fn is_in_sequence(&self, attribute: &Attribute, at: usize) -> bool {
        let mut open = 0_usize;
        for token in self.tokens_of(attribute) {
            match token.kind {
                TokenKind::Broken if token.start < at && at <= token.end => return true,
                _ if token.end > at => break,
                TokenKind::OpenInterpolation | TokenKind::OpenDirective => open += 1,
                TokenKind::CloseTemplate => open = open.saturating_sub(1),
                _ => {}
            }
        }
        open > 0
    }
}

fn label_at<'a>(
    path: Vec<&'a Block>,
    block: &'a Block,
    index: usize,
    range: Range<usize>,
) -> Cursor<'a> {
    Cursor::Label {
        path,
        block,
        index,
        range,
        quoted: false,
    }
}

/// Whether the cursor is in a name, or at an end of it.
fn hits(text: &str, name: &Range<usize>, at: usize) -> bool {
    let whole = with_quotes(text, name);
    let has_quotes = whole != *name;
    let (start, end) = match has_quotes {
        true => (whole.start + 1, name.end),
        false => (whole.start, whole.end),
    };
    start <= at && at <= end && !whole.is_empty()
}

/// A name with the quotes around it.
pub(super) fn with_quotes(text: &str, name: &Range<usize>) -> Range<usize> {
    let before = text[..name.start].chars().next_back();
    let after = text[name.end..].chars().next();
    match before.filter(|quote| matches!(quote, '"' | '\'')) {
        Some(quote) if after == Some(quote) => name.start - 1..name.end + 1,
        Some(_) => name.start - 1..name.end,
        None => name.clone(),
    }
}

/// The column of a byte, in bytes.
fn column_of(text: &str, at: usize) -> usize {
    text[..at].rsplit('\n').next().unwrap_or_default().len()
}
