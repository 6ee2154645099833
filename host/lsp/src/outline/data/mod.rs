//! Templates in JSON and YAML: to the same outline as HCL, so that what stands at the cursor is told
//! in one way for all of them.
//!
//! [`json`] and [`yaml`] read half-typed text into [`Node`]s; [`native`] makes blocks of the keys of
//! `*.pkr.json`, [`legacy`] of those of legacy templates; [`cursor`] finds the cursor.

mod call;
mod cursor;
mod flow;
mod json;
mod legacy;
mod native;
#[cfg(test)]
mod tests;
mod yaml;

use std::ops::Range;

use host_syntax::Token;

use super::{Attribute, Block, Item, Outline};
use crate::documents::Kind;

pub(crate) use call::user_calls;

/// Values in values that are read.
const MOST_DEPTH: usize = 100;

/// A value, as far as it is there.
#[derive(Debug)]
enum Node {
    /// An object or mapping.
    Map {
        entries: Vec<Entry>,
        /// Where its keys can stand.
        range: Range<usize>,
        /// In YAML, the column of its keys.
        column: usize,
    },
    List {
        items: Vec<Node>,
        range: Range<usize>,
    },
    /// Anything else; without quotes.
    Scalar { range: Range<usize> },
    /// Nothing yet.
    Missing { at: usize },
}

/// A key with its value.
#[derive(Debug)]
struct Entry {
    key: String,
    /// Without quotes.
    key_range: Range<usize>,
    /// `None` when there is no more than the key.
    value: Option<Node>,
    /// From behind the colon.
    value_start: usize,
    /// The value's tokens.
    tokens: Range<usize>,
}

/// What was read of a text.
#[derive(Debug)]
struct Read {
    root: Node,
    /// Everything but comments.
    tokens: Vec<Token>,
    comments: Vec<Range<usize>>,
}

/// The outline of a text that is not HCL.
pub(super) fn outline(text: &str, kind: Kind) -> Outline {
    let read = match kind.is_yaml() {
        true => yaml::read(text),
        false => json::read(text, kind),
    };
    let items = match kind {
        _ if kind.is_legacy() => legacy::items(text, &read.root),
        _ if kind.is_values() => native::values(&read.root),
        _ => native::items(&read.root),
    };
    Outline {
        items,
        tokens: read.tokens,
        comments: read.comments,
        kind,
    }
}

impl Node {
    /// From its first byte to behind its last one.
    fn range(&self) -> Range<usize> {
        match self {
            Self::Map { range, .. } | Self::List { range, .. } | Self::Scalar { range } => {
                range.clone()
            }
            Self::Missing { at } => *at..*at,
        }
    }

    /// Its entries; none unless it is a mapping.
    fn entries(&self) -> &[Entry] {
        match self {
            Self::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The elements of a list, or the value itself.
    fn elements(&self) -> &[Node] {
        match self {
            Self::List { items, .. } => items,
            one => std::slice::from_ref(one),
        }
    }

    fn is_map(&self) -> bool {
        matches!(self, Self::Map { .. })
    }
}

impl Entry {
    /// As an attribute; a key alone may become anything.
    fn item(&self) -> Item {
        let Some(value) = &self.value else {
            return Item::Block(self.bare());
        };
        Item::Attribute(self.attribute(self.value_start..value.range().end.max(self.value_start)))
    }

    fn attribute(&self, value: Range<usize>) -> Attribute {
        Attribute {
            name: self.key.clone(),
            name_range: self.key_range.clone(),
            value,
            tokens: self.tokens.clone(),
        }
    }

    fn bare(&self) -> Block {
        Block {
            kind: self.key.clone(),
            kind_range: self.key_range.clone(),
            labels: Vec::new(),
            body: None,
            gap: None,
            range: self.key_range.clone(),
        }
    }
}
