//! Configuration of components: one documented struct gives the schema, which the reference docs are
//! made from, and the decoding.
//!
//! Here are the [`Value`] a component is configured with, the [`Schema`] that describes what it
//! takes, the [`Config`] trait (written by `#[derive(Config)]` from `sdk-config-derive`) and the
//! field types options are made of. Not here: where a value stands in a template (the host knows;
//! a [`Path`] is what it needs) and checks that touch the world.
//!
//! Start with [`Config`], then [`Field`].

// The derive names this crate by its own name, also in this crate's tests.
extern crate self as sdk_config;

mod decode;
mod deprecated;
mod diagnostic;
mod duration;
mod field;
mod number;
mod schema;
mod secret;
mod template;
mod value;

pub use decode::{Config, Decoder, PLACEHOLDER, decode};
pub use deprecated::deprecated;
pub use diagnostic::{Diagnostic, Diagnostics, Path, PathStep, Severity};
pub use duration::{GoDuration, format_duration, parse_duration};
pub use field::Field;
pub use schema::{AttributeSchema, BlockSchema, ObjectAttribute, Primitive, Schema, Type};
pub use secret::Secret;
pub use template::{Template, template_data};
pub use value::{Value, ValueKind};
