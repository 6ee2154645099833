//! What a template can put around a provisioner: a pause or a timeout, retries, and going on in
//! spite of a failure.

use std::time::Duration;

use futures::future::BoxFuture;
use host_template::ProvisionerPlan;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::go_text;
use crate::observer::Voice;

/// The wrappers of one provisioner.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wrappers {
    pub(crate) pause_before: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_retries: u32,
    pub(crate) continue_on_error: bool,
}

impl From<&ProvisionerPlan> for Wrappers {
    fn from(plan: &ProvisionerPlan) -> Self {
        Self {
            pause_before: plan.pause_before.filter(|pause| !pause.is_zero()),
            timeout: plan.timeout.filter(|timeout| !timeout.is_zero()),
            max_retries: plan.max_retries,
            continue_on_error: plan.continue_on_error,
        }
    }
}

/// Runs the provisioner once; it stops when the token is cancelled.
pub(crate) type Attempt<'a> =
    dyn Fn(CancellationToken) -> BoxFuture<'a, Result<(), Failure>> + Send + Sync + 'a;

impl Wrappers {
    /// Runs `attempt` as often and as long as the wrappers say. A failure counts as a cancellation
    /// only when `cancel` was cancelled.
    pub(crate) async fn run(
        &self,
        voice: &Voice<'_>,
        cancel: &CancellationToken,
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        let result = self.retried(voice, cancel, attempt).await;
        match result {
            Err(failure) if self.continue_on_error && !cancel.is_cancelled() => {
                voice.say(format!(
                    "Warning: Provisioner failed with {}, but continue_on_error is set; \
                     continuing the build.",
                    go_text::quoted(&failure.message)
                ));
                Ok(())
            }
            result => result,
        }
    }

    /// Every message, and the failure in the end, is about the first one, as in Packer.
    async fn retried(
        &self,
        voice: &Voice<'_>,
        cancel: &CancellationToken,
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        let Err(first) = self.once(voice, cancel, attempt).await else {
            return Ok(());
        };
        if self.max_retries == 0 {
            return Err(first);
        }
        for left in (1..=self.max_retries).rev() {
            if cancel.is_cancelled() {
                return Err(Failure::cancelled());
            }
            let error = go_text::quoted(&first.message);
            voice.say(format!(
                "Provisioner failed with {error}, retrying with {left} trie(s) left"
            ));
            if self.once(voice, cancel, attempt).await.is_ok() {
                return Ok(());
            }
        }
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        voice.say("retry limit reached.");
        Err(first)
    }

    async fn once(
        &self,
        voice: &Voice<'_>,
        cancel: &CancellationToken,
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        let result = match (self.pause_before, self.timeout) {
            (Some(pause), _) => paused(pause, voice, cancel, attempt).await,
            (None, Some(timeout)) => limited(timeout, voice, cancel, attempt).await,
            (None, None) => attempt(cancel.clone()).await,
        };
        result.map_err(|failure| Failure {
            cancelled: cancel.is_cancelled(),
            ..failure
        })
    }
}

async fn paused(
    pause: Duration,
    voice: &Voice<'_>,
    cancel: &CancellationToken,
    attempt: &Attempt<'_>,
) -> Result<(), Failure> {
    voice.say(format!(
        "Pausing {} before the next provisioner...",
        go_text::duration(pause)
    ));
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::cancelled()),
        () = tokio::time::sleep(pause) => attempt(cancel.clone()).await,
    }
}

async fn limited(
    limit: Duration,
    voice: &Voice<'_>,
    cancel: &CancellationToken,
    attempt: &Attempt<'_>,
) -> Result<(), Failure> {
    let text = go_text::duration(limit);
    voice.say(format!(
        "Setting a {text} timeout for the next provisioner..."
    ));
    let token = cancel.child_token();
    let work = attempt(token.clone());
    tokio::pin!(work);
    tokio::select! {
        biased;
        result = &mut work => return result,
        () = tokio::time::sleep(limit) => {}
    }
    voice.say("Cancelling provisioner after a timeout...");
    token.cancel();
    match work.await {
        Err(failure) if failure.cancelled && !cancel.is_cancelled() => Err(Failure::new(format!(
            "the provisioner did not end within {text}, its `timeout`"
        ))),
        ended => ended,
    }
}

#[cfg(test)]
mod tests;
