//! YAML, read into the same tree as plain JSON, with places in the YAML text.
//!
//! One document of YAML 1.2 with its core schema: `yes`, `no`, `on` and `off` are text, and so is a
//! number that JSON could not hold as it is written (`012`). Anchors, aliases and merge keys (`<<`)
//! are resolved here; a part that stands for another one has that one's place. Keys must be text,
//! and no key may stand twice in one mapping. Not here: what the tree means.

mod budget;
mod call;
mod complaint;
mod mapping;
mod places;
mod reader;
mod scalar;
#[cfg(test)]
mod tests;
mod text;

use host_diag::{Diagnostics, FileId};

use crate::json::Value;

pub use text::place_in_text;

/// Longest text that is read, in bytes.
pub const MOST_BYTES: usize = 4 << 20;

/// Reads one document, after a byte-order mark if there is one.
///
/// The value is `None` when the text is not YAML, or too much. Mistakes whose meaning is plain (keys
/// that stand twice or are no text, tags, template calls without quotes) are reported as errors and
/// the value comes back with them. Work and memory are bounded, whatever aliases multiply to.
#[must_use]
pub fn parse(file: FileId, text: &str) -> (Option<Value>, Diagnostics) {
    reader::read(file, text)
}
