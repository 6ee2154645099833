//! How a lease fails.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// No port could be leased.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The range is empty or begins with zero.
    #[error(
        "`{first}` to `{last}` is no range of ports; it begins above 0 and does not end before that"
    )]
    Range {
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
    },
    /// Every port of the range is taken.
    #[error(
        "no free port from {first} to {last} at `{address}`: {in_use} in use, {leased} leased by other builds"
    )]
    NoFreePort {
        /// Where to listen.
        address: IpAddr,
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
        /// How many somebody listens at.
        in_use: usize,
        /// How many are leased.
        leased: usize,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at `{address}` port {port}")]
    Listen {
        /// Where to listen.
        address: IpAddr,
        /// The port tried.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The folder or a file of leases cannot be used.
    #[error("cannot use the lease file `{}`", path.display())]
    File {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
