//! The blocks and attributes of a file that is being written.
//!
//! A file in an editor is broken most of the time. The outline is read from tokens alone and takes
//! whatever it finds: half a header, a name without a value, an expression whose brackets do not
//! match. Nothing is reported here; that is what `host_syntax::parse_hcl` is for.

mod cursor;
mod data;
mod reader;
mod scan;
#[cfg(test)]
mod tests;

use std::ops::Range;

use host_syntax::{Token, TokenKind};

use crate::documents::Kind;

pub(crate) use cursor::{Cursor, Typed};
pub(crate) use data::user_calls;

/// What a file says, as far as it can be told.
#[derive(Debug)]
pub(crate) struct Outline {
    /// What kind of file it is.
    pub(crate) kind: Kind,
    pub(crate) items: Vec<Item>,
    /// Everything but comments.
    pub(crate) tokens: Vec<Token>,
    /// Comments.
    pub(crate) comments: Vec<Range<usize>>,
}

/// What can stand in a body.
#[derive(Debug)]
pub(crate) enum Item {
    Attribute(Attribute),
    /// Also a name with nothing behind it yet.
    Block(Block),
}

/// `name = expression`.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) name_range: Range<usize>,
    /// From behind `=` to the end of the expression, without the blanks at its end.
    pub(crate) value: Range<usize>,
    /// The expression's tokens.
    pub(crate) tokens: Range<usize>,
}

/// A block, perhaps only the beginning of its header.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) kind_range: Range<usize>,
    pub(crate) labels: Vec<Label>,
    pub(crate) body: Option<Body>,
    /// In JSON, the object whose keys are its next label.
    pub(crate) gap: Option<Range<usize>>,
    /// From the kind to the closing brace, or as far as it goes.
    pub(crate) range: Range<usize>,
}

/// A label.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// Without quotes.
    pub(crate) text: String,
    /// The text's place, without quotes.
    pub(crate) range: Range<usize>,
}

/// What is between braces.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) items: Vec<Item>,
    /// Between the braces.
    pub(crate) range: Range<usize>,
    /// In YAML, where its keys begin on their lines.
    pub(crate) column: usize,
}

impl Outline {
    /// Reads a text. Takes time in proportion to its length.
    pub(crate) fn of(text: &str, kind: Kind) -> Self {
        if kind.is_data() {
            return data::outline(text, kind);
        }
        let (comments, tokens): (Vec<Token>, Vec<Token>) = host_syntax::tokens(text)
            .into_iter()
            .partition(|token| token.kind == TokenKind::Comment);
        let items = reader::read(text, &tokens);
        let comments = comments.iter().map(|token| token.start..token.end);
        Self {
            items,
            comments: comments.collect(),
            tokens,
            kind,
        }
    }

    /// Nothing is known of the file.
    pub(crate) fn empty(kind: Kind) -> Self {
        Self {
            items: Vec::new(),
            tokens: Vec::new(),
            comments: Vec::new(),
            kind,
        }
    }

    /// The tokens of an expression.
    pub(crate) fn tokens_of(&self, attribute: &Attribute) -> &[Token] {
        &self.tokens[attribute.tokens.clone()]
    }
}

impl Block {
    /// A label's text; empty when it has none.
    pub(crate) fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", |label| &label.text)
    }

    /// What is in it.
    pub(crate) fn items(&self) -> &[Item] {
        self.body.as_ref().map_or(&[], |body| &body.items)
    }

    /// An attribute by name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        attributes(self.items()).find(|attribute| attribute.name == name)
    }

    /// What stands for it in a list of symbols: its name, in its range.
    pub(crate) fn selection(&self) -> Range<usize> {
        let kind = &self.kind_range;
        let is_inside = self.range.start <= kind.start && kind.end <= self.range.end;
        match self.labels.last() {
            _ if is_inside => kind.clone(),
            Some(label) => label.range.clone(),
            None => self.range.start..self.range.start,
        }
    }

    /// The header as it reads: `source "qemu" "debian"`.
    pub(crate) fn header(&self) -> String {
        let labels = self.labels.iter();
        let labels: String = labels.map(|label| format!(" {:?}", label.text)).collect();
        format!("{}{labels}", self.kind)
    }
}

/// The attributes among `items`.
pub(crate) fn attributes(items: &[Item]) -> impl Iterator<Item = &Attribute> {
    items.iter().filter_map(|item| match item {
        Item::Attribute(attribute) => Some(attribute),
        _ => None,
    })
}

/// The blocks among `items`.
pub(crate) fn blocks(items: &[Item]) -> impl Iterator<Item = &Block> {
    items.iter().filter_map(|item| match item {
        Item::Block(block) => Some(block),
        _ => None,
    })
}
