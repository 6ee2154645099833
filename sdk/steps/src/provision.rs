//! Having the machine provisioned.

use std::sync::Arc;
use std::time::Duration;

use sdk_component::{Failure, Ready};

use crate::Steps;
use crate::undo::When;

/// Name of the provision step.
///
/// # Source
///
/// Packer's name of it, which its `-on-error` and `-debug` texts show.
pub const PROVISION: &str = "StepProvision";

/// How long the error-cleanup provisioner may take.
const CLEANUP_LIMIT: Duration = Duration::from_secs(60 * 60);

impl Steps {
    /// Has the machine provisioned. When the build fails, here or later, but was not just
    /// cancelled, the error-cleanup provisioner runs while this step is undone; so the machine has
    /// to stay in reach until then.
    ///
    /// # Errors
    ///
    /// The failure of a provisioner, or a cancelled one; that comes at once.
    pub async fn provision(&self, ready: Ready) -> Result<(), Failure> {
        let cx = self.context();
        let run = || {
            let again = Ready {
                communicator: ready.communicator.as_ref().map(Arc::clone),
                generated: ready.generated.clone(),
            };
            self.register_cleanup_provisioner();
            cx.provision(again)
        };
        self.run(PROVISION, run).await
    }

    fn register_cleanup_provisioner(&self) {
        let (cx, failed_twice) = (self.cleanup_context(), Arc::clone(&self.failed_twice));
        let work = move |failure: Option<Failure>| async move {
            let Some(failure) = failure.filter(|failure| !failure.cancelled) else {
                return Ok(());
            };
            cx.say("Provisioning step had errors: Running the cleanup provisioner, if present...")
                .await;
            if let Err(second) = cx.cleanup_provision(&*failure.message).await {
                let message = format!(
                    "Cleanup failed: {}. Original Provisioning error: {}",
                    second.message, failure.message
                );
                cx.error(message.as_str()).await;
                // Once only: there is one provision step.
                drop(failed_twice.set(message));
            }
            Ok(())
        };
        let work = Box::new(|failure| -> futures::future::BoxFuture<'static, _> {
            Box::pin(work(failure))
        });
        self.add(PROVISION.to_owned(), When::OnFailure, CLEANUP_LIMIT, work);
    }
}
