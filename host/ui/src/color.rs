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

/// The text without the terminal's codes for colours, whoever put them there.
pub(crate) fn unpainted(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece
            .trim_start_matches(|mark: char| mark.is_ascii_digit() || matches!(mark, ';' | ':'));
        match rest.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => {
                plain.push_str("\u{1b}[");
                plain.push_str(piece);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paint_comes_off_and_other_codes_stay() {
        for (text, plain) in [
            (Color::Red.paint("a\nb").as_str(), "a\nb"),
            ("\u{1b}[mx\u{1b}[38:5:1my\u{1b}[0m", "xy"),
            ("\u{1b}[2Kx [0m", "\u{1b}[2Kx [0m"),
            ("", ""),
        ] {
            assert_eq!(unpainted(text), plain);
        }
    }
}
