//! Conversion of values between types, as cty has it.
//!
//! Here is [`convert`], which takes a value as far as it can towards a wanted type, and
//! [`ConvertError`], which says which part of it could not go. [`unify`] finds the type several
//! others can be converted to.

mod error;
mod possible;
mod unify;
mod value;

#[cfg(test)]
mod tests;

pub use error::{ConvertError, ConvertProblem, PathStep};
pub(crate) use possible::{Risk, conversion_exists};
pub use unify::unify;
pub(crate) use unify::unify_all;
pub use value::convert;
