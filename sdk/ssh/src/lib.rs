//! SSH: connecting, authenticating, running commands, moving files.
//!
//! Here are the communicator options of every builder ([`CommunicatorConfig`]), temporary keys
//! ([`KeyPair`]), [`connect`], which waits for a machine's SSH server and logs in, and
//! [`SshCommunicator`], the `Communicator` that comes out of it; [`dial`] is for other transports, too.
//! Not here: what a trailing slash of
//! a path means, retries of commands, output for people other than the connecting lines.
//!
//! Start with [`CommunicatorConfig`], then [`Settings`] and [`connect`].
//!
//! Host keys are not checked, as in Packer: the machine was made moments ago, and nobody knows its
//! key.

mod algorithms;
mod auth;
mod channel;
mod client;
mod communicator;
mod config;
mod connect;
mod connection;
mod dial;
mod exec;
mod failure;
mod forward;
mod key;
mod observer;
mod process;
mod route;
mod settings;
mod socks;
mod stream;
mod transfer;

pub use auth::AuthFailure;
pub use communicator::SshCommunicator;
pub use config::{CommunicatorConfig, Prepare, Tunnel, TunnelError};
pub use connect::{Address, AddressSource, ConnectError, NoAddress, connect};
pub use dial::dial;
pub use failure::{AttemptError, History};
pub use key::{
    KeyError, KeyKind, KeyKindError, KeyPair, authorized_key, clear_authorized_keys_command,
    expand_home, load_certificate, load_private_key, parse_private_key,
};
pub use observer::{ConnectEvent, ConnectObserver, Question};
pub use settings::{Environment, Settings, SettingsError};

/// An error and all its causes in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in their own text.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
