//! The traits a component implements and the contexts it is given.
//!
//! Here are [`Builder`], [`Provisioner`], [`PostProcessor`] and [`DataSource`], and
//! [`RunContext`], a component's only way to talk to the host: output, progress, resources,
//! provisioning, pauses, cancellation. Not here: the wire (`sdk-plugin-server`), steps
//! (`sdk-steps`), any machine.
//!
//! Start with [`Builder`] and [`RunContext`].

mod artifact;
mod context;
mod draft;
mod failure;
mod generated;
mod link;
mod meter;
mod process;
mod reclaim;
mod remote;
pub mod resource;

use std::future::Future;
use std::sync::Arc;

pub use artifact::{Artifact, PostProcessed};
pub use context::{BuildInfo, OnError, Prepared, Progress, ProgressUnit, Ready, RunContext};
pub use draft::Draft;
pub use failure::Failure;
pub use generated::MachineFacts;
pub use link::{Answer, Event, HostLink, Level, PauseKind, Verdict};
pub use meter::Meter;
pub use process::ProcessIdentity;
pub use reclaim::{ReclaimError, reclaim};
pub use remote::run_remote;
pub use resource::{Held, Resource};
pub use sdk_communicator::Communicator;
pub use sdk_config::{Config, Diagnostic, Diagnostics, Value};

/// Makes a machine, has it provisioned, and leaves an artifact.
pub trait Builder: Send + Sync + 'static {
    /// Its options.
    type Config: Config;

    /// Checks and completes the options; touches nothing.
    fn prepare(&self, config: &mut Self::Config, build: &BuildInfo) -> Prepared;

    /// Builds. Cancellation is seen through `cx`; whatever was made is undone before it returns
    /// unless it is the artifact.
    fn run(
        &self,
        cx: RunContext,
        config: Self::Config,
    ) -> impl Future<Output = Result<Option<Artifact>, Failure>> + Send;
}

/// Changes a machine.
pub trait Provisioner: Send + Sync + 'static {
    /// Its options.
    type Config: Config;

    /// Checks and completes the options; touches nothing.
    fn prepare(&self, config: &mut Self::Config, build: &BuildInfo) -> Prepared;

    /// Provisions `machine`. `generated` holds the machine's values by name (`Host`, `ID`, …).
    fn provision(
        &self,
        cx: RunContext,
        config: Self::Config,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Turns an artifact into another, or does something with it.
pub trait PostProcessor: Send + Sync + 'static {
    /// Its options.
    type Config: Config;

    /// Checks and completes the options; touches nothing.
    fn prepare(&self, config: &mut Self::Config, build: &BuildInfo) -> Prepared;

    /// Processes `input`. `generated` holds the machine's values by name.
    fn post_process(
        &self,
        cx: RunContext,
        config: Self::Config,
        input: Artifact,
        generated: Value,
    ) -> impl Future<Output = Result<PostProcessed, Failure>> + Send;
}

/// Looks something up while a template is evaluated.
pub trait DataSource: Send + Sync + 'static {
    /// Its options.
    type Config: Config;
    /// What it returns, as a schema only.
    type Output: Config;

    /// Checks and completes the options; touches nothing.
    fn prepare(&self, config: &mut Self::Config, build: &BuildInfo) -> Prepared;

    /// Looks it up; the value is a map with the keys of `Output`.
    fn read(
        &self,
        cx: RunContext,
        config: Self::Config,
    ) -> impl Future<Output = Result<Value, Failure>> + Send;
}
