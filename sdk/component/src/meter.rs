//! Progress of long work, a few times a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::context::{Progress, ProgressUnit, RunContext};
use crate::link::Event;

/// Reports are not sent more often than this.
const INTERVAL: Duration = Duration::from_millis(250);

/// One piece of work whose progress the person building sees; tells its end when dropped. It can
/// be shared between threads and never waits for the host.
#[derive(Debug)]
pub struct Meter {
    cx: RunContext,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    progress: Progress,
    sent: Option<Instant>,
}

impl Meter {
    /// Work counted in bytes, `total` of them when that is known; `label` says what goes on, for
    /// example `downloading debian.iso`.
    #[must_use]
    pub fn bytes(cx: &RunContext, label: impl Into<String>, total: Option<u64>) -> Self {
        Self::new(cx, label.into(), total, ProgressUnit::Bytes)
    }

    /// Work counted in hundredths of the whole.
    #[must_use]
    pub fn percent(cx: &RunContext, label: impl Into<String>) -> Self {
        Self::new(cx, label.into(), Some(100), ProgressUnit::Percent)
    }

    fn new(cx: &RunContext, label: String, total: Option<u64>, unit: ProgressUnit) -> Self {
        let progress = Progress {
            number: cx.link().number(),
            label,
            done: 0,
            total,
            unit,
            ended: false,
        };
        Self {
            cx: cx.clone(),
            state: Mutex::new(State {
                progress,
                sent: None,
            }),
        }
    }

    /// Says how much there is, once that is known.
    pub fn set_total(&self, total: Option<u64>) {
        self.change(|progress| progress.total = total);
    }

    /// Says that `done` of it is done.
    pub fn at(&self, done: u64) {
        self.change(|progress| progress.done = done);
        self.report();
    }

    /// Says that `more` of it is done.
    pub fn add(&self, more: u64) {
        self.change(|progress| progress.done += more);
        self.report();
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state.progress);
    }

    fn report(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.sent.is_none_or(|sent| sent.elapsed() >= INTERVAL) {
            state.sent = Some(Instant::now());
            self.cx
                .link()
                .offer(Event::Progress(state.progress.clone()));
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.sent.is_some() {
            state.progress.ended = true;
            self.cx
                .link()
                .offer(Event::Progress(state.progress.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::Meter;
    use crate::{BuildInfo, Event, HostLink, Progress, RunContext};

    fn told(work: impl FnOnce(&RunContext)) -> Vec<Progress> {
        let (link, mut events) = HostLink::new();
        let cx = RunContext::new(link, CancellationToken::new(), BuildInfo::default());
        work(&cx);
        drop(cx);
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            if let Event::Progress(progress) = event {
                told.push(progress);
            }
        }
        told
    }

    #[test]
    fn tells_the_first_and_the_last_and_little_between() {
        let told = told(|cx| {
            let meter = Meter::bytes(cx, "copying", None);
            meter.set_total(Some(1000));
            for _ in 0..1000 {
                meter.add(1);
            }
        });
        let (first, last) = (told.first().expect("one"), told.last().expect("one"));
        assert_eq!(
            (first.done, first.total, first.ended),
            (1, Some(1000), false)
        );
        assert_eq!((last.done, last.ended), (1000, true));
        assert!(told.len() < 100, "{} reports", told.len());
    }

    #[test]
    fn work_that_never_began_is_not_told() {
        assert_eq!(told(|cx| drop(Meter::percent(cx, "nothing"))), []);
    }
}
