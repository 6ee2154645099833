//! What can go wrong with a plugin process.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use host_diag::Fault;

use crate::convert::BadMessage;
use crate::handshake::HandshakeError;

/// A plugin could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No usable plugin offers the component.
    #[error("no installed plugin offers the {kind} `{name}`{}", did_you_mean(nearest.as_ref()))]
    NotInstalled {
        /// What was looked for, for example `builder`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The offered name closest to it.
        nearest: Option<String>,
    },
    /// The executable could not be started.
    #[error("cannot start plugin `{plugin}` from `{}`", path.display())]
    Spawn {
        /// The plugin.
        plugin: String,
        /// Its executable.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The plugin said nothing in time.
    #[error("plugin `{plugin}` printed no handshake within {} s", limit.as_secs())]
    NoHandshake {
        /// The plugin.
        plugin: String,
        /// How long it had.
        limit: Duration,
        /// Its last log lines.
        log: LogTail,
    },
    /// What the plugin said first is not a handshake.
    #[error("plugin `{plugin}` printed a wrong handshake")]
    BadHandshake {
        /// The plugin.
        plugin: String,
        /// What is wrong with it.
        source: HandshakeError,
        /// Its last log lines.
        log: LogTail,
    },
    /// The socket the plugin named does not answer.
    #[error("cannot connect to plugin `{plugin}` at `{}`", socket.display())]
    Connect {
        /// The plugin.
        plugin: String,
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: Box<tonic::transport::Error>,
        /// Its last log lines.
        log: LogTail,
    },
    /// The process ended when it should not have.
    #[error("plugin `{plugin}` died while it should {doing}: {exit}")]
    Died {
        /// The plugin.
        plugin: String,
        /// What it was asked to do, for example `run the builder`.
        doing: String,
        /// Exit status or signal.
        exit: String,
        /// Its last log lines.
        log: LogTail,
    },
    /// A call did not end in time.
    #[error("plugin `{plugin}` did not {doing} within {} s", limit.as_secs())]
    TooSlow {
        /// The plugin.
        plugin: String,
        /// What it was asked to do.
        doing: String,
        /// How long it had.
        limit: Duration,
        /// Its last log lines.
        log: LogTail,
    },
    /// The plugin refused a call, or the connection broke.
    #[error("plugin `{plugin}` could not {doing}")]
    Call {
        /// The plugin.
        plugin: String,
        /// What it was asked to do.
        doing: String,
        /// What it answered.
        source: CallFailure,
        /// Its last log lines.
        log: LogTail,
    },
    /// The plugin sent something the protocol does not allow.
    #[error("plugin `{plugin}` broke the protocol when asked to {doing}")]
    Protocol {
        /// The plugin.
        plugin: String,
        /// What it was asked to do.
        doing: String,
        /// What was wrong.
        source: BadMessage,
        /// Its last log lines.
        log: LogTail,
    },
    /// A file or folder of kiln's own could not be used.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was attempted, for example `create folder`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A resource could not be put on record.
    #[error("cannot write the journal of resources `{}`", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn did_you_mean(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl ClientError {
    /// Who can mend it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NotInstalled { .. } => Fault::User,
            Self::Spawn { .. } | Self::File { .. } | Self::Journal { .. } => Fault::Environment,
            _ => Fault::Plugin,
        }
    }

    /// The plugin's last log lines; empty when the error is not about a running plugin.
    #[must_use]
    pub fn log_tail(&self) -> &[String] {
        match self {
            Self::NoHandshake { log, .. }
            | Self::BadHandshake { log, .. }
            | Self::Connect { log, .. }
            | Self::Died { log, .. }
            | Self::TooSlow { log, .. }
            | Self::Call { log, .. }
            | Self::Protocol { log, .. } => &log.0,
            _ => &[],
        }
    }

    /// The error with all its causes in one line, then the plugin's last log lines, indented, when
    /// there are any. No final line end.
    #[must_use]
    pub fn report(&self) -> String {
        let mut text = chain(self);
        let lines = self.log_tail();
        if !lines.is_empty() {
            text.push_str("\nIts last log lines:");
            for line in lines {
                text.push_str("\n  ");
                text.push_str(line);
            }
        }
        text
    }
}

/// An error and everything it came from, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat their source in their own text.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// The last lines a plugin logged, oldest first; at most twenty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTail(pub Vec<String>);

/// What a call ended with instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("{message} ({code})")]
pub struct CallFailure {
    /// The reason as a word, for example `Unavailable`.
    pub code: String,
    /// The text that came with it.
    pub message: String,
}

impl From<tonic::Status> for CallFailure {
    fn from(status: tonic::Status) -> Self {
        let message = match status.message() {
            "" => "no reason given".to_owned(),
            message => message.to_owned(),
        };
        Self {
            code: format!("{:?}", status.code()),
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_has_causes_and_log_lines() {
        let error = ClientError::Call {
            plugin: "qemu".into(),
            doing: "run the builder".into(),
            source: CallFailure {
                code: "Internal".into(),
                message: "oops".into(),
            },
            log: LogTail(vec!["one".into(), "two".into()]),
        };
        assert_eq!(
            error.report(),
            "plugin `qemu` could not run the builder: oops (Internal)\nIts last log lines:\n  one\n  two"
        );
        assert_eq!(error.fault(), Fault::Plugin);
    }

    #[test]
    fn a_missing_component_names_the_nearest() {
        let error = ClientError::NotInstalled {
            kind: "builder",
            name: "qemo".into(),
            nearest: Some("qemu".into()),
        };
        assert_eq!(
            error.report(),
            "no installed plugin offers the builder `qemo`; did you mean `qemu`?"
        );
        assert_eq!(error.fault(), Fault::User);
    }
}
