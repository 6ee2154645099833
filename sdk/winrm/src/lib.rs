//! WinRM: connecting, authenticating, running commands, moving files.
//!
//! Here are [`Settings`], made from the communicator options every builder takes, [`connect`],
//! which waits for a guest's WinRM service and logs in, and [`WinRmCommunicator`], the
//! `Communicator` that comes out of it. [`powershell`] has what provisioners need to write command
//! lines for Windows. Not here: the options (they are in `sdk-ssh`, with those of SSH), retries of
//! commands, output for people other than the connecting lines.
//!
//! The protocol is WS-Management with Microsoft's shell extension (MS-WSMV): SOAP over HTTP or
//! HTTPS. Logins are basic and NTLM; over plain HTTP, NTLM messages are sealed, as Windows demands
//! by default. Start with [`Settings`] and [`connect`]; then `wsman` has the messages, `http` the
//! connections, `transfer` the files.
//!
//! No real Windows took part in the tests of this crate: they run against a server written from
//! MS-WSMV in another language, with NTLM of another library, which a client that is not ours
//! (pywinrm) accepts too.

mod communicator;
mod connect;
mod error;
mod exec;
mod http;
pub mod powershell;
mod settings;
mod shell;
mod transfer;
mod wsman;

pub use communicator::WinRmCommunicator;
pub use connect::{ConnectError, Observer, connect};
pub use error::{AttemptError, LoginFailure};
pub use settings::Settings;
pub use wsman::Fault;

/// An error and all its causes in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in their own text.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
