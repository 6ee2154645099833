//! How much one evaluation may do.
//!
//! A few lines of template can ask for more memory than any machine has. Everything that is
//! evaluated, copied or built by a function is counted here, so that such a template ends with an
//! error at once.

use std::cell::Cell;

use crate::types::Type;
use crate::value::{Value, ValueKind};

/// Longest string that may come out of anything, in bytes.
pub(crate) const LONGEST_STRING_BYTES: usize = 32 << 20;
/// Deepest nesting of expressions.
pub(crate) const DEEPEST: usize = 200;
/// What one evaluation may spend: one for each expression evaluated and each value copied, one for
/// each 256 bytes of text, and one for each two parts of a value's type. One is about 150 bytes.
pub(crate) const BUDGET: usize = 1 << 19;
pub(crate) const BYTES_PER_UNIT: usize = 256;
/// What a map or object costs by itself: even a small one reserves room for eleven entries.
const MAPPING: usize = 10;

/// What is left of the budget.
#[derive(Debug)]
pub(crate) struct Limits {
    left: Cell<usize>,
    exhausted: Cell<bool>,
}

/// The budget is used up, or a string is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the result is too large")]
pub(crate) struct TooLarge;

impl Limits {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            left: Cell::new(budget),
            exhausted: Cell::new(false),
        }
    }

    /// What has not been spent; nothing when something was refused.
    pub(crate) fn left(&self) -> usize {
        if self.is_exhausted() {
            0
        } else {
            self.left.get()
        }
    }

    /// Whether anything was refused.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted.get()
    }

    /// Spends `units`.
    pub(crate) fn spend(&self, units: usize) -> Result<(), TooLarge> {
        match self.left.get().checked_sub(units) {
            Some(left) if !self.exhausted.get() => {
                self.left.set(left);
                Ok(())
            }
            _ => {
                self.exhausted.set(true);
                Err(TooLarge)
            }
        }
    }

    /// Refuses a text of `length` bytes that is too long, before it is built.
    pub(crate) fn allow_text(&self, length: usize) -> Result<(), TooLarge> {
        if length > LONGEST_STRING_BYTES {
            self.exhausted.set(true);
            return Err(TooLarge);
        }
        Ok(())
    }

    /// Spends what it costs to copy or build `value`.
    pub(crate) fn spend_on(&self, value: &Value) -> Result<(), TooLarge> {
        let text = match &value.kind {
            ValueKind::String(text) => text.len(),
            _ => 0,
        };
        self.allow_text(text)?;
        let keys: usize = value
            .as_mapping()
            .map_or(0, |mapping| mapping.keys().map(String::len).sum());
        // Every level of a value has its own copy of its type, however large.
        let types = type_parts(&value.ty) / 2;
        let own = if value.as_mapping().is_some() {
            MAPPING
        } else {
            1
        };
        self.spend(own + types + (text + keys) / BYTES_PER_UNIT)?;
        value.children().try_for_each(|child| self.spend_on(child))
    }
}

fn type_parts(ty: &Type) -> usize {
    match ty {
        Type::Tuple(items) => items.iter().map(|item| 1 + type_parts(item)).sum(),
        Type::Object(object) => {
            let types = object.attributes.values();
            MAPPING + types.map(|ty| 1 + type_parts(ty)).sum::<usize>()
        }
        Type::List(item) | Type::Set(item) | Type::Map(item) => type_parts(item),
        _ => 0,
    }
}
