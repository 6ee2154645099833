//! Programs that a component runs on this machine.
//!
//! Here is [`Program`]: what to run, what it reads, what becomes of its output, and its death when
//! the run is cancelled or it takes too long. Not here: commands on the machine that is built (that
//! is the communicator's), and machines that outlive a call, such as QEMU's.

mod ended;
mod program;
mod pump;

pub use ended::Ended;
pub use program::{Input, Program};

#[cfg(test)]
mod tests;
