//! The wire that Packer's plugins speak, both sides of it.
//!
//! Here are the descriptions of options and results ([`spec`]), the values of templates
//! ([`value`]), the streams between two processes ([`transport`]) and the calls that components
//! answer ([`endpoint`]). Not here: starting processes, finding plugins, and what kiln's own
//! components make of the calls; those are `plugins/packer` and `sdk/plugin-server`.
//!
//! [`gob`] is the encoding that older plugins use for some of it.
//!
//! Start with [`spec::Spec`] for what a plugin accepts and [`endpoint`] for what can be asked.

pub mod endpoint;
pub mod gob;
mod kind;
pub mod spec;
pub mod transport;
pub mod value;

pub use kind::Kind;

#[cfg(test)]
mod testing;
