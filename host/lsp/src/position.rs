//! Places: bytes of a text, and what the editor counts.

use std::ops::Range;

use lsp_types::Position;

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16: what the protocol uses unless both sides agree on something else.
    #[default]
    Utf16,
}

/// Where the lines of a text begin.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Lines end with `\n`, `\r\n` or `\r`, as the protocol has it.
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
            if ends {
                starts.push(at + 1);
            }
        }
        Self { starts }
    }

    /// The place of a byte; one inside a character is that character, one behind the end is the end.
    pub(crate) fn position(&self, text: &str, byte: usize, encoding: Encoding) -> Position {
        let byte = floor(text, byte);
        let line = self.starts.partition_point(|start| *start <= byte) - 1;
        let before = &text[self.starts[line]..byte];
        let column = match encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.encode_utf16().count(),
        };
        Position::new(clamp(line), clamp(column))
    }

    /// The byte of a place. A column behind the end of its line is that end, a line behind the last
    /// one the end of the text, and a column inside a character that character.
    pub(crate) fn byte(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line).copied() else {
            return text.len();
        };
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        let content = text[start..end].trim_end_matches(['\r', '\n']);
        let column = position.character as usize;
        if encoding == Encoding::Utf8 {
            return start + floor(content, column);
        }
        let mut units = 0;
        for (at, character) in content.char_indices() {
            units += character.len_utf16();
            if units > column {
                return start + at;
            }
        }
        start + content.len()
    }

    /// The range of bytes as the editor counts it.
    pub(crate) fn range(
        &self,
        text: &str,
        range: &Range<usize>,
        encoding: Encoding,
    ) -> lsp_types::Range {
        lsp_types::Range::new(
            self.position(text, range.start, encoding),
            self.position(text, range.end, encoding),
        )
    }
}

/// The start of the character that `byte` is in, or the end of the text.
fn floor(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn clamp(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, byte: usize, utf16: (u32, u32), utf8: (u32, u32)) {
        let lines = Lines::of(text);
        for (encoding, (line, column)) in [(Encoding::Utf16, utf16), (Encoding::Utf8, utf8)] {
            let position = Position::new(line, column);
            assert_eq!(lines.position(text, byte, encoding), position, "{text:?}");
            assert_eq!(lines.byte(text, position, encoding), byte, "{text:?}");
        }
    }

    #[test]
    fn columns_count_what_was_agreed_on() {
        check("", 0, (0, 0), (0, 0));
        check("ab\ncd", 4, (1, 1), (1, 1));
        check("a😀b", 5, (0, 3), (0, 5));
        check("é\r\nü=1", 6, (1, 1), (1, 2));
        check("a\rb", 2, (1, 0), (1, 0));
    }

    #[test]
    fn places_that_are_not_there_become_near_ones() {
        let text = "a😀b\ncd\r\n";
        let lines = Lines::of(text);
        let byte = |line, column| lines.byte(text, Position::new(line, column), Encoding::Utf16);
        assert_eq!(byte(0, 2), 1, "inside a surrogate pair");
        assert_eq!(byte(0, 99), 6);
        assert_eq!(byte(1, 99), 9);
        assert_eq!(byte(9, 0), text.len());
        assert_eq!(lines.byte(text, Position::new(0, 3), Encoding::Utf8), 1);
        assert_eq!(lines.position(text, 3, Encoding::Utf8), Position::new(0, 1));
    }
}
