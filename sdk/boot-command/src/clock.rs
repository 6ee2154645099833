//! Time as a parameter.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;

/// Tells time and waits.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;

    /// Returns when [`Self::now`] is `moment` or later.
    async fn sleep_until(&self, moment: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that starts at zero now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep_until(&self, moment: Duration) {
        tokio::time::sleep_until(tokio::time::Instant::from_std(self.start + moment)).await;
    }
}

/// A clock for tests: waiting moves it at once.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: Mutex<Duration>,
    /// How much later than asked every sleep ends.
    lateness: Duration,
}

impl ManualClock {
    /// A clock that shows zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock of a busy machine, where every sleep ends `lateness` too late.
    #[must_use]
    pub fn late_by(lateness: Duration) -> Self {
        Self {
            now: Mutex::default(),
            lateness,
        }
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self
            .now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn sleep_until(&self, moment: Duration) {
        let mut now = self
            .now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if moment > *now {
            *now = moment + self.lateness;
        }
    }
}
