//! HTTP connections to a WinRM service, each logged in by itself.
//!
//! NTLM logs a connection in, not a request, so connections are made and kept here instead of in a
//! client with a pool of its own. [`Client`] is where to start.

mod binding;
mod client;
mod connection;
mod dial;
mod ntlm;
mod sealed;
mod tls;

pub(crate) use client::Client;
