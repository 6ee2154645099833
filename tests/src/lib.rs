//! The kit of the process-level tests.
//!
//! Here are the program under test in a world of its own ([`Kiln`]), the mini Debian fixture
//! ([`fixture`]), machines booted without kiln to look at images ([`machine`]), a private sshd
//! ([`sshd`]), and a terminal to type at ([`terminal`]). Not here: tests; they are in `tests/`.

pub mod fixture;
pub mod hostile;
pub mod kiln;
pub mod leftovers;
pub mod machine;
pub mod peak;
pub mod sshd;
pub mod terminal;
pub mod tools;

pub use kiln::{Finished, Kiln, Running, project};
