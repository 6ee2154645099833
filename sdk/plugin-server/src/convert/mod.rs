//! The border where wire types stop: messages become the SDK's types and the reverse.

mod artifact;
mod build;
mod diagnostic;
mod resource;
mod schema;
mod value;

pub(crate) use artifact::{artifact_from_wire, artifact_to_wire};
pub(crate) use build::{build_from_wire, prepared_to_wire};
pub(crate) use diagnostic::{diagnostic_to_wire, failure_to_wire};
pub(crate) use resource::{resource_from_wire, resource_to_wire};
pub(crate) use schema::{kind_from_wire, kind_to_wire, schema_to_wire};
pub(crate) use value::value_from_wire;
pub use value::value_to_wire;
