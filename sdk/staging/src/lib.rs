//! What provisioners of configuration tools share: Ansible, Chef, Puppet, Salt.
//!
//! Such a tool runs in the machine, from a folder its files were put into ([`Guest`]), or here,
//! against the machine. Here are also what both need of options: the kind of guest
//! ([`GuestOs`]), words of a command line ([`quote`]), options that are rendered late ([`Late`]),
//! checks of local files ([`check`]), what a playbook or a manifest learns about its build
//! ([`BuildFacts`]), and commands with more rights on Windows ([`elevated`]). Not here: any tool, and
//! programs on this machine, which are in `sdk-program`.
//!
//! Start with [`Guest`].

pub mod check;
pub mod elevated;
mod facts;
mod guest;
mod late;
mod os;
pub mod quote;

pub use facts::BuildFacts;
pub use guest::{Guest, Sudo, ended};
pub use late::Late;
pub use os::GuestOs;

#[cfg(test)]
mod tests;
