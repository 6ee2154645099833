//! Why a call fails.

use crate::convert::ConvertError;
use crate::limits::TooLarge;
use crate::number::NumberError;

/// A failed call. The text goes into a diagnostic, which is where it is first looked at by
/// anything but a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct FunctionError {
    /// Where the fault is.
    pub blame: Blame,
    /// What is wrong, lower case, without a final period.
    pub message: String,
}

/// Where the fault of a failed call is. Arguments are counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// In the call as a whole.
    Call,
    /// The call as a whole fails, at what is in this argument.
    CallAt(usize),
    /// In this argument, which does not fit its parameter.
    Argument(usize),
}

impl FunctionError {
    /// The call as a whole fails.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            blame: Blame::Call,
            message: message.into(),
        }
    }

    /// The call as a whole fails, at what is in one argument.
    pub(crate) fn call_at(argument: usize, message: impl Into<String>) -> Self {
        Self {
            blame: Blame::CallAt(argument),
            message: message.into(),
        }
    }

    /// One argument does not fit its parameter.
    pub(crate) fn argument(argument: usize, message: impl Into<String>) -> Self {
        Self {
            blame: Blame::Argument(argument),
            message: message.into(),
        }
    }
}

impl From<NumberError> for FunctionError {
    fn from(error: NumberError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ConvertError> for FunctionError {
    fn from(error: ConvertError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<TooLarge> for FunctionError {
    fn from(error: TooLarge) -> Self {
        Self::new(error.to_string())
    }
}
