//! How a run fails.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use sdk_config::{Diagnostic, Diagnostics, Path};

/// A run did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What was attempted, on what, and why it failed; may have several lines.
    pub message: String,
    /// Whether it ended because it was told to.
    pub cancelled: bool,
    /// Problems of the configuration that only the run could see.
    pub diagnostics: Diagnostics,
}

impl Failure {
    /// A failure with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cancelled: false,
            diagnostics: Diagnostics::new(),
        }
    }

    /// The end after a cancellation.
    #[must_use]
    pub fn cancelled() -> Self {
        Self {
            cancelled: true,
            ..Self::new("context canceled")
        }
    }

    /// A failure with the whole chain of `error` as its message.
    pub fn from_error(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::new(message)
    }

    /// The same, because of the option `name`: the host shows where the template sets it. An end
    /// after a cancellation is no option's fault.
    #[must_use]
    pub fn on(self, name: &str) -> Self {
        self.at(Path::attribute(name))
    }

    /// [`Failure::on`], when there is an option to blame.
    #[must_use]
    pub fn blaming(self, option: Option<&str>) -> Self {
        match option {
            Some(option) => self.on(option),
            None => self,
        }
    }

    /// The same, because of the option, or the part of one, at `path`.
    #[must_use]
    pub fn at(mut self, path: Path) -> Self {
        if !self.cancelled {
            let summary = format!("The run failed because of `{path}`");
            let problem = Diagnostic::error(summary, self.message.clone());
            self.diagnostics.push(problem.at(path));
        }
        self
    }

    /// The same, with something to try about the option that was named last.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(problem) = self.diagnostics.last_mut() {
            problem.hint = hint.into();
        }
        self
    }

    /// The failure of work that panicked with `payload`.
    #[must_use]
    pub fn from_panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::new(format!("the plugin has a bug: it panicked with `{text}`"))
    }

    /// Runs `work`; a panic in it becomes a failure.
    ///
    /// # Errors
    ///
    /// The failure of `work`, or the one its panic stands for.
    pub async fn catch<T>(work: impl Future<Output = Result<T, Self>>) -> Result<T, Self> {
        let caught = AssertUnwindSafe(work).catch_unwind().await;
        caught.unwrap_or_else(|payload| Err(Self::from_panic(&*payload)))
    }
}

#[cfg(test)]
mod tests {
    use sdk_config::Path;

    use super::Failure;

    #[test]
    fn a_failure_tells_the_option_that_is_to_blame() {
        let failure = Failure::new("`x.iso` does not exist").on("iso_url");
        let failure = failure.hint("Check the path.");
        assert_eq!(failure.message, "`x.iso` does not exist");
        let [problem] = failure.diagnostics.as_slice() else {
            panic!("{:?}", failure.diagnostics)
        };
        assert_eq!(problem.summary, "The run failed because of `iso_url`");
        assert_eq!(problem.detail, failure.message);
        assert_eq!(problem.path, Path::attribute("iso_url"));
        assert_eq!(problem.hint, "Check the path.");
    }

    #[test]
    fn a_cancellation_is_no_options_fault() {
        let failure = Failure::cancelled().on("iso_url").hint("Check the path.");
        assert!(failure.diagnostics.is_empty());
    }
}
