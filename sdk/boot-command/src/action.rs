//! What a boot command asks for.

use std::time::Duration;

use crate::special::Special;

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send what is buffered, then do nothing for a while; never zero.
    Wait(Duration),
    /// Work a key.
    Key(Key, Stroke),
}

/// A key of a US keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The key, with Shift where that takes it, that types a character.
    Character(char),
    /// A key with a name.
    Special(Special),
}

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// Pressed and released.
    Press,
    /// Pressed and held.
    Hold,
    /// Released.
    Release,
}

impl Stroke {
    /// Whether the key goes down.
    #[must_use]
    pub fn goes_down(self) -> bool {
        matches!(self, Self::Press | Self::Hold)
    }

    /// Whether the key comes up.
    #[must_use]
    pub fn comes_up(self) -> bool {
        matches!(self, Self::Press | Self::Release)
    }
}

/// Whether a US keyboard types `letter` with Shift.
#[must_use]
pub(crate) fn needs_shift(letter: char) -> bool {
    letter.is_uppercase() || "~!@#$%^&*()_+{}|:\"<>?".contains(letter)
}
