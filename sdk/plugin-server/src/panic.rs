//! Panics of components, for the log and as failures.

use std::panic::AssertUnwindSafe;

use sdk_component::Failure;

/// Sends panics to the log instead of as bare text to standard error.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(message, location, %backtrace, "a component panicked");
    }));
}

/// Runs `work`, which does not wait; a panic in it becomes a failure.
pub(crate) fn caught_now<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    std::panic::catch_unwind(AssertUnwindSafe(work))
        .map_err(|payload| Failure::from_panic(&*payload))
}
