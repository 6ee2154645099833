//! Which builds run when.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use host_plugin_client::{Artifact, Registry, RunDirectory};
use tokio_util::sync::CancellationToken;

use crate::build;
use crate::component::Scope;
use crate::observer::Observer;
use crate::options::Options;
use crate::prepare::PreparedBuild;

/// What became of a build.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Full name.
    pub build: String,
    /// The artifacts that stay, the builder's own first; nothing when the builder made none. Else
    /// why it failed.
    pub result: Result<Vec<Option<Artifact>>, String>,
    /// Whether the run was cancelled before the build ended.
    pub cancelled: bool,
    /// How long it took.
    pub elapsed: Duration,
}

/// Runs builds, several at the same time, and gives what became of them in the order given. Builds
/// start in that order, too. After `cancel` no further build starts, and those that were not started
/// are not in the result.
pub async fn run(
    builds: Vec<PreparedBuild>,
    registry: &Registry,
    directory: &Arc<RunDirectory>,
    options: &Options,
    observer: &dyn Observer,
    cancel: CancellationToken,
) -> Vec<Outcome> {
    let scope = Scope {
        registry,
        directory,
        options,
        observer,
        runs: AtomicU64::new(0),
    };
    let limit = if options.debug {
        1
    } else {
        options.parallel.unwrap_or(usize::MAX).max(1)
    };
    let start = |index: usize| -> Option<BoxFuture<'_, Outcome>> {
        let prepared = builds.get(index)?;
        Some(Box::pin(build::run(&scope, prepared, &cancel)))
    };
    in_order(start, limit, &cancel).await
}

/// Runs what `start` gives for 0, 1, 2, … until it gives nothing, at most `limit` at the same time.
/// Nothing is started after `cancel`.
async fn in_order<'a, T>(
    start: impl Fn(usize) -> Option<BoxFuture<'a, T>>,
    limit: usize,
    cancel: &CancellationToken,
) -> Vec<T> {
    let mut running = FuturesUnordered::new();
    let mut done = Vec::new();
    let mut next = 0;
    loop {
        while running.len() < limit && !cancel.is_cancelled() {
            let Some(work) = start(next) else { break };
            let index = next;
            running.push(async move { (index, work.await) });
            next += 1;
        }
        match running.next().await {
            Some(one) => done.push(one),
            None => break,
        }
    }
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Runs five pieces of work of which later ones are quicker; gives the order in which they
    /// started and ended.
    async fn trace(limit: usize, cancel_at: Option<usize>) -> (Vec<usize>, String) {
        let log = Mutex::new(String::new());
        let cancel = CancellationToken::new();
        let start = |index: usize| -> Option<BoxFuture<'_, usize>> {
            let (log, cancel) = (&log, &cancel);
            (index < 5).then(|| -> BoxFuture<'_, usize> {
                Box::pin(async move {
                    log.lock().unwrap().push_str(&format!("+{index}"));
                    let seconds = [20, 18, 15, 10, 5];
                    tokio::time::sleep(Duration::from_secs(seconds[index])).await;
                    if cancel_at == Some(index) {
                        cancel.cancel();
                    }
                    log.lock().unwrap().push_str(&format!("-{index}"));
                    index
                })
            })
        };
        let done = in_order(start, limit, &cancel).await;
        (done, log.into_inner().unwrap())
    }

    async fn check(limit: usize, cancel_at: Option<usize>, done: &[usize], log: &str) {
        assert_eq!(
            trace(limit, cancel_at).await,
            (done.to_vec(), log.to_owned())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_by_one_keeps_the_order() {
        check(1, None, &[0, 1, 2, 3, 4], "+0-0+1-1+2-2+3-3+4-4").await;
    }

    #[tokio::test(start_paused = true)]
    async fn results_are_in_the_order_of_the_template() {
        check(9, None, &[0, 1, 2, 3, 4], "+0+1+2+3+4-4-3-2-1-0").await;
        check(2, None, &[0, 1, 2, 3, 4], "+0+1-1+2-0+3-3+4-2-4").await;
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_starts_after_a_cancellation() {
        check(2, Some(1), &[0, 1], "+0+1-1-0").await;
        check(1, Some(0), &[0], "+0-0").await;
    }
}
