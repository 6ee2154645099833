//! Go's `gob` encoding, as far as plugins use it.
//!
//! Here are reading any stream into a [`Value`] ([`decode`]) and writing one whose types are all
//! defined before the value ([`encode`]). Not here: what the values mean (`spec`, `value`), and
//! complex numbers, which nothing sends.
//!
//! A stream names its own types by number. A type may be defined in the middle of a value, where an
//! interface first holds it; the lengths that surround such a place follow from what was read
//! already, so the reader passes over them. Streams come from other people's programs: sizes are
//! checked against what is left, and depth and count of values have limits.
//!
//! # Source
//!
//! The documentation of Go's package `encoding/gob`; measured with Go 1.19 and later.

mod decode;
mod encode;
mod error;
mod reader;
mod types;

pub use decode::decode;
pub use encode::encode;
pub use error::GobError;
pub use types::{Definition, TypeId, Types, Value};

/// How deep values may nest.
pub const MAX_DEPTH: usize = 100;

/// How many values one stream may hold.
pub const MAX_VALUES: usize = 1 << 20;

#[cfg(test)]
mod tests;
