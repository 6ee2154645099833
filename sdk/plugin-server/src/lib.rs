//! Serving components over the plugin protocol.
//!
//! Here are [`Plugin`], which turns components into a process that a host can start, the gRPC
//! server that offers a builder's machine to provisioners and the client they use
//! ([`RemoteCommunicator`]). Not here: the traits (`sdk-component`), options (`sdk-config`), the
//! protocol itself (`proto`).
//!
//! One run, followed through the code: [`serve`](mod@serve) makes the socket and prints the
//! handshake, [`service`](mod@service) answers calls, [`session`](mod@session) carries one run
//! between the wire and the component, [`component`](mod@component) hides the component's types,
//! [`convert`](mod@convert) is the border where wire types stop. [`packer`](mod@packer) does the same
//! for the original Packer, which can load the same executable.

mod authorization;
mod component;
mod convert;
mod error;
mod log;
mod machine;
mod packer;
mod panic;
mod plugin;
mod serve;
mod service;
mod session;
mod socket;

pub use component::{Component, Kind, Outcome, Role};
pub use convert::value_to_wire;
pub use error::ServeError;
pub use machine::{Endpoint, MachineServer, RemoteCommunicator};
pub use plugin::Plugin;
pub use plugin_wire::handshake::LIBRARY_VARIABLE;
pub use serve::HOST_VARIABLES;

#[cfg(test)]
mod tests;
