//! Progress of long work, a few times a second.

use std::time::{Duration, Instant};

use sdk_component::{Event, Progress, ProgressUnit, RunContext};

/// Reports are not sent more often than this.
const INTERVAL: Duration = Duration::from_millis(250);

/// One piece of work; tells its end when dropped.
pub(crate) struct Meter {
    cx: RunContext,
    progress: Progress,
    sent: Option<Instant>,
}

impl Meter {
    pub(crate) fn new(cx: &RunContext, label: String, total: Option<u64>) -> Self {
        let progress = Progress {
            number: cx.link().number(),
            label,
            done: 0,
            total,
            unit: ProgressUnit::Bytes,
            ended: false,
        };
        Self {
            cx: cx.clone(),
            progress,
            sent: None,
        }
    }

    pub(crate) fn set_total(&mut self, total: Option<u64>) {
        self.progress.total = total;
    }

    pub(crate) fn at(&mut self, done: u64) {
        self.progress.done = done;
        if self.sent.is_none_or(|sent| sent.elapsed() >= INTERVAL) {
            self.sent = Some(Instant::now());
            self.cx.link().offer(Event::Progress(self.progress.clone()));
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.sent.is_some() {
            self.progress.ended = true;
            self.cx.link().offer(Event::Progress(self.progress.clone()));
        }
    }
}
