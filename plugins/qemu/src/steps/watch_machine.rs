//! Notices at once when the machine is gone or can no longer write.

use std::path::PathBuf;
use std::time::Duration;

use kiln_sdk::{Failure, RunContext};

use crate::driver::{Ended, Machine, advice};
use crate::record::Record;

/// QEMU stops a guest whose disk cannot grow any more; below this there is no point in waiting.
const LEAST_FREE_BYTES: u64 = 64 * 1024;
const DISK_POLL: Duration = Duration::from_secs(3);

/// A running machine and what is on record of it.
#[derive(Debug)]
pub(crate) struct Running {
    machine: Machine,
    record: Record,
    output: PathBuf,
}

impl Running {
    /// A machine that writes below `output`.
    pub(crate) fn new(machine: Machine, record: Record, output: PathBuf) -> Self {
        Self {
            machine,
            record,
            output,
        }
    }

    /// How it ended; none while it runs.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.machine.ended()
    }

    /// Waits for its end.
    pub(crate) async fn wait(&self) -> Ended {
        self.machine.wait().await
    }

    /// Switches it off.
    pub(crate) async fn kill(&self) {
        self.machine.kill().await;
    }

    /// Lets it run on after the build.
    pub(crate) fn stay(&self) {
        self.machine.stay();
    }

    /// Switches it off for good.
    pub(crate) async fn undo(&self) -> Result<(), Failure> {
        self.machine.kill().await;
        self.record.release().await;
        Ok(())
    }

    /// Runs `work` as long as the machine runs; `during` names it for the message, as in "while
    /// …".
    ///
    /// # Errors
    ///
    /// When the machine ends first, when the disk is full, or when the run is cancelled.
    pub(crate) async fn during<T>(
        &self,
        cx: &RunContext,
        during: &str,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = cx.cancel().cancelled() => Err(Failure::cancelled()),
            done = work => Ok(done),
            end = self.machine.wait() => Err(self.gone(&end, during)),
            free = self.full_disk() => Err(self.full(free)),
        }
    }

    /// What to say about a machine that ended while something was under way.
    pub(crate) fn gone(&self, end: &Ended, during: &str) -> Failure {
        if end.is_success() {
            return Failure::new(format!(
                "the virtual machine was powered off while {during}"
            ));
        }
        let words = self.machine.last_words();
        let quoted = if words.is_empty() {
            String::new()
        } else {
            format!(":\n{words}")
        };
        let advice = advice(&words);
        Failure::new(format!(
            "QEMU exited with {end} while {during}{quoted}{advice}"
        ))
    }

    /// Ends when the disk of the output directory is full.
    pub(crate) async fn full_disk(&self) -> u64 {
        loop {
            if let Some(free) = self.free_bytes()
                && free < LEAST_FREE_BYTES
            {
                return free;
            }
            tokio::time::sleep(DISK_POLL).await;
        }
    }

    pub(crate) fn full(&self, free: u64) -> Failure {
        Failure::new(format!(
            "no space left on the disk of `{}` ({free} bytes are free), so the virtual machine \
             cannot go on; make room there or set `output_directory` to a larger disk",
            self.output.display()
        ))
    }

    fn free_bytes(&self) -> Option<u64> {
        let facts = rustix::fs::statvfs(&self.output).ok()?;
        // Special file systems have no size at all.
        (facts.f_blocks > 0).then(|| facts.f_bavail.saturating_mul(facts.f_frsize))
    }
}
