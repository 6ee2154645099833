//! How a program ended.

/// What a program left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; death by a signal is 128 and its number, as shells have it.
    pub code: i64,
    /// What it printed on standard output; the last 16 MiB when that was more, the last 64 KiB when
    /// it was shown, empty when it went to a file.
    pub stdout: String,
    /// What it printed on standard error; the last 64 KiB when that was more.
    pub stderr: String,
}

impl Ended {
    /// Whether it ended with 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code == 0
    }
}
