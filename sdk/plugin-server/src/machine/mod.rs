//! A builder's machine, offered to provisioners in other processes.
//!
//! [`MachineServer`] serves a communicator on a private socket of its own; [`RemoteCommunicator`]
//! is that communicator on the other side. Bytes go from plugin to plugin, in chunks, and wait
//! where the reader is slow.

mod absent;
mod call;
mod client;
mod fault;
mod server;
mod trees;

pub(crate) use absent::AbsentMachine;
pub use client::RemoteCommunicator;
pub use server::{Endpoint, MachineServer};
