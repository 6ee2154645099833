//! Values that cannot be printed by accident.

use crate::{Diagnostics, Field, Path, Type, Value};

/// A value that must stay out of every output. `Debug` prints a placeholder; there is no `Display`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the value out, for the one place that needs it.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Secret<String> {
    /// Whether there is no text, that is, whether the option is not set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<sensitive>")
    }
}

impl<T: Field> Field for Secret<T> {
    const SENSITIVE: bool = true;
    const LATE: bool = T::LATE;

    fn ty() -> Type {
        T::ty()
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        // Problems must not quote what is secret.
        T::read(&value.clone().sensitive(), path, diagnostics).map(Self)
    }
}
