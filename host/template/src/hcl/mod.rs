//! HCL2 templates.
//!
//! A template passes through three stages, as in Packer: *declarations* are read when it is loaded
//! ([`files`], [`declarations`], [`variables`], [`assignments`]); *values* are computed when it is
//! initialised ([`validation`], [`graph`], [`evaluation`]); *builds* are read last, with those
//! values at hand ([`dynamic`], [`source`], [`build`], [`plan`]). What a component is configured
//! with is only evaluated when somebody asks for it ([`component`]).

mod assignments;
mod bound;
mod build;
mod chosen;
mod component;
mod declarations;
mod dynamic;
mod early;
mod evaluation;
mod files;
mod graph;
mod inspect;
mod instances;
mod literal;
mod members;
mod module;
mod module_sources;
mod packer_block;
mod plan;
mod post_processor;
mod provisioner;
mod reader;
mod registry;
mod required;
mod scope;
mod source;
mod surroundings;
mod template;
#[cfg(test)]
mod tests;
mod used;
mod validation;
mod variables;

pub(crate) use component::HclComponent;
pub(crate) use evaluation::initialize;
pub(crate) use inspect::inspect;
pub use packer_block::RequiredPlugin;
pub(crate) use plan::plan;
pub(crate) use required::{missing_plugins, offers, stands_for};
pub(crate) use template::{HclTemplate, load, load_for_check};
pub(crate) use used::used_components;
