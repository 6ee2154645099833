//! Legacy JSON templates.
//!
//! [`parse`] reads the document and checks its shape, [`sections`] its builders, provisioners and
//! post-processors; [`variables`] renders user variables; [`check`] holds what Packer only tells
//! when a template is initialised; [`plan`] makes the builds and [`component`] the configurations.

mod check;
mod component;
mod deprecated;
mod inspect;
mod parse;
mod plan;
mod sections;
mod template;
#[cfg(test)]
mod tests;
mod variable_files;
mod variables;

pub(crate) use component::LegacyComponent;
pub(crate) use deprecated::advice;
pub(crate) use inspect::inspect;
pub(crate) use plan::plan;
pub(crate) use template::{LegacyTemplate, load};
