//! What the host answers, handed to those who wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugin_wire::v1::run_request::Request as RunMessage;
use plugin_wire::v1::{Continue, Provisioned, Recorded, RunRequest};
use sdk_component::{Answer, Verdict};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

/// Who waits for which answer.
#[derive(Default)]
pub(super) struct Answers {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// Nothing will be answered any more.
    closed: bool,
    recorded: HashMap<u64, oneshot::Sender<()>>,
    provisioned: Option<oneshot::Sender<Verdict>>,
    pauses: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Answers {
    /// Hands out answers until the host says no more, which ends the run as `cancel` does.
    pub(super) async fn listen(
        self: Arc<Self>,
        mut requests: Streaming<RunRequest>,
        cancel: CancellationToken,
    ) {
        loop {
            match requests.message().await {
                Ok(Some(RunRequest {
                    request: Some(message),
                })) => self.take(message, &cancel),
                Ok(Some(RunRequest { request: None })) => {
                    tracing::debug!("a message of a kind this plugin does not know was ignored");
                }
                Ok(None) => break,
                Err(status) => {
                    tracing::debug!(%status, "the host is gone");
                    break;
                }
            }
        }
        cancel.cancel();
        // Those who wait learn that there will be no answer when the senders are dropped.
        *self.lock() = Waiting {
            closed: true,
            ..Waiting::default()
        };
    }

    fn take(&self, message: RunMessage, cancel: &CancellationToken) {
        match message {
            RunMessage::Recorded(Recorded { number }) => {
                answer(self.lock().recorded.remove(&number), ());
            }
            RunMessage::Provisioned(Provisioned { error, cancelled }) => {
                let verdict = if cancelled {
                    Verdict::Cancelled
                } else if error.is_empty() {
                    Verdict::Provisioned
                } else {
                    Verdict::Failed(error)
                };
                answer(self.lock().provisioned.take(), verdict);
            }
            RunMessage::Continue(Continue {
                number,
                answer: line,
                unattended,
            }) => {
                let given = if unattended {
                    Answer::Unattended
                } else {
                    Answer::Line(line)
                };
                answer(self.lock().pauses.remove(&number), given);
            }
            RunMessage::Cancel(reason) => {
                tracing::info!(reason = reason.reason, "the host cancels the run");
                cancel.cancel();
            }
            RunMessage::Start(_) => tracing::warn!("a second start of one run was ignored"),
        }
    }

    pub(super) fn await_recorded(&self, number: u64, reply: oneshot::Sender<()>) {
        self.with(|waiting| drop(waiting.recorded.insert(number, reply)));
    }

    pub(super) fn await_provisioned(&self, reply: oneshot::Sender<Verdict>) {
        self.with(|waiting| waiting.provisioned = Some(reply));
    }

    pub(super) fn await_continue(&self, number: u64, reply: oneshot::Sender<Answer>) {
        self.with(|waiting| drop(waiting.pauses.insert(number, reply)));
    }

    /// Lets somebody wait, unless there will be no answer.
    fn with(&self, add: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.lock();
        if !waiting.closed {
            add(&mut waiting);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer<T>(waiting: Option<oneshot::Sender<T>>, answer: T) {
    if waiting.is_none_or(|reply| reply.send(answer).is_err()) {
        tracing::debug!("an answer came for nobody");
    }
}
