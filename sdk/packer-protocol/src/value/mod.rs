//! Template values on Packer's plugin wire.
//!
//! Here are types ([`CtyType`]), values with their type ([`Typed`]) and what carries them: gob and
//! msgpack for results of data sources, JSON for options, and the list of options that components
//! are prepared with ([`Configs`]). Values themselves are kiln's own ([`sdk_config::Value`]): items of
//! lists, sets and tuples are lists there, maps and objects are maps.
//!
//! Start with [`Typed`].

mod configs;
mod conform;
mod error;
mod gob;
mod gob_type;
mod json;
mod msgpack;
mod native;
mod number;
mod ty;

pub use configs::{Configs, CoreVariables, Element, Received, common_names, placeholder};
pub(crate) use conform::{at as conform_at, common};
pub use conform::{conform, fill_unknown};
pub use error::ValueError;
pub(crate) use gob_type::{decode_type, encode_type};
pub use native::{native_from_msgpack, native_to_msgpack};
pub use ty::CtyType;

use sdk_config::Value;

/// How deep values and types may nest.
pub const MAX_DEPTH: usize = 64;

/// How many values one message may hold.
pub const MAX_VALUES: usize = 1 << 20;

/// A value and its type.
///
/// What is read from the wire is of that type; what is written must be. The type holds [`CtyType::Dynamic`] only where the value is null or
/// unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// The type.
    pub ty: CtyType,
    /// The value, which is of that type.
    pub value: Value,
}

#[cfg(test)]
mod tests;
