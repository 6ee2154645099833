//! What a template would run: builds, in order, with every component's evaluated options, and what
//! is not known yet and until when.
//!
//! Here are [`plan`], which evaluates every component without starting a plugin; [`Offered`], which
//! lets templates be planned whose plugins are not installed; and the two forms of the result,
//! [`BuildText`] for people and [`BuildJson`] for programs. Not here: checks that only a
//! plugin can make (those are `validate`'s), and running anything.

mod json;
mod offered;
mod planned;
mod text;
mod value;

pub use json::BuildJson;
pub use offered::Offered;
pub use planned::{
    Form, Plan, PlannedBuild, PlannedComponent, PlannedPostProcessor, PlannedProvisioner, plan,
};
pub use text::BuildText;
