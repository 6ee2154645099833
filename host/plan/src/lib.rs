//! What a template would run: builds, in order, with every component's evaluated options, and what
//! is not known yet and until when.
//!
//! Here are [`plan`], which evaluates every component without starting a plugin; [`Offered`], which
//! lets templates be planned whose plugins are not installed; and the two forms of the result,
//! [`Plan::to_text`] for people and [`Plan::to_json`] for programs. Not here: checks that only a
//! plugin can make (those are `validate`'s), and running anything.

mod json;
mod offered;
mod planned;
mod text;
mod value;

pub use offered::Offered;
pub use planned::{
    Plan, PlannedBuild, PlannedComponent, PlannedPostProcessor, PlannedProvisioner, plan,
};
