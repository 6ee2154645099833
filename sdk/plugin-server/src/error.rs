//! Why a plugin cannot serve.

use std::path::PathBuf;

/// A plugin could not start to serve, or stopped serving against its will.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A variable that hosts set is missing.
    #[error("the environment variable {name} is not set; a host sets it")]
    MissingVariable {
        /// Its name.
        name: &'static str,
    },
    /// The folder for sockets is not private.
    #[error("the folder `{}` is open to other users (mode {mode:o}); it has to have mode 0700", path.display())]
    OpenDirectory {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The folder for sockets cannot be used.
    #[error("cannot look at the folder `{}`", path.display())]
    Directory {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No socket could be made.
    #[error("cannot make the socket `{}`", path.display())]
    Socket {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The runtime or a signal handler could not be made.
    #[error("cannot set up {what}")]
    Setup {
        /// What.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The handshake could not be written.
    #[error("cannot write the handshake")]
    Handshake(#[source] std::io::Error),
    /// The gRPC server failed.
    #[error("the server on the socket failed")]
    Server(#[source] tonic::transport::Error),
}
