//! What can go wrong between us and the machine.

/// An operation on the machine failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommunicatorError {
    /// There is no connection and none could be made.
    #[error("cannot reach the machine: {seen}")]
    Unreachable {
        /// What was seen: refused, no answer, handshake failure, methods offered, ….
        seen: String,
    },
    /// The connection broke during `operation`.
    #[error("the connection broke during {operation}: {seen}")]
    Broken {
        /// What was under way, for example `upload of /tmp/x`.
        operation: String,
        /// What was seen.
        seen: String,
    },
    /// The machine refused `operation`.
    #[error("{operation} failed: {message}")]
    Refused {
        /// What was under way.
        operation: String,
        /// In the machine's words.
        message: String,
    },
    /// A local file or stream failed.
    #[error("{operation} failed")]
    Io {
        /// What was under way, with the path.
        operation: String,
        /// Why.
        source: std::io::Error,
    },
    /// This communicator cannot do that.
    #[error("{operation} is not implemented when communicator = '{communicator}'")]
    Unsupported {
        /// What was asked for.
        operation: String,
        /// Which communicator.
        communicator: String,
    },
    /// It took longer than allowed.
    #[error("{operation} did not end within {} s", limit.as_secs())]
    Timeout {
        /// What was under way.
        operation: String,
        /// The limit.
        limit: std::time::Duration,
    },
}
