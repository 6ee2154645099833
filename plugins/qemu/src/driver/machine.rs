//! A running machine.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::output::Tail;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this status.
    Status(i32),
    /// By a signal.
    Signal(i32),
}

impl Ended {
    /// Whether it ended as it should: the guest was switched off.
    pub(crate) fn is_success(&self) -> bool {
        *self == Self::Status(0)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A running machine, or another service of the build. It is killed when dropped, unless it was told
/// to stay.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Its process; none for a recorded one.
    pub(crate) pid: Option<u32>,
    ended: watch::Receiver<Option<Ended>>,
    kill: CancellationToken,
    tail: Tail,
    stays: AtomicBool,
}

impl Machine {
    /// A machine whose end is told through `ended`, and that is killed by cancelling `kill`.
    pub(crate) fn new(
        pid: Option<u32>,
        ended: watch::Receiver<Option<Ended>>,
        kill: CancellationToken,
        tail: Tail,
    ) -> Self {
        Self {
            pid,
            ended,
            kill,
            tail,
            stays: AtomicBool::new(false),
        }
    }

    /// Lets it run on when this is dropped.
    pub(crate) fn stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }

    /// How it ended; none while it runs.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended.borrow().clone()
    }

    /// Waits for its end.
    pub(crate) async fn wait(&self) -> Ended {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(value) => value.clone().unwrap_or(Ended::Signal(9)),
            // Whoever watched it is gone, and killed it on the way out.
            Err(_) => Ended::Signal(9),
        }
    }

    /// Kills it and waits until it is gone.
    pub(crate) async fn kill(&self) {
        self.kill.cancel();
        self.wait().await;
    }

    /// The last lines it printed.
    pub(crate) fn last_words(&self) -> String {
        self.tail.text()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.stays.load(Ordering::Relaxed) {
            return;
        }
        self.kill.cancel();
        // Whoever watches it may not get another turn.
        if self.ended().is_none() {
            kill_group(self.pid);
        }
    }
}

/// Kills the process group that `pid` leads.
pub(super) fn kill_group(pid: Option<u32>) {
    let group = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if let Some(group) = group
        && let Err(error) = kill_process_group(group, Signal::KILL)
    {
        tracing::debug!(%error, "a process group is gone already");
    }
}
