//! JSON with spans, key order and duplicate keys kept.

mod place;
mod reader;
#[cfg(test)]
mod tests;
mod text;

use host_diag::{Diagnostics, FileId, Span};

pub use place::place_in_text;

/// A JSON value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, quotes and brackets included.
    pub span: Span,
}

/// The kinds of JSON values.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// The number's text.
    Number(String),
    /// Text, escapes resolved.
    String(String),
    /// `[a, b]`.
    Array(Vec<Value>),
    /// `{"a": b}`, in order, repeated keys kept.
    Object(Vec<Member>),
}

/// One key and value of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The key.
    pub key: String,
    /// Its place, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Value,
}

/// Reads one JSON document, after a byte-order mark if there is one.
///
/// The value is `None` when it is not JSON at all. Mistakes whose meaning is plain (a comma too
/// many or missing, comments, single quotes, keys without quotes) are reported as errors and the
/// value comes back with them, so that all of them are found at once. Takes time in proportion to
/// the text's length.
#[must_use]
pub fn parse(file: FileId, text: &str) -> (Option<Value>, Diagnostics) {
    reader::read(file, text)
}
