//! The messages: envelopes that are sent, and what is read from the answers.
//!
//! # Source
//!
//! MS-WSMV (Web Services Management Protocol Extensions) and DSP0226 (WS-Management).

mod answer;
mod envelope;
mod fault;

pub(crate) use answer::{Received, State, command_id, envelope_limit, received, shell_id};
pub(crate) use envelope::{End, Envelope, Input, Request};
pub use fault::Fault;
pub(crate) use fault::fault;
