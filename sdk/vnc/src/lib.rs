//! A VNC client that types and looks.
//!
//! Here are [`VncClient::connect`] (TCP; no authentication or the VNC password), key events with the
//! certainty that they arrived ([`VncClient::settle`]), and pictures of the screen
//! ([`VncClient::screenshot`]). Not here: which keys to type (`sdk-boot-command`) and encrypted
//! connections, which the protocol library does not speak.
//!
//! Start with [`VncClient`].

mod client;
mod connection;
mod error;
mod screen;

pub use client::{ConnectOptions, VncClient};
pub use error::VncError;
pub use screen::Picture;
