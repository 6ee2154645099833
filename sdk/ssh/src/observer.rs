//! What is told, and asked, while a connection is made.

use std::time::Duration;

use async_trait::async_trait;
use sdk_component::{Answer, RunContext};

use crate::connect::Address;
use crate::failure::AttemptError;

/// What happens while connecting.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectEvent {
    /// The address is known for the first time, or is another one than before.
    Using(Address),
    /// From now on attempts are made.
    Waiting,
    /// An attempt failed; others follow.
    AttemptFailed(AttemptError),
    /// The first connection is there and is given up again for `pause_before_connecting`.
    Pausing(Duration),
    /// It is done.
    Connected,
}

impl ConnectEvent {
    /// The line for the person building; `None` for events that are for logs only.
    ///
    /// # Source
    ///
    /// Packer's lines, which scripts wait for.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        match self {
            Self::Using(address) => Some(format!(
                "Using SSH communicator to connect: {}",
                address.host
            )),
            Self::Waiting => Some("Waiting for SSH to become available...".to_owned()),
            Self::AttemptFailed(_) => None,
            Self::Pausing(time) => Some(format!(
                "Pausing {} before connecting...",
                sdk_config::format_duration(*time)
            )),
            Self::Connected => Some("Connected to SSH!".to_owned()),
        }
    }
}

/// What a host wants to know from the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Who asks, and what; may have several lines.
    pub text: String,
    /// Whether the answer must not be seen by others.
    pub is_secret: bool,
}

/// Is told what happens while connecting.
#[async_trait]
pub trait ConnectObserver: Send + Sync {
    /// Something happened.
    async fn event(&self, event: ConnectEvent);

    /// Has the person answer a bastion's question, for `ssh_bastion_interactive`; `None` when there
    /// is nobody.
    async fn answer(&self, _question: Question) -> Option<String> {
        None
    }
}

#[async_trait]
impl ConnectObserver for RunContext {
    async fn event(&self, event: ConnectEvent) {
        if let Some(line) = event.line() {
            self.say(line).await;
        }
    }

    async fn answer(&self, question: Question) -> Option<String> {
        let answer = match question.is_secret {
            true => self.ask_hidden(question.text).await,
            false => self.ask(question.text).await,
        };
        match answer {
            Answer::Line(line) => Some(line),
            Answer::Unattended => None,
        }
    }
}

/// Nobody is told.
#[async_trait]
impl ConnectObserver for () {
    async fn event(&self, _event: ConnectEvent) {}
}
