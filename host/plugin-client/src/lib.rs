//! Starting plugins, the handshake, and typed calls to them.
//!
//! Here are finding plugin executables and knowing what they offer ([`Registry`]), one running
//! plugin process ([`Session`]), one run of a component ([`Run`]), the journal of resources
//! ([`Journal`]), and the folders that plugins are installed in ([`tree`], [`Shelf`]). Not here: which component runs when, and what is done with its events.
//!
//! Start with [`Settings`] and [`Registry`], then [`Session`].

mod connection;
mod convert;
mod data;
mod description;
mod error;
mod handshake;
mod isolation;
mod journal;
mod log;
mod open_files;
mod private_folder;
mod process;
mod pump;
mod reclaim;
mod registry;
mod run;
mod run_directory;
mod session;
mod settings;
pub mod tree;

pub use convert::{BadMessage, unknown_outputs};
pub use description::{DescribeFailure, OwnWords, PackerDescription};
pub use error::{CallFailure, ClientError, LogTail};
pub use handshake::HandshakeError;
pub use isolation::{Isolation, LAUNCH_WORD};
pub use journal::{Behind, Entry, Journal, Owned, Owner, Resource};
pub use open_files::{raise_open_files, restore_open_files};
pub use reclaim::{Leftover, destroy_parts, reclaim_leftovers};
pub use registry::{
    Installed, Locked, Needs, Origin, Prereleases, Reason, Registry, Rejected, Said, Shelf,
    Verified, ask_executable, packer_bridge,
};
pub use run::{
    Artifact, CommunicatorEndpoint, Event, Finished, Level, PauseKind, Progress, ProgressUnit,
    Reply, Role, Run,
};
pub use run_directory::RunDirectory;
pub use session::{BuildInfo, OnError, Session};
pub use settings::Settings;
