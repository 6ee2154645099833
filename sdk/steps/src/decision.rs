//! What is to be done when a step fails: `-on-error`.

use sdk_component::{Answer, Failure, OnError, RunContext};

/// What follows a failed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Undo everything.
    CleanUp,
    /// Leave everything as it is.
    Abort,
    /// Only run the error-cleanup provisioner.
    CleanupProvisioner,
    /// Run the step again.
    Retry,
}

const QUESTION: &str = "[c] Clean up and exit, [a] abort without cleanup, or [r] retry step \
                        (build may fail even if retry succeeds)?";

/// Decides what follows after `step` ended with `failure`.
///
/// # Source
///
/// Packer's `-on-error`; the texts are Packer's, because people and scripts know them.
pub(crate) async fn decide(cx: &RunContext, step: &str, failure: &Failure) -> Decision {
    let interrupted = cx.cancel().is_cancelled();
    match cx.build().on_error {
        OnError::Cleanup => Decision::CleanUp,
        OnError::Abort if interrupted => {
            cx.error("Interrupted, aborting...").await;
            Decision::Abort
        }
        OnError::Abort => {
            cx.error(&*failure.message).await;
            cx.error(format!("Step {step:?} failed, aborting...")).await;
            Decision::Abort
        }
        OnError::RunCleanupProvisioner => Decision::CleanupProvisioner,
        OnError::Ask if interrupted || failure.cancelled => Decision::CleanUp,
        OnError::Ask => {
            cx.error(&*failure.message).await;
            cx.error(format!("Step {step:?} failed")).await;
            ask(cx).await
        }
    }
}

/// Asks until the answer can be understood; nobody to ask means to clean up.
async fn ask(cx: &RunContext) -> Decision {
    loop {
        let answer = tokio::select! {
            biased;
            () = cx.cancel().cancelled() => return Decision::CleanUp,
            answer = cx.ask(QUESTION) => answer,
        };
        let Answer::Line(line) = answer else {
            return Decision::CleanUp;
        };
        match line
            .trim()
            .chars()
            .next()
            .map(|letter| letter.to_ascii_lowercase())
        {
            None | Some('c') => return Decision::CleanUp,
            Some('a') => return Decision::Abort,
            Some('r') => return Decision::Retry,
            Some(_) => cx.say(format!("Incorrect input: {line:?}")).await,
        }
    }
}
