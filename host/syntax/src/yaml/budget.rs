//! How much aliases may multiply a document.

use crate::json::{Kind, Value};

/// Most that anchors and aliases may copy: one for each value, and one for each 64 bytes of text.
const MOST_COPIED: usize = 200_000;

/// A value with an anchor.
#[derive(Debug)]
pub(super) struct Anchored {
    pub(super) value: Value,
    /// What a copy costs.
    weight: usize,
    /// How many sequences and mappings are inside of each other.
    pub(super) height: usize,
}

impl Anchored {
    pub(super) fn new(value: Value) -> Self {
        let (weight, height) = measure(&value);
        Self {
            value,
            weight,
            height,
        }
    }
}

/// What may still be copied.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: MOST_COPIED }
    }

    /// Takes the cost of a copy; `None` when too little is left.
    #[must_use]
    pub(super) fn spend(&mut self, anchored: &Anchored) -> Option<()> {
        self.left = self.left.checked_sub(anchored.weight)?;
        Some(())
    }
}

/// What a copy costs, and how deep it is.
fn measure(value: &Value) -> (usize, usize) {
    let text = |text: &str| 1 + text.len() / 64;
    match &value.kind {
        Kind::Null | Kind::Bool(_) => (1, 0),
        Kind::Number(number) => (text(number), 0),
        Kind::String(found) => (text(found), 0),
        Kind::Array(items) => items.iter().fold((1, 1), |(weight, height), item| {
            let (more, inner) = measure(item);
            (weight + more, height.max(inner + 1))
        }),
        Kind::Object(members) => members.iter().fold((1, 1), |(weight, height), member| {
            let (more, inner) = measure(&member.value);
            let weight = weight + text(&member.key) + more;
            (weight, height.max(inner + 1))
        }),
    }
}
