//! What must hold of the template languages, whatever the input.
//!
//! Here is one function for each property, which panics where it does not hold, and the generators
//! that make texts with a meaning from bytes ([`generate`]). The fuzz targets in `fuzz/` and the
//! tests in `tests/stable.rs` both call them. Not here: what a text means; the crates' own tests say
//! that.

pub mod boot_command;
pub mod eval;
pub mod generate;
pub mod go_template;
pub mod layout;
mod places;
mod samples;
pub mod syntax;
pub mod template;
pub mod upgrade;

/// The text that fuzzed bytes stand for; what is no UTF-8 is replaced, as no reader is given any.
#[must_use]
pub fn text_of(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
