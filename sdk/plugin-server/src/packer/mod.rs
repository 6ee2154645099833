//! Serving the same components to the original Packer, which loads this executable as one of its
//! plugins.
//!
//! Here are the two commands that such an executable answers ([`command`]): `describe` prints what
//! it offers ([`describe`](mod@describe)), `start KIND NAME` serves one component
//! ([`start`](mod@start)), which [`component`](mod@component) carries between the calls of Packer
//! and kiln's traits. Not here: the wire itself (`sdk-packer-protocol`).
//!
//! What Packer has no call for has no effect: resources are not on record outside of the process,
//! and secrets are kept out of this plugin's own output only.

mod artifact;
mod component;
mod describe;
mod host;
mod options;
mod start;
mod wire;

use std::process::ExitCode;

use crate::plugin::Plugin;

/// A command of Packer's that stands on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print what is offered.
    Describe,
    /// Serve one component; these are the words after `start`.
    Start(Vec<String>),
}

/// The command among `arguments`, which come without the program's name.
pub(crate) fn command(arguments: impl IntoIterator<Item = String>) -> Option<Command> {
    let mut arguments = arguments.into_iter();
    match arguments.next()?.as_str() {
        "describe" => Some(Command::Describe),
        "start" => Some(Command::Start(arguments.collect())),
        _ => None,
    }
}

/// Carries out a command.
pub(crate) fn run(plugin: Plugin, command: Command) -> ExitCode {
    match command {
        Command::Describe => describe::print(&plugin),
        Command::Start(words) => start::start(plugin, &words),
    }
}

#[cfg(test)]
mod tests;
