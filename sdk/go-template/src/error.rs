//! What is wrong with a template.

/// A template that cannot be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong: lower case, no final period, one line.
    pub message: String,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
}

impl TemplateError {
    /// An error at `offset`.
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            offset,
        }
    }
}
