//! What can go wrong on the wire.

use std::time::Duration;

/// The connection, or one stream of it, cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The connection has ended.
    #[error("the connection has ended")]
    Ended,
    /// The other side did not open or answer the stream of this number.
    #[error("the other side did not take up stream {id} within {} s", limit.as_secs())]
    NotTaken {
        /// The pairing number.
        id: u32,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The other side closed the stream, or answered with another number.
    #[error("the other side refused stream {id}")]
    Refused {
        /// The pairing number.
        id: u32,
    },
}

/// A call did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The other side says why.
    #[error("{message}")]
    Remote {
        /// In its words.
        message: String,
    },
    /// The stream or the connection ended before the answer.
    #[error("the connection ended during `{method}`")]
    Ended {
        /// What was called.
        method: String,
    },
    /// The answer is not what the method gives.
    #[error("the answer to `{method}` has no valid {wanted}")]
    Unexpected {
        /// What was called.
        method: String,
        /// What should be there.
        wanted: &'static str,
    },
    /// A stream that belongs to the call could not be made.
    #[error("`{method}` failed")]
    Stream {
        /// What was called.
        method: String,
        /// Why.
        source: SessionError,
    },
    /// A message is too long or broken, so that nothing after it on its stream can be read.
    #[error("a message that is no valid {wanted} ended `{method}`")]
    Malformed {
        /// What was called.
        method: String,
        /// What should have come.
        wanted: &'static str,
    },
}

impl CallError {
    /// The other side's words; `None` when it did not answer.
    #[must_use]
    pub fn remote(&self) -> Option<&str> {
        match self {
            Self::Remote { message } => Some(message),
            _ => None,
        }
    }

    pub(crate) fn unexpected(method: &str, wanted: &'static str) -> Self {
        Self::Unexpected {
            method: method.to_owned(),
            wanted,
        }
    }
}

/// A plugin's first line cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// It is no handshake.
    #[error("its first line `{line}` is no handshake of a plugin")]
    Malformed {
        /// The line, cut if long.
        line: String,
    },
    /// It speaks the protocol of before 2021.
    #[error("it speaks a protocol older than the plugin SDK")]
    TooOld,
    /// It speaks another version of the protocol.
    #[error("it speaks version {major}.{minor} of the protocol, not 5.0")]
    Version {
        /// Its major version.
        major: String,
        /// Its minor version.
        minor: String,
    },
}
