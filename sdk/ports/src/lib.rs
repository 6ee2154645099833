//! Leases of TCP ports that processes agree on.
//!
//! Here is [`lease`]: it finds a port in a range at which nobody listens and which no other process
//! of ours has taken, and keeps it until the [`PortLease`] is dropped. Processes agree through
//! locked files, `<cache_dir>/port/N`; the kernel drops the lock when its holder dies, so a crash
//! leaves nothing behind but an empty file. Not here: what listens at the port.

mod error;
mod lease;

pub use error::PortError;
pub use lease::{PortLease, PortSearch, lease};
