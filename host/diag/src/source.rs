//! Files and places in them.

use std::ops::Range;
use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

/// A file of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes in a file; `start` is in it, `end` is not. Both count from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// Byte after the last one.
    pub end: u32,
}

impl Span {
    /// A range of `file`.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Self {
            file,
            start: clamp(start),
            end: clamp(end),
        }
    }

    /// From the start of `self` to the end of `other`, which is in the same file.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            end: other.end.max(self.end),
            ..self
        }
    }
}

/// A file with its name as the user gave it.
#[derive(Debug)]
pub struct Source {
    /// Name for messages: a path, `-var`, `<stdin>`, ….
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// Byte at which each line starts; never empty.
    line_starts: Vec<usize>,
}

/// All files of a run. Positions are found here, so that spans stay small.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<Source>,
}

impl SourceMap {
    /// Adds a file.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let text = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        self.files.push(Source {
            name: name.into(),
            text,
            line_starts,
        });
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// A file's name; empty for a file that is not here.
    #[must_use]
    pub fn name(&self, file: FileId) -> &str {
        self.files
            .get(file.0 as usize)
            .map_or("", |source| &source.name)
    }

    /// A file's text; empty for a file that is not here.
    #[must_use]
    pub fn text(&self, file: FileId) -> &str {
        self.files
            .get(file.0 as usize)
            .map_or("", |source| &source.text)
    }

    /// All files, in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }

    /// The texts of all files, in the order they were added.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|source| &*source.text)
    }

    /// Line and column of a byte, both counted from one; the column counts grapheme clusters, as
    /// an editor's cursor does. A byte behind the end is the end; one inside a character is that
    /// character.
    #[must_use]
    pub fn position(&self, file: FileId, byte: u32) -> (usize, usize) {
        let Some(source) = self.files.get(file.0 as usize) else {
            return (1, 1);
        };
        let byte = floor_boundary(&source.text, byte as usize);
        let line = source.line_starts.partition_point(|start| *start <= byte);
        let start = source.line_starts[line - 1];
        (line, source.text[start..byte].graphemes(true).count() + 1)
    }

    /// The line of a byte, as [`SourceMap::position`] counts it, without a look at the text. Takes
    /// the same time on a line of any length.
    #[must_use]
    pub fn line(&self, file: FileId, byte: u32) -> usize {
        let Some(source) = self.files.get(file.0 as usize) else {
            return 1;
        };
        let byte = byte as usize;
        source.line_starts.partition_point(|start| *start <= byte)
    }

    /// Bytes of a line, counted from one, without its line break; `None` behind the last line.
    #[must_use]
    pub fn line_range(&self, file: FileId, line: usize) -> Option<Range<usize>> {
        let source = self.files.get(file.0 as usize)?;
        let start = *source.line_starts.get(line.checked_sub(1)?)?;
        let end = source
            .line_starts
            .get(line)
            .map_or(source.text.len(), |next| next - 1);
        let text = &source.text[start..end];
        Some(start..start + text.strip_suffix('\r').unwrap_or(text).len())
    }
}

/// The start of the character that `byte` is in, or the end of the text.
pub(crate) fn floor_boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::SourceMap;

    fn check(text: &str, byte: u32, expected: (usize, usize)) {
        let mut sources = SourceMap::default();
        let file = sources.add("a", text);
        assert_eq!(sources.position(file, byte), expected, "{text:?} at {byte}");
        assert_eq!(sources.line(file, byte), expected.0, "{text:?} at {byte}");
    }

    #[test]
    fn positions_count_lines_and_grapheme_clusters_from_one() {
        check("", 0, (1, 1));
        check("ab\ncd", 1, (1, 2));
        check("ab\ncd", 2, (1, 3));
        check("ab\ncd", 3, (2, 1));
        check("e\u{301}x", 3, (1, 2));
        check("\u{1F1E9}\u{1F1EA}x", 8, (1, 2));
    }

    #[test]
    fn bytes_outside_or_inside_characters_are_moved_to_a_character() {
        check("ab", 900, (1, 3));
        check("aé", 2, (1, 2));
        check("a\n", u32::MAX, (2, 1));
    }

    #[test]
    fn an_unknown_file_has_an_empty_text_at_line_one() {
        let sources = SourceMap::default();
        assert_eq!(sources.position(super::FileId(3), 9), (1, 1));
        assert_eq!(sources.name(super::FileId(3)), "");
        assert_eq!(sources.line_range(super::FileId(3), 1), None);
    }

    #[test]
    fn line_ranges_leave_out_either_kind_of_line_break() {
        let mut sources = SourceMap::default();
        let file = sources.add("a", "one\r\ntwo\n");
        assert_eq!(sources.line_range(file, 1), Some(0..3));
        assert_eq!(sources.line_range(file, 2), Some(5..8));
        assert_eq!(sources.line_range(file, 3), Some(9..9));
        assert_eq!(sources.line_range(file, 4), None);
        assert_eq!(sources.line_range(file, 0), None);
    }
}
