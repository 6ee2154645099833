//! From the parser's positions, which count characters, to bytes.

/// Characters between two remembered positions.
const STRIDE: usize = 16;

/// Where the characters of a text begin.
#[derive(Debug)]
pub(super) struct Places<'t> {
    text: &'t str,
    /// Bytes of the text in front of the part that the parser sees.
    offset: usize,
    /// The byte of each [`STRIDE`]-th character; empty when every character is one byte.
    marks: Vec<usize>,
}

impl<'t> Places<'t> {
    /// For a parser that sees `text[offset..]`.
    pub(super) fn new(text: &'t str, offset: usize) -> Self {
        let seen = &text[offset..];
        let marks = if seen.is_ascii() {
            Vec::new()
        } else {
            let starts = seen.char_indices().step_by(STRIDE);
            starts.map(|(at, _)| at).collect()
        };
        Self {
            text,
            offset,
            marks,
        }
    }

    /// The byte at which character `index` begins; behind the last one, the end of the text.
    pub(super) fn byte(&self, index: usize) -> usize {
        if self.marks.is_empty() {
            return (self.offset + index).min(self.text.len());
        }
        let Some(mark) = self.marks.get(index / STRIDE) else {
            return self.text.len();
        };
        let from = self.offset + mark;
        let mut rest = self.text[from..].char_indices();
        rest.nth(index % STRIDE)
            .map_or(self.text.len(), |(at, _)| from + at)
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn characters_of_any_length_are_found() {
        let text = format!("\u{FEFF}{}ä€x", "é".repeat(200));
        let places = Places::new(&text, 3);
        assert_eq!(places.byte(0), 3);
        assert_eq!(places.byte(150), 303);
        assert_eq!(&text[places.byte(202)..], "x");
        assert_eq!(places.byte(999), text.len());
        assert_eq!(Places::new("abc", 0).byte(2), 2);
    }
}
