//! How boot commands fail.

use crate::action::Key;
use crate::driver::SinkError;

/// Text that is not a boot command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A wait of zero or less.
    #[error("`{text}` waits for no time at all; waits are longer than zero")]
    WaitNotPositive {
        /// The wait as written.
        text: String,
        /// Where, in bytes from the start.
        offset: usize,
    },
    /// A wait of more than 292 years.
    #[error("`{text}` is too long a wait")]
    WaitTooLong {
        /// The wait as written.
        text: String,
        /// Where, in bytes from the start.
        offset: usize,
    },
}

impl ParseError {
    /// Where, in bytes from the start of the text.
    #[must_use]
    pub fn offset(&self) -> usize {
        match self {
            Self::WaitNotPositive { offset, .. } | Self::WaitTooLong { offset, .. } => *offset,
        }
    }
}

/// A `boot_command` that cannot be turned into actions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BootCommandError {
    /// Its template calls cannot be rendered.
    #[error("cannot render `boot_command` (byte {})", source.offset)]
    Render {
        /// What is wrong.
        source: sdk_go_template::TemplateError,
    },
    /// Its rendered text is not a boot command.
    #[error("cannot read `boot_command` (byte {})", source.offset())]
    Parse {
        /// What is wrong.
        source: ParseError,
    },
    /// A key interval that is not a duration above zero.
    #[error("`{value}` in PACKER_KEY_INTERVAL is no duration such as `10ms`")]
    KeyInterval {
        /// The text.
        value: String,
    },
}

/// Typing that did not reach the machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TypeError {
    /// The machine did not take a key.
    #[error("cannot type {}", key_text(*key))]
    Key {
        /// The key.
        key: Key,
        /// Why.
        source: SinkError,
    },
    /// The machine did not take buffered keys.
    #[error("cannot send the typed keys")]
    Flush {
        /// Why.
        source: SinkError,
    },
    /// One key takes more codes than the machine accepts at once.
    #[error("{} takes {codes} codes, and the machine accepts only {limit} at once", key_text(*key))]
    TooManyCodes {
        /// The key.
        key: Key,
        /// How many it takes.
        codes: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// The keyboard has no such key.
    #[error("a USB keyboard cannot type {}", key_text(*key))]
    NoSuchKey {
        /// The key.
        key: Key,
    },
}

fn key_text(key: Key) -> String {
    match key {
        Key::Character(letter) => format!("the key `{}`", letter.escape_debug()),
        Key::Special(special) => format!("the key `<{}>`", special.name()),
    }
}
