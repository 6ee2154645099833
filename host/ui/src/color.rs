//! The colours that tell builds apart.

/// A colour of a build's lines. It only helps the eye: the name is in every line as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// First build.
    Green,
    /// Second build.
    Cyan,
    /// Third build.
    Magenta,
    /// Fourth build.
    Yellow,
    /// Fifth build; then they start again.
    Blue,
    /// Errors.
    Red,
}

impl Color {
    /// The colour of the n-th build, from zero.
    #[must_use]
    pub fn of_build(index: usize) -> Self {
        [
            Self::Green,
            Self::Cyan,
            Self::Magenta,
            Self::Yellow,
            Self::Blue,
        ][index % 5]
    }

    /// The text between the terminal's codes for this colour.
    #[must_use]
    pub fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Green => 32,
            Self::Cyan => 36,
            Self::Magenta => 35,
            Self::Yellow => 33,
            Self::Blue => 34,
            Self::Red => 31,
        };
        format!("\u{1b}[1;{code}m{text}\u{1b}[0m")
    }
}
