//! Starting plugins, the handshake, and typed calls to them.
//!
//! Here are finding plugin executables and knowing what they offer ([`Registry`]), one running
//! plugin process ([`Session`]), one run of a component ([`Run`]), and the journal of resources
//! ([`Journal`]). Not here: which component runs when, and what is done with its events.
//!
//! Start with [`Settings`] and [`Registry`], then [`Session`].

mod connection;
mod convert;
mod data;
mod description;
mod error;
mod handshake;
mod journal;
mod log;
mod process;
mod pump;
mod reclaim;
mod registry;
mod run;
mod run_directory;
mod session;
mod settings;

pub use convert::{BadMessage, unknown_outputs};
pub use error::{CallFailure, ClientError, LogTail};
pub use handshake::HandshakeError;
pub use journal::{Entry, Journal, Owner, Resource};
pub use reclaim::{Leftover, reclaim_leftovers};
pub use registry::{Installed, Reason, Registry, Rejected};
pub use run::{
    Artifact, CommunicatorEndpoint, Event, Finished, Level, Progress, ProgressUnit, Reply, Role,
    Run,
};
pub use run_directory::RunDirectory;
pub use session::{BuildInfo, OnError, Session};
pub use settings::Settings;
