//! Trim markers and the indent of heredocs.

use unicode_segmentation::UnicodeSegmentation;

use super::template::Element;

/// Removes the white space next to sequences with a trim marker.
///
/// Only the neighbouring piece of text is trimmed, and text outside of quotes is one piece per
/// line, so a marker never reaches beyond the line break of its line.
pub(super) fn apply_trim_markers(elements: &mut [Element]) {
    for at in 0..elements.len() {
        let before = at
            .checked_sub(1)
            .is_some_and(|at| elements[at].trims_behind());
        let behind = elements.get(at + 1).is_some_and(Element::trims_before);
        let Element::Text { text, start, end } = &mut elements[at] else {
            continue;
        };
        if before {
            let kept = text.trim_start().len();
            *start = (*start + (text.len() - kept)).min(*end);
            text.drain(..text.len() - kept);
        }
        if behind {
            let kept = text.trim_end().len();
            *end = end.saturating_sub(text.len() - kept).max(*start);
            text.truncate(kept);
        }
    }
}

/// Removes the indent that all lines of a `<<-` heredoc share.
///
/// Blank lines do not count, and keep what they have. A line that begins with a sequence has no
/// indent.
pub(super) fn remove_indent(elements: &mut [Element]) {
    let mut line_start = true;
    let mut starts = Vec::new();
    let mut indent = usize::MAX;
    for (at, element) in elements.iter().enumerate() {
        if line_start {
            match element {
                Element::Text { text, .. } if is_blank_line(text) => {}
                Element::Text { text, .. } => {
                    let blank = &text[..text.len() - text.trim_start().len()];
                    indent = indent.min(blank.graphemes(true).count());
                    starts.push(at);
                }
                Element::Sequence(_) => indent = 0,
            }
        }
        line_start = matches!(element, Element::Text { text, .. } if text.ends_with('\n'));
    }
    for at in starts {
        let Element::Text { text, start, end } = &mut elements[at] else {
            continue;
        };
        let removed: usize = text.graphemes(true).take(indent).map(str::len).sum();
        *start = (*start + removed).min(*end);
        text.drain(..removed);
    }
}

fn is_blank_line(text: &str) -> bool {
    text.ends_with('\n') && text.trim_start().is_empty()
}
