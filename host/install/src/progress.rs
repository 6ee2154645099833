//! How far downloads are.

/// What a person is shown of downloads. Called from several tasks.
pub trait Watcher: Send + Sync {
    /// A download goes on: what it is of, and bytes done and in total, when that is known.
    fn progress(&self, what: &str, done: u64, total: Option<u64>);

    /// It has ended, well or not.
    fn ended(&self, what: &str);
}

/// Tells a watcher of one download.
pub(crate) struct Meter<'a> {
    watcher: &'a dyn Watcher,
    what: String,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(watcher: &'a dyn Watcher, what: String) -> Self {
        Self { watcher, what }
    }

    pub(crate) fn at(&self, done: u64, total: Option<u64>) {
        self.watcher.progress(&self.what, done, total);
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.watcher.ended(&self.what);
    }
}
