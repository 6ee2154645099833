//! How a VNC connection fails.

use std::time::Duration;

/// A VNC connection that does not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VncError {
    /// Nobody answered in time.
    #[error("cannot connect to the VNC server at `{address}` within {limit:?}")]
    Connect {
        /// Host and port.
        address: String,
        /// How long it was tried.
        limit: Duration,
        /// The last attempt's error.
        source: std::io::Error,
    },
    /// The server answered, and refused: a wrong password, or a way to log in nobody knows here.
    #[error("the VNC server at `{address}` refused the connection")]
    Refused {
        /// Host and port.
        address: String,
        /// What it said.
        source: vnc::VncError,
    },
    /// The connection ended.
    #[error("the connection to the VNC server ended ({reason})")]
    Closed {
        /// Why, as far as it is known.
        reason: String,
    },
    /// The server did not take or answer something in time.
    #[error("the VNC server did not {what} within {limit:?}")]
    Silent {
        /// What it was asked for.
        what: &'static str,
        /// How long it was waited.
        limit: Duration,
    },
    /// The picture could not be packed.
    #[error("cannot write the screen as PNG")]
    Png {
        /// Why.
        #[from]
        source: png::EncodingError,
    },
}
