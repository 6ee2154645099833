//! Typed steps with reverse cleanup.
//!
//! Here are [`Steps`], which runs the steps of one build, undoes them in reverse and does what
//! `-on-error` and `-debug` ask for, the provision step ([`Steps::provision`]), and the options of
//! a kind shutdown ([`ShutdownConfig`]). Not here: what any step does.
//!
//! A step hands its result to the next one as an ordinary value, so that a missing or misordered
//! step does not compile:
//!
//! ```no_run
//! # use sdk_steps::Steps;
//! # use sdk_component::{Failure, RunContext};
//! # struct Disk;
//! # async fn create_disk(cx: &RunContext) -> Result<Disk, Failure> { Ok(Disk) }
//! # async fn boot(cx: &RunContext, disk: &Disk) -> Result<(), Failure> { Ok(()) }
//! async fn run(cx: RunContext) -> Result<(), Failure> {
//!     let steps = Steps::new(cx.clone());
//!     let built = build(&cx, &steps).await;
//!     steps.finish(built).await
//! }
//!
//! async fn build(cx: &RunContext, steps: &Steps) -> Result<(), Failure> {
//!     let disk = steps.run("create disk", || create_disk(cx)).await?;
//!     steps.run("boot", || boot(cx, &disk)).await
//! }
//! ```

mod decision;
mod provision;
mod shutdown;
mod steps;
mod undo;

pub use provision::PROVISION;
pub use shutdown::ShutdownConfig;
pub use steps::Steps;
pub use undo::CleanupId;

#[cfg(test)]
mod tests;
