//! Becoming a plugin that is confined: how kiln starts what did not come with it.
//!
//! `kiln confined POLICY PROGRAM [ARGUMENT…]` is for kiln itself; it is in no help text. A program of
//! its own would have to be installed and found.

use std::io::Write;
use std::process::ExitCode;

use host_plugin_client::LAUNCH_WORD;

/// What shells give for a program that cannot be started.
const CANNOT_START: u8 = 126;

/// Becomes the plugin when the command line asks for it; gives the status to end with when that
/// failed, and nothing when something else is asked for.
pub(crate) fn become_plugin() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != LAUNCH_WORD {
        return None;
    }
    let policy = words.next().unwrap_or_default();
    let program = words.next().unwrap_or_default();
    let error = host_confine::exec(&policy.to_string_lossy(), program, words.collect());
    // The host keeps what a plugin writes there for its own message.
    drop(writeln!(
        std::io::stderr(),
        "the plugin cannot be confined: {error}"
    ));
    Some(ExitCode::from(CANNOT_START))
}
