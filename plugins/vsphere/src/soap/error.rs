//! What can go wrong with vSphere.

use kiln_sdk::Failure;

/// vSphere did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SoapError {
    #[error("`{host}` is not the address of a vSphere server")]
    Address { host: String },
    #[error("cannot talk to vSphere at {host}")]
    Transport {
        host: String,
        source: reqwest::Error,
    },
    #[error("{method}: {message}")]
    Fault {
        method: String,
        /// Kind of the fault, for example `InvalidLogin`.
        kind: String,
        message: String,
    },
    #[error("vSphere's answer to {method} cannot be understood: {problem}")]
    Answer { method: String, problem: String },
    #[error("there is no {what} `{path}` in vSphere")]
    Missing { what: &'static str, path: String },
    #[error("there are {count} datacenters ({names}): name one with `datacenter`")]
    Ambiguous { count: usize, names: String },
    #[error("{what} did not end within {} s", limit.as_secs())]
    TooLong {
        what: String,
        limit: std::time::Duration,
    },
    #[error("context canceled")]
    Cancelled,
}

impl From<SoapError> for Failure {
    fn from(error: SoapError) -> Self {
        match error {
            SoapError::Cancelled => Self::cancelled(),
            other => Self::from_error(&other),
        }
    }
}
