//! Panics of components, for the log.

/// Sends panics to the log instead of as bare text to standard error.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(message, location, %backtrace, "a component panicked");
    }));
}
