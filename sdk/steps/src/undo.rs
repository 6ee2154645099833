//! What has to be undone, last first.

use std::time::Duration;

use futures::future::BoxFuture;
use sdk_component::{Failure, RunContext};

/// How the steps came out, for those who undo them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending<'a> {
    /// Every step succeeded.
    Succeeded,
    /// One failed with this.
    Failed(&'a Failure),
}

/// When something is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// In any case.
    Always,
    /// Only when the build failed.
    OnFailure,
    /// Only when it is left as it is.
    Left,
    /// Nothing is undone: a person may look at what the step made before that goes.
    Pause,
}

pub(crate) type Work =
    Box<dyn FnOnce(Option<Failure>) -> BoxFuture<'static, Result<(), Failure>> + Send>;

/// Names something that is to be undone, for [`crate::Steps::forget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupId(pub(crate) u64);

/// One thing to undo.
pub(crate) struct Undo {
    pub(crate) id: CleanupId,
    pub(crate) step: String,
    pub(crate) when: When,
    pub(crate) limit: Duration,
    pub(crate) work: Work,
}

impl Undo {
    /// Whether there is anything to do after this ending.
    pub(crate) fn applies(&self, ending: Ending<'_>) -> bool {
        match self.when {
            When::Always => true,
            When::OnFailure => matches!(ending, Ending::Failed(_)),
            When::Left | When::Pause => false,
        }
    }

    /// Undoes it within its limit. A failure is only a warning: it must not hide the first error.
    pub(crate) async fn run(self, cx: &RunContext, ending: Ending<'_>) {
        let failure = match ending {
            Ending::Succeeded => None,
            Ending::Failed(failure) => Some(failure.clone()),
        };
        let work = Failure::catch((self.work)(failure));
        let problem = match tokio::time::timeout(self.limit, work).await {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure.message,
            Err(_) => format!("it did not end within {} s", self.limit.as_secs()),
        };
        tracing::warn!(step = self.step, error = problem, "cleanup failed");
        cx.error(format!(
            "Warning: cleanup of step {:?} failed: {problem}",
            self.step
        ))
        .await;
    }
}
