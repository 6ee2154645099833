//! Streams between the two processes: multiplexing, pairing, calls.
//!
//! Here are the plugin's first line ([`Handshake`]), the connection with its many streams and the
//! numbers that pair them ([`Session`]), and calls over one stream, from both ends ([`Client`],
//! [`serve`]). Not here: what is called; that is `endpoint`.
//!
//! Everything that arrives has a limit: messages [`MAX_MESSAGE`], nesting, streams, calls in
//! flight. Streams that nobody claims are closed after [`UNCLAIMED`].
//!
//! # Source
//!
//! yamux as in `hashicorp/yamux`, Go's `net/rpc` with msgpack bodies; the pairing numbers are the
//! plugin SDK's own. Captured between programs of SDK 0.2.0 and 0.6.10.

mod client;
mod error;
mod handshake;
mod message;
mod server;
mod session;
mod stream;

pub use client::Client;
pub use error::{CallError, HandshakeError, SessionError};
pub use handshake::{COOKIE, COOKIE_VARIABLE, Handshake, MAX_LINE, Network, PORT_VARIABLES};
pub use message::{MAX_MESSAGE, Request, Response};
pub use server::{Fault, Service, serve};
pub use session::{Expected, Session, Side, UNCLAIMED};
pub use stream::Stream;

pub use message::bytes_of;
pub(crate) use message::{as_text, field, lossy_text, map, wire_text};
pub use rmpv::Value as Wire;

#[cfg(test)]
mod tests;
