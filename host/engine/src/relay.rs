//! Handing over from one provisioner to the next: the next one's process is started while the one
//! before works, and ends while the one behind it works.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use host_plugin_client::Session;
use host_template::Component;
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinHandle;

use crate::component::Scope;
use crate::failure::Failure;

/// How long a process may wait for its turn. Beside a provisioner that takes longer than this, the
/// start of a process is nothing, and a process that waits is memory.
const PATIENCE: Duration = Duration::from_secs(2);

/// The processes of a build's provisioners that are not at work: at most one that waits for its
/// turn, and one that ends.
#[derive(Default)]
pub(crate) struct Relay {
    waiting: Mutex<Option<Session>>,
    /// Locked while its end is waited for, so that nobody else has another one end meanwhile.
    ending: AsyncMutex<Option<JoinHandle<()>>>,
}

impl Relay {
    /// Does `work`, and starts the process of `next` meanwhile.
    pub(crate) async fn meanwhile(
        &self,
        scope: &Scope<'_>,
        next: Option<&Component>,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let mut work = pin!(work);
        let mut start = pin!(start(scope, next));
        let session = tokio::select! {
            biased;
            done = &mut work => {
                done?;
                // It began together with the work, so it is nearly there.
                *lock(&self.waiting) = start.await;
                return Ok(());
            }
            session = &mut start => session,
        };
        let Some(session) = session else {
            return work.await;
        };
        tokio::select! {
            biased;
            done = &mut work => {
                done?;
                *lock(&self.waiting) = Some(session);
                return Ok(());
            }
            () = tokio::time::sleep(PATIENCE) => {}
        }
        tracing::debug!("a process that waited for its turn is ended");
        // An older process may be slow to end, and the work must not stand still for that.
        let ((), done) = tokio::join!(self.end(session), work);
        done
    }

    /// The process that was started before its turn, when there is one and it still runs.
    pub(crate) fn take(&self) -> Option<Session> {
        let waiting = lock(&self.waiting).take();
        waiting.filter(Session::is_running)
    }

    /// Has a process end that is no longer needed. At most one does so at a time.
    pub(crate) async fn end(&self, session: Session) {
        let mut ending = self.ending.lock().await;
        settle(&mut ending).await;
        *ending = Some(tokio::spawn(session.stop()));
    }

    /// Ends what waits, and waits for what ends.
    pub(crate) async fn finish(&self) {
        let waiting = lock(&self.waiting).take();
        if let Some(session) = waiting {
            self.end(session).await;
        }
        settle(&mut *self.ending.lock().await).await;
    }
}

/// Waits for the process that ends, when there is one.
async fn settle(ending: &mut Option<JoinHandle<()>>) {
    if let Some(ending) = ending.take()
        && let Err(error) = ending.await
    {
        tracing::warn!(%error, "a process was not ended kindly");
    }
}

/// A lock that no panic can spoil: what it holds is replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process for `next`. Whatever keeps it from being started is told when its turn has come.
async fn start(scope: &Scope<'_>, next: Option<&Component>) -> Option<Session> {
    let Component {
        kind, type_name, ..
    } = next?;
    let early = Session::launch_early(scope.registry, scope.directory, *kind, type_name);
    match early.await {
        Ok(session) => session,
        Err(error) => {
            tracing::debug!(%error, "a process was not started before its turn");
            None
        }
    }
}
