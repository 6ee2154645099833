//! Running the builds of a plan.
//!
//! Here are the check of every component before anything runs ([`prepare`]) and the run itself
//! ([`run`]): builds side by side, provisioners while a machine is ready, post-processor chains,
//! cancellation. What happens is told to an [`Observer`]. Not here: templates, processes, output.
//!
//! Start with [`prepare`], then [`run`] and [`Observer`].

mod build;
mod component;
mod failure;
mod generated;
mod go_text;
mod observer;
mod options;
mod post_process;
mod prepare;
mod provision;
mod relay;
mod retention;
mod schedule;
mod wrappers;

pub use host_plugin_client::{Artifact, BuildInfo, OnError, Progress, ProgressUnit};
pub use observer::{Echo, Event, Observer};
pub use options::Options;
pub use prepare::{PreparedBuild, prepare};
pub use schedule::{Outcome, run};
