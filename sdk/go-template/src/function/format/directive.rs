//! What stands between a percent sign and its verb, and padding.

/// Greatest width and precision, as in Go.
pub(super) const MAX_WIDTH: usize = 1_000_000;

/// A verb with its flags.
#[derive(Clone)]
pub(super) struct Directive {
    pub(super) verb: char,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%#v`: as Go source.
    pub(super) source: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Directive {
    pub(super) fn plain(verb: char) -> Self {
        Self {
            verb,
            minus: false,
            plus: false,
            sharp: false,
            space: false,
            zero: false,
            source: false,
            width: None,
            precision: None,
        }
    }

    /// Reads flags; the text after them.
    pub(super) fn read_flags<'t>(&mut self, text: &'t str) -> &'t str {
        let mut rest = text;
        while let Some(flag) = rest.bytes().next() {
            match flag {
                b'-' => self.minus = true,
                b'+' => self.plus = true,
                b'#' => self.sharp = true,
                b' ' => self.space = true,
                b'0' => self.zero = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        rest
    }

    /// The same for `verb`: for `v`, a sharp sign asks for Go source, and a plus sign for the names
    /// of fields, which no value here has.
    pub(super) fn with_verb(self, verb: char) -> Self {
        let is_value = matches!(verb, 'v' | 'w');
        Self {
            verb,
            source: is_value && self.sharp,
            sharp: self.sharp && !is_value,
            plus: self.plus && !is_value,
            ..self
        }
    }

    /// Fills up to the width.
    pub(super) fn pad(&self, text: &str) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if missing == 0 {
            return text.to_owned();
        }
        if self.minus {
            return format!("{text}{}", " ".repeat(missing));
        }
        let fill = if self.zero { "0" } else { " " };
        format!("{}{text}", fill.repeat(missing))
    }

    /// Fills up to the width, with blanks even when zeros are asked for.
    pub(super) fn pad_blank(&self, text: &str) -> String {
        let blank = Self {
            zero: false,
            ..self.clone()
        };
        blank.pad(text)
    }

    /// Cuts to the precision and fills up to the width.
    pub(super) fn pad_cut(&self, text: &str) -> String {
        self.pad(self.cut(text))
    }

    /// As many characters as the precision allows.
    pub(super) fn cut<'t>(&self, text: &'t str) -> &'t str {
        let end = self
            .precision
            .and_then(|precision| text.char_indices().nth(precision));
        end.map_or(text, |(at, _)| &text[..at])
    }

    /// The width that zeros between sign and digits have to fill.
    pub(super) fn zeros(&self) -> Option<usize> {
        self.width.filter(|_| self.zero && !self.minus)
    }
}
