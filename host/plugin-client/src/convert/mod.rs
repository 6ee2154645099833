//! From messages of the protocol to the host's own types, and back.
//!
//! Nothing outside this crate sees a message. What a plugin sends is checked here.

mod artifact;
mod build;
mod diagnostic;
mod resource;
mod schema;
mod value;

pub(crate) use artifact::{artifact_to_wire, finished_from_wire};
pub(crate) use build::{build_to_wire, component_to_wire, kind_from_wire, kind_word};
pub(crate) use diagnostic::diagnostics_from_wire;
pub(crate) use resource::{resource_from_wire, resource_to_wire};
pub(crate) use schema::schema_from_wire;
pub use value::unknown_outputs;
pub(crate) use value::{mapping_from_wire, mapping_to_wire, value_to_wire};

/// A message that the protocol does not allow.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadMessage {
    /// A field is not there.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field has a value that means nothing.
    #[error("the field `{field}` has the unknown value {value}")]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// Its number on the wire.
        value: i32,
    },
    /// A number is not one.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// A map has a key twice.
    #[error("the key `{0}` occurs twice")]
    DuplicateKey(String),
    /// A field is of the wrong kind.
    #[error("the field `{0}` is not a map")]
    NotAMap(&'static str),
    /// The run's stream ended before the run did.
    #[error("the run ended without saying how")]
    NoOutcome,
    /// A resource was released that is not on record.
    #[error("resource {0} was released but never announced")]
    UnknownResource(u64),
    /// A resource number was used twice.
    #[error("resource {0} was announced twice")]
    ResourceTwice(u64),
}

/// The field, or an error that names it.
pub(crate) fn required<T>(field: Option<T>, name: &'static str) -> Result<T, BadMessage> {
    field.ok_or(BadMessage::Missing(name))
}
