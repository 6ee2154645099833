//! Progress of long work, for the person building.

use kiln_sdk::RunContext;
use kiln_sdk::{Event, Progress, ProgressUnit};

/// One piece of work; tells its end when dropped.
pub(crate) struct Meter {
    cx: RunContext,
    progress: Progress,
}

impl Meter {
    /// Work that is counted in bytes.
    pub(crate) fn bytes(cx: &RunContext, label: &str) -> Self {
        Self::new(cx, label, ProgressUnit::Bytes)
    }

    /// Work that is counted in hundredths.
    pub(crate) fn percent(cx: &RunContext, label: &str) -> Self {
        Self::new(cx, label, ProgressUnit::Percent)
    }

    fn new(cx: &RunContext, label: &str, unit: ProgressUnit) -> Self {
        let progress = Progress {
            number: cx.link().number(),
            label: label.to_owned(),
            done: 0,
            total: None,
            unit,
            ended: false,
        };
        Self {
            cx: cx.clone(),
            progress,
        }
    }

    /// Tells how far it has come, when a hundredth more is done.
    pub(crate) fn at(&mut self, done: u64, total: Option<u64>) {
        let grain = total.unwrap_or_default() / 100;
        if self.progress.total == total && done < self.progress.done + grain.max(1) {
            return;
        }
        (self.progress.done, self.progress.total) = (done, total);
        self.cx.link().offer(Event::Progress(self.progress.clone()));
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.progress.total.is_some() {
            self.progress.ended = true;
            self.cx.link().offer(Event::Progress(self.progress.clone()));
        }
    }
}
