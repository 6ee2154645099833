//! Why attempts to connect fail, and what a row of them amounts to.

use std::time::Duration;

use crate::auth::AuthFailure;

/// One attempt to connect failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptError {
    /// The machine has no address yet.
    #[error("no address yet: {0}")]
    NoAddress(String),
    /// Nothing listens.
    #[error("connection refused")]
    Refused,
    /// The address cannot be reached.
    #[error("cannot reach it: {0}")]
    Unreachable(String),
    /// The connection was accepted, but nobody spoke.
    #[error("accepted, but no SSH banner within {:.1} s", .0.as_secs_f64())]
    Silent(Duration),
    /// The connection was accepted and closed without a word.
    #[error("accepted, then closed without an SSH banner")]
    ClosedEarly,
    /// Something else than SSH answered.
    #[error("accepted, but the answer is not SSH: `{0}`")]
    NotSsh(String),
    /// A server of before 2006 answered.
    #[error(
        "the server speaks only version 1 of SSH (`{0}`), which is broken and not supported; \
         enable version 2 on the machine, or go through a bastion (`ssh_bastion_host`) to one that \
         has it"
    )]
    Version1(String),
    /// The key exchange failed.
    #[error("SSH handshake failed: {0}")]
    Handshake(String),
    /// The login was refused.
    #[error(transparent)]
    Authentication(#[from] AuthFailure),
    /// The proxy did not let us through.
    #[error("SOCKS5 proxy: {0}")]
    Proxy(String),
    /// The way through the bastion failed.
    #[error("bastion {host}: {error}")]
    Bastion {
        /// Its name or address.
        host: String,
        /// What failed there.
        error: Box<AttemptError>,
    },
    /// The server did not open the ports of `ssh_remote_tunnels`.
    #[error("the server did not open port {port} for `ssh_remote_tunnels`: {message}")]
    RemoteTunnel {
        /// Which port.
        port: u16,
        /// In the server's words.
        message: String,
    },
}

impl AttemptError {
    /// The refused login behind it, if it is one.
    #[must_use]
    pub fn authentication(&self) -> Option<&AuthFailure> {
        match self {
            Self::Authentication(failure) => Some(failure),
            Self::Bastion { error, .. } => error.authentication(),
            _ => None,
        }
    }

    /// The bastion it happened at, if it did.
    pub(crate) fn bastion(&self) -> Option<&str> {
        match self {
            Self::Bastion { host, .. } => Some(host),
            _ => None,
        }
    }

    /// What the first line of an answer rules out.
    pub(crate) fn of_first_line(line: &str) -> Option<Self> {
        if !line.starts_with("SSH-") {
            return Some(Self::NotSsh(line.to_owned()));
        }
        // 1.99 is how servers of both versions call themselves.
        let old = line.starts_with("SSH-1.") && !line.starts_with("SSH-1.99");
        old.then(|| Self::Version1(line.to_owned()))
    }

    /// A few words that stand for all failures of this kind.
    fn kind(&self) -> String {
        match self {
            Self::NoAddress(_) => "no address yet".to_owned(),
            Self::Refused => "connection refused".to_owned(),
            Self::Unreachable(_) => "unreachable".to_owned(),
            Self::Silent(_) => "accepted but no SSH banner".to_owned(),
            Self::ClosedEarly => "accepted but closed without an SSH banner".to_owned(),
            Self::NotSsh(_) => "answered by something that is not SSH".to_owned(),
            Self::Handshake(_) | Self::Version1(_) => "handshake failed".to_owned(),
            Self::Authentication(_) => "login refused".to_owned(),
            Self::Proxy(_) => "refused by the proxy".to_owned(),
            Self::Bastion { error, .. } => format!("bastion: {}", error.kind()),
            Self::RemoteTunnel { .. } => "remote tunnel refused".to_owned(),
        }
    }

    /// How long to wait before the next attempt, after `refused` refused logins.
    pub(crate) fn pause(&self, refused: u32) -> Duration {
        match self {
            // As patient as Packer, because a guest may make its users after its SSH server has
            // started; quick at first.
            error if error.authentication().is_some() => match refused {
                0 | 1 => Duration::from_secs(1),
                2 => Duration::from_secs(3),
                _ => Duration::from_secs(7),
            },
            Self::Handshake(_)
            | Self::Version1(_)
            | Self::NotSsh(_)
            | Self::RemoteTunnel { .. }
            | Self::Proxy(_)
            | Self::NoAddress(_) => Duration::from_millis(500),
            Self::Bastion { error, .. } => error.pause(refused).max(Duration::from_millis(500)),
            _ => Duration::from_millis(200),
        }
    }
}

/// What a row of attempts saw.
#[derive(Clone, Debug, Default)]
pub struct History {
    kinds: Vec<(String, u32)>,
    last: Option<AttemptError>,
}

impl History {
    /// Adds what one attempt saw.
    pub fn add(&mut self, error: AttemptError) {
        let kind = error.kind();
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((kind, 1)),
        }
        self.last = Some(error);
    }

    /// How many attempts there were.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.kinds.iter().map(|(_, count)| count).sum()
    }

    /// What the last attempt saw.
    #[must_use]
    pub fn last(&self) -> Option<&AttemptError> {
        self.last.as_ref()
    }
}

impl std::fmt::Display for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.kinds.is_empty() {
            return f.write_str("no attempt was finished");
        }
        for (index, (kind, count)) in self.kinds.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let times = if *count == 1 {
                "once".to_owned()
            } else {
                format!("{count} times")
            };
            write!(f, "{comma}{kind} {times}")?;
        }
        match &self.last {
            Some(last) => write!(f, "; last: {last}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AttemptError, History};

    #[test]
    fn history_counts_by_kind_and_quotes_the_last() {
        let mut history = History::default();
        assert_eq!(history.to_string(), "no attempt was finished");
        for _ in 0..3 {
            history.add(AttemptError::Refused);
        }
        history.add(AttemptError::Silent(Duration::from_millis(1500)));
        assert_eq!(
            history.to_string(),
            "connection refused 3 times, accepted but no SSH banner once; \
             last: accepted, but no SSH banner within 1.5 s"
        );
        assert_eq!(history.attempts(), 4);
    }
}
