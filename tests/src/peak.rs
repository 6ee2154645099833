//! The most memory a process had.

use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two looks. What a process takes in its last moment may be missed.
const LOOK: Duration = Duration::from_millis(2);

/// Watches a process until its end.
#[derive(Debug)]
pub struct Peak(JoinHandle<u64>);

impl Peak {
    /// Watches the process `pid` from now on.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        Self(std::thread::spawn(move || {
            let mut most = 0;
            while let Some(kib) = high_water_mark(pid) {
                most = most.max(kib);
                std::thread::sleep(LOOK);
            }
            most
        }))
    }

    /// The most it had in memory at once, in MiB; to be asked when it has ended.
    ///
    /// # Panics
    ///
    /// Never: the watcher does not.
    #[must_use]
    pub fn mib(self) -> u64 {
        self.0.join().expect("the watcher does not panic") >> 10
    }
}

/// `None` when there is no such process, or it has ended and nobody has waited for it.
fn high_water_mark(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
