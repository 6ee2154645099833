//! Versions: ours, and the Packer version whose behaviour we have.

/// The Packer version templates see and constraints are checked against.
pub const PACKER: &str = "1.16.0";

/// Our own version.
pub const KILN: &str = env!("CARGO_PKG_VERSION");
