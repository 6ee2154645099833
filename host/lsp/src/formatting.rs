//! The canonical layout as edits.

use std::time::{Duration, Instant};

use host_diag::FileId;
use lsp_types::{Position, Range, TextEdit};
use similar::{ChangeTag, TextDiff};

use crate::documents::Document;
use crate::position::Encoding;

/// How long the smallest set of edits is looked for; after that one that is good enough is taken.
const LONGEST_SEARCH: Duration = Duration::from_millis(500);

/// The edits that bring a text into its canonical layout, whole lines only. None for a text with
/// errors.
pub(crate) fn edits(document: &Document, encoding: Encoding) -> Option<Vec<TextEdit>> {
    if document.is_too_large() {
        return None;
    }
    let old = &*document.text;
    let new = host_format::format(FileId(0), old).ok()?;
    let difference = TextDiff::configure()
        .deadline(Instant::now() + LONGEST_SEARCH)
        .diff_lines(old, &*new);
    let mut edits: Vec<TextEdit> = Vec::new();
    // The bytes of the old text up to which all is done.
    let mut at = 0;
    let mut open: Option<(usize, usize, String)> = None;
    let place = |byte: usize| -> Position { document.lines().position(old, byte, encoding) };
    for change in difference.iter_all_changes() {
        let text = change.value();
        match change.tag() {
            ChangeTag::Equal => {
                edits.extend(open.take().map(|(start, end, text)| {
                    TextEdit::new(Range::new(place(start), place(end)), text)
                }));
                at += text.len();
            }
            ChangeTag::Delete => {
                at += text.len();
                open.get_or_insert_with(|| (at - text.len(), at, String::new()))
                    .1 = at;
            }
            ChangeTag::Insert => {
                open.get_or_insert_with(|| (at, at, String::new()))
                    .2
                    .push_str(text);
            }
        }
    }
    edits.extend(
        open.map(|(start, end, text)| TextEdit::new(Range::new(place(start), place(end)), text)),
    );
    Some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Kind;

    /// The text with the edits made, the last one first.
    fn applied(text: &str) -> (usize, String) {
        let document = Document::new(Kind::Template, text);
        let edits = edits(&document, Encoding::Utf16).expect("a text without errors");
        let mut result = text.to_owned();
        for edit in edits.iter().rev() {
            let byte = |position| document.lines().byte(text, position, Encoding::Utf16);
            result.replace_range(byte(edit.range.start)..byte(edit.range.end), &edit.new_text);
        }
        (edits.len(), result)
    }

    #[test]
    fn only_lines_that_change_are_edited() {
        let text = "a = 1\nb=\"😀\"\nlocals {\n  x = 1\nyy = 2\n}\n";
        let expected = "a = 1\nb = \"😀\"\nlocals {\n  x  = 1\n  yy = 2\n}\n";
        assert_eq!(applied(text), (2, expected.to_owned()));
        assert_eq!(applied(expected), (0, expected.to_owned()));
        assert_eq!(applied("a=1"), (1, "a = 1".to_owned()));
        assert_eq!(
            applied("a=1\r\nb = 2\r\n").1,
            host_format::format(FileId(0), "a=1\r\nb = 2\r\n").expect("sound")
        );
    }

    #[test]
    fn a_text_with_errors_is_left_alone() {
        assert_eq!(
            edits(&Document::new(Kind::Template, "a = [\n"), Encoding::Utf16),
            None
        );
    }
}
