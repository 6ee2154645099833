//! Templates: from syntax trees to a plan of builds.
//!
//! Here are loading ([`load`]) of HCL2 folders and files, `.pkr.json` and legacy JSON and YAML; variables,
//! locals and data sources ([`Template::initialize`]); and the plan ([`Template::builds`]) whose
//! components are evaluated against a plugin's [`Schema`] when the engine needs them
//! ([`Component::configure`]). Not here: processes, output, running anything.
//!
//! Start with [`load`], then [`Build`].

mod assemble;
mod consequences;
mod constraint;
mod duration;
mod filter;
mod fit;
mod hcl;
mod legacy;
mod load;
mod model;
mod options;
mod remedies;
mod render;
mod schema;
mod source_address;
#[cfg(test)]
mod testing;
mod values;
mod written;

pub use consequences::without_consequences;
pub use constraint::{ConstraintError, Constraints, Version};
pub use hcl::RequiredPlugin;
pub use legacy::is_yaml;
pub use load::{Examined, load, load_for_check};
pub use model::{
    Build, Component, ComponentKind, Components, Configured, Generated, PathStep, PostProcessor,
    ProvisionerPlan, Template,
};
pub use options::{ConfigType, LoadOptions, Overlay};
pub use schema::{AttributeSchema, BlockSchema, Primitive, Schema, Type};
pub use source_address::{SourceAddress, SourceError};
pub use values::secrets_of;
pub use written::Origins;
