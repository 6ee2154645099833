//! Whether the host lets a machine run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;

/// How many events may be sent before the machine had the processor time for them. A keyboard has
/// room for 16 events, firmware for 15 characters.
const MOST_UNSEEN: u32 = 6;
/// Between two looks at a machine that waits.
const PAUSE: Duration = Duration::from_millis(2);
/// For a machine to get a processor; after that keys are sent anyway.
const LIMIT: Duration = Duration::from_secs(2);

/// Watches the threads of a local machine's process, to hold keys back while it cannot run.
///
/// On a crowded host a virtual processor can wait for longer than it takes to fill the keyboard's
/// buffer, and what comes then is lost. So each event must be paid for: with processor time, as
/// much as the machine would have had between two events on a free host, or with being idle, which
/// pays for all of them because an idle machine has nothing left to read.
#[derive(Debug)]
pub(crate) struct Starvation {
    tasks: PathBuf,
    /// Processor time of each thread when it was last looked at, in nanoseconds.
    times: BTreeMap<OsString, u64>,
    /// Processor time that is owed to the machine.
    debt: Duration,
}

impl Starvation {
    pub(crate) fn of(process_id: u32) -> Self {
        let tasks = PathBuf::from(format!("/proc/{process_id}/task"));
        Self {
            tasks,
            times: BTreeMap::new(),
            debt: Duration::ZERO,
        }
    }

    /// Returns when the machine can take another event; `interval` is the time between two.
    pub(crate) async fn wait(&mut self, interval: Duration, clock: &dyn Clock) {
        let started = clock.now();
        loop {
            match self.progress() {
                None => self.debt = Duration::ZERO,
                Some(time) => self.debt = self.debt.saturating_sub(time),
            }
            if self.debt < interval * MOST_UNSEEN {
                self.debt += interval;
                return;
            }
            if clock.now().saturating_sub(started) > LIMIT {
                tracing::warn!("machine got no processor time, typed keys may be lost");
                return;
            }
            clock.sleep_until(clock.now() + PAUSE).await;
        }
    }

    /// How long the machine ran since the last look; `None` when it is idle or cannot be looked
    /// at. Of several busy threads the one that ran least counts.
    fn progress(&mut self) -> Option<Duration> {
        let mut least = None;
        for entry in fs::read_dir(&self.tasks).ok()?.flatten() {
            let Some((runnable, time)) = thread_state(&entry.path()) else {
                continue;
            };
            let before = self.times.insert(entry.file_name(), time).unwrap_or(time);
            if runnable {
                let ran = Duration::from_nanos(time.saturating_sub(before));
                least = Some(least.map_or(ran, |least: Duration| least.min(ran)));
            }
        }
        least
    }
}

/// Whether a thread wants to run, and how long it ran so far, in nanoseconds.
fn thread_state(task: &Path) -> Option<(bool, u64)> {
    let stat = fs::read_to_string(task.join("stat")).ok()?;
    // The name before the state is in parentheses and may hold anything.
    let state = stat.rsplit_once(") ")?.1.chars().next()?;
    let times = fs::read_to_string(task.join("schedstat")).ok()?;
    let time = times.split(' ').next()?.parse().ok()?;
    Some((state == 'R', time))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::Starvation;
    use crate::clock::{Clock, ManualClock};

    /// Writes what the kernel would say of one thread.
    fn thread(folder: &std::path::Path, state: char, time: u64) {
        let task = folder.join("7");
        fs::create_dir_all(&task).expect("a folder");
        fs::write(task.join("stat"), format!("7 (a) b) {state} 1 2")).expect("writes");
        fs::write(task.join("schedstat"), format!("{time} 5 6\n")).expect("writes");
    }

    const INTERVAL: Duration = Duration::from_millis(4);

    #[tokio::test]
    async fn keys_are_held_back_while_a_thread_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = ManualClock::new();
        let mut watch = Starvation {
            tasks: folder.path().to_owned(),
            ..Starvation::of(0)
        };
        thread(folder.path(), 'R', 100);
        for _ in 0..6 {
            watch.wait(INTERVAL, &clock).await;
        }
        assert_eq!(
            clock.now(),
            Duration::ZERO,
            "a few events may go out unseen"
        );
        watch.wait(INTERVAL, &clock).await;
        assert!(
            clock.now() > Duration::from_secs(2),
            "then they wait, with a limit"
        );
        let before = clock.now();
        thread(folder.path(), 'R', 8_000_100);
        watch.wait(INTERVAL, &clock).await;
        watch.wait(INTERVAL, &clock).await;
        assert_eq!(clock.now(), before, "eight milliseconds pay for two events");
        thread(folder.path(), 'S', 8_000_100);
        for _ in 0..9 {
            watch.wait(INTERVAL, &clock).await;
        }
        assert_eq!(clock.now(), before, "an idle machine takes everything");
    }

    #[tokio::test]
    async fn a_process_that_is_gone_holds_nothing_back() {
        let clock = ManualClock::new();
        for _ in 0..9 {
            Starvation::of(0).wait(INTERVAL, &clock).await;
        }
        assert_eq!(clock.now(), Duration::ZERO);
    }
}
