//! The kit of the process-level tests.
//!
//! Here are the program under test in a world of its own ([`Kiln`]), the mini Debian fixture
//! ([`fixture`]), machines booted without kiln to look at images ([`machine`]), and a private sshd
//! ([`sshd`]). Not here: tests; they are in `tests/`.

pub mod fixture;
pub mod kiln;
pub mod leftovers;
pub mod machine;
pub mod sshd;
pub mod tools;

pub use kiln::{Finished, Kiln, Running, project};
