//! The kit of the process-level tests.
//!
//! Here are the program under test in a world of its own ([`Kiln`]), the mini Debian fixture
//! ([`fixture`]), machines booted without kiln to look at images ([`machine`]), private SSH servers
//! ([`sshd`]), a proxy that breaks connections ([`fault`]), servers that publish plugins ([`releases`]), a terminal to type at
//! ([`terminal`]), and a plugin that does what it is told ([`trial`]), and
//! plugins in other languages ([`foreign`]). Not here: tests; they are in `tests/`.

pub mod fault;
pub mod fixture;
pub mod foreign;
pub mod hostile;
pub mod kiln;
pub mod leftovers;
pub mod machine;
pub mod peak;
pub mod releases;
pub mod sshd;
pub mod terminal;
pub mod tools;
pub mod trial;
pub mod winrm;

pub use kiln::{Finished, Kiln, Running, project};
