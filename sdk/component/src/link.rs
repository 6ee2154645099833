//! The channel from a component to its host, in typed form.
//!
//! `sdk-plugin-server` connects it to the wire; the test kit answers it in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sdk_config::Diagnostic;
use tokio::sync::{mpsc, oneshot};

use crate::context::{Progress, Ready};
use crate::resource::Resource;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// News.
    Say,
    /// Something went wrong.
    Error,
}

/// What the provisioners came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of them succeeded.
    Provisioned,
    /// One failed, with this message.
    Failed(String),
    /// The build was cancelled.
    Cancelled,
}

/// What a pause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseKind {
    /// A question whose answer matters.
    Question,
    /// The same; the answer is a secret, which is not shown while it is typed.
    Hidden,
    /// A stop of the debug mode; any answer means go on.
    Debug,
}

/// What the person answered to a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A line, without its end.
    Line(String),
    /// There is nobody to ask.
    Unattended,
}

/// What a component tells its host. Those with a `oneshot` wait for the host's answer.
#[derive(Debug)]
pub enum Event {
    /// Output for the person building; may have several lines.
    Ui(Level, String),
    /// Progress of long work.
    Progress(Progress),
    /// A step begins.
    StepBegun(String),
    /// A step ended; the error when it failed.
    StepEnded(String, Option<String>, std::time::Duration),
    /// A resource is about to be created; answered once it is on record.
    Created(u64, Resource, oneshot::Sender<()>),
    /// A resource is gone.
    Released(u64),
    /// The machine can be provisioned; answered when the provisioners ended.
    Ready(Ready, oneshot::Sender<Verdict>),
    /// The build failed with this error: run the error-cleanup provisioner, then answer.
    CleanupProvision(String, oneshot::Sender<Verdict>),
    /// A problem of the configuration that only the run could see.
    Diagnostic(Diagnostic),
    /// Wait for the person, who sees this text.
    Pause(String, PauseKind, oneshot::Sender<Answer>),
    /// A value that must not appear in any output.
    Secret(String),
}

/// A component's end of the channel. Clones are the same channel.
#[derive(Clone, Debug)]
pub struct HostLink {
    events: mpsc::Sender<Event>,
    next: Arc<AtomicU64>,
}

impl HostLink {
    /// A link, and the end the host reads. The channel is bounded: a component that floods waits.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(256);
        (
            Self {
                events,
                next: Arc::new(AtomicU64::new(1)),
            },
            receiver,
        )
    }

    /// A number not used before on this link.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends an event; one that nobody hears any more is dropped, because the run is over then.
    pub async fn send(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            tracing::debug!("the host no longer listens");
        }
    }

    /// Sends an event if there is room, for callers that cannot wait.
    pub fn offer(&self, event: Event) {
        if self.events.try_send(event).is_err() {
            tracing::debug!("an event was dropped");
        }
    }

    /// Sends an event with a reply channel and waits for the answer; `None` when the host is gone.
    pub async fn ask<T>(&self, event: impl FnOnce(oneshot::Sender<T>) -> Event) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(event(reply)).await;
        answer.await.ok()
    }

    pub(crate) async fn release(&self, number: u64) {
        self.send(Event::Released(number)).await;
    }
}
