//! How a part of a build fails.

use host_plugin_client::ClientError;

/// What a build says that was told to stop, unless its builder has words of its own.
pub(crate) const CANCELLED: &str = "context canceled";

/// A part of a build did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What was attempted and why it failed; may have several lines.
    pub(crate) message: String,
    /// Whether it ended because it was told to.
    pub(crate) cancelled: bool,
}

impl Failure {
    /// A failure with a message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cancelled: false,
        }
    }

    /// The end after a cancellation.
    pub(crate) fn cancelled() -> Self {
        Self {
            message: CANCELLED.to_owned(),
            cancelled: true,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::new(error.report())
    }
}

/// Several errors as one text, in Packer's form. `None` when there are none.
pub(crate) fn combined(errors: &[String]) -> Option<String> {
    if errors.is_empty() {
        return None;
    }
    let items: Vec<_> = errors.iter().map(|error| format!("* {error}")).collect();
    Some(format!(
        "{} error(s) occurred:\n\n{}",
        errors.len(),
        items.join("\n")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_and_listed() {
        assert_eq!(combined(&[]), None);
        assert_eq!(
            combined(&["a".into()]).unwrap(),
            "1 error(s) occurred:\n\n* a"
        );
        assert_eq!(
            combined(&["a".into(), "b".into()]).unwrap(),
            "2 error(s) occurred:\n\n* a\n* b"
        );
    }
}
