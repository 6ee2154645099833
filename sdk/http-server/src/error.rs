//! How serving fails.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use sdk_ports::PortError;

/// The server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpServerError {
    /// `http_directory` cannot be read or is no folder.
    #[error("cannot serve `http_directory` `{}`", path.display())]
    Directory {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `http_bind_address` is not an address that the protocol can use.
    #[error(
        "`http_bind_address` `{address}` is no address for `http_network_protocol` `{protocol}`"
    )]
    Address {
        /// The address.
        address: String,
        /// The protocol.
        protocol: String,
    },
    /// `http_network_protocol` is one that no machine can reach.
    #[error(
        "`http_network_protocol` `{protocol}` is a socket file, which no machine can reach; use `tcp`"
    )]
    Protocol {
        /// The protocol.
        protocol: String,
    },
    /// No port is free.
    #[error("cannot find a port for the HTTP server (`http_port_min` to `http_port_max`)")]
    Port {
        /// Why.
        #[from]
        source: PortError,
    },
    /// The socket cannot be used.
    #[error("cannot listen at `{address}`")]
    Listen {
        /// Address and port.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}
