//! QEMU's command line.
//!
//! Here are the options the builder gives by itself ([`defaults()`]) and the rules by which rows of
//! `qemuargs` replace them ([`merge()`]). Not here: starting QEMU, and finding out the facts.

mod defaults;
mod merge;
#[cfg(test)]
mod tests;

pub(crate) use defaults::{Forward, KEY_DELAY, Launch, Screen, defaults};
pub(crate) use merge::{merge, user_options};

/// Options of QEMU in order: each name once, with all its values; none means the bare option.
pub(crate) type Options = Vec<(String, Vec<String>)>;
