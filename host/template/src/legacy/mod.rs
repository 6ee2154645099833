//! Legacy templates, in JSON or YAML.
//!
//! [`texts`] knows the two forms, [`parse`] reads the document and checks its shape, [`sections`]
//! its builders, provisioners and post-processors; [`variables`] renders user variables; [`check`]
//! holds what Packer only tells when a template is initialised and [`uses`] looks for variables
//! that do not exist; [`plan`] makes the builds and [`component`] the configurations. [`problems`]
//! gives messages their form.

mod check;
mod component;
mod deprecated;
mod inspect;
#[cfg(test)]
mod message_tests;
mod parse;
mod plan;
mod problems;
mod sections;
mod template;
#[cfg(test)]
mod tests;
mod texts;
mod uses;
mod variable_files;
mod variables;

pub(crate) use component::LegacyComponent;
pub(crate) use deprecated::advice;
pub(crate) use inspect::inspect;
pub(crate) use plan::plan;
pub(crate) use template::{LegacyTemplate, load, load_for_check};
pub(crate) use texts::Texts;
pub use texts::is_yaml;
