//! The calls that components answer, typed, from both ends.
//!
//! The calling end: [`RemoteComponent`] for what a host asks of a component, [`RemoteMachine`],
//! [`RemoteUi`], [`RemoteHook`] and [`RemoteArtifact`] for what travels beside it. The answering
//! end: [`ComponentService`], [`MachineService`], [`UiService`], [`HookService`] and
//! [`ArtifactService`] over traits of the same names, put together with [`Services`]. Machines are
//! kiln's [`Communicator`](sdk_communicator::Communicator) on both ends. [`FURTHER_FACTS`] is what
//! artifacts are asked. Not here: starting processes, and what a component does.
//!
//! Numbers in the calls name streams; see [`Session`](crate::transport::Session).

mod artifact;
mod component;
mod component_service;
mod exit;
mod facts;
mod hook;
mod machine;
mod machine_service;
mod services;
mod trees;
mod ui;

pub use artifact::{Artifact, ArtifactFacts, ArtifactService, RemoteArtifact};
pub use component::{PostProcessed, PrepareError, Prepared, RemoteComponent};
pub use component_service::{Component, ComponentService, Processed};
pub use facts::{FURTHER_FACTS, GENERATED_DATA};
pub use hook::{CLEANUP_PROVISION, Hook, HookCall, HookService, PROVISION, RemoteHook};
pub use machine::RemoteMachine;
pub use machine_service::MachineService;
pub use services::Services;
pub use ui::{RemoteUi, Track, Ui, UiService};

#[cfg(test)]
mod tests;
