//! Source lines with the marked part found in them.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::source::floor_boundary;
use crate::{SourceMap, Span};

/// Longest source line shown whole, in bytes; of a longer one only the part around the mark.
const LONGEST_LINE: usize = 400;

/// Lines shown at most for a span of many lines.
const MOST_LINES: usize = 20;

/// Text shown where something was left out.
const LEFT_OUT: &str = "…";

/// One line of source and the part of it that is marked.
pub(crate) struct Line {
    /// Counted from one.
    pub number: usize,
    /// What to print: no control characters but tabs.
    pub text: String,
    /// Marked bytes of `text`; empty when nothing on the line is.
    pub marked: Range<usize>,
}

impl Line {
    /// The line with its text cleaned; the mark is still on what it was on.
    pub(crate) fn cleaned(self, clean: &dyn Fn(&str) -> String) -> Self {
        let text = clean(&self.text);
        if text == self.text {
            return self;
        }
        let before = clean(&self.text[..self.marked.start]);
        let behind = clean(&self.text[self.marked.end..]);
        // What is cleaned may lie across an end of the mark, and is marked then.
        let start = match text.starts_with(&before) {
            true => before.len(),
            false => common_prefix(&text, &before),
        };
        let end = match text.ends_with(&behind) {
            true => text.len() - behind.len(),
            false => text.len(),
        };
        Self {
            number: self.number,
            marked: start..end.max(start),
            text,
        }
    }
}

/// How many bytes two texts have in common at their beginnings, in whole characters.
fn common_prefix(one: &str, other: &str) -> usize {
    let mut pairs = one.char_indices().zip(other.chars());
    let different = pairs.find(|((_, one), other)| one != other);
    different.map_or(one.len().min(other.len()), |((at, _), _)| at)
}

/// The lines that `span` touches; none when the file is not in `sources`.
pub(crate) fn lines(sources: &SourceMap, span: Span) -> Vec<Line> {
    let text = sources.text(span.file);
    let start = floor_boundary(text, span.start as usize);
    let end = floor_boundary(text, span.end as usize).max(start);
    let (first, _) = sources.position(span.file, span.start);
    let mut found = Vec::new();
    for number in (first..).take(MOST_LINES) {
        let Some(range) = sources.line_range(span.file, number) else {
            break;
        };
        if number > first && range.start >= end {
            break;
        }
        let from = start.clamp(range.start, range.end);
        let to = end.clamp(from, range.end);
        found.push(shown(
            number,
            &text[range.clone()],
            from - range.start..to - range.start,
        ));
    }
    found
}

/// The line as it is printed: cut when very long, control characters replaced.
fn shown(number: usize, line: &str, marked: Range<usize>) -> Line {
    let window = window(line, &marked);
    let mut text = String::new();
    if window.start > 0 {
        text.push_str(LEFT_OUT);
    }
    let mut range = [text.len(), text.len()];
    for (at, character) in line[window.clone()].char_indices() {
        let at = window.start + at;
        if at == marked.start {
            range[0] = text.len();
        }
        text.push(if character.is_control() && character != '\t' {
            '\u{FFFD}'
        } else {
            character
        });
        if at < marked.end {
            range[1] = text.len();
        }
    }
    if marked.start >= window.end {
        range[0] = text.len();
    }
    let marked = range[0]..range[1].max(range[0]);
    if window.end < line.len() {
        text.push_str(LEFT_OUT);
    }
    Line {
        number,
        text,
        marked,
    }
}

/// The part of a long line to show: the mark's start and what surrounds it.
fn window(line: &str, marked: &Range<usize>) -> Range<usize> {
    if line.len() <= LONGEST_LINE {
        return 0..line.len();
    }
    let start = floor_boundary(line, marked.start.saturating_sub(LONGEST_LINE / 4));
    start..floor_boundary(line, start + LONGEST_LINE)
}

/// The line of carets below `line`, so wide that each stands under its character: tabs stay tabs.
pub(crate) fn carets(line: &Line) -> String {
    let mut out = String::new();
    for grapheme in line.text[..line.marked.start].graphemes(true) {
        push_column(&mut out, grapheme, ' ');
    }
    for grapheme in line.text[line.marked.clone()].graphemes(true) {
        push_column(&mut out, grapheme, '^');
    }
    if line.marked.is_empty() {
        out.push('^');
    }
    out
}

fn push_column(out: &mut String, grapheme: &str, fill: char) {
    if grapheme == "\t" {
        out.push('\t');
        return;
    }
    out.extend(std::iter::repeat_n(fill, grapheme.width()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_on_what_they_were_on() {
        let check = |text: &str, marked: &str, expected: &str| {
            let start = text.find(marked).expect("it is there");
            let line = Line {
                number: 1,
                text: text.to_owned(),
                marked: start..start + marked.len(),
            };
            let line = line.cleaned(&|text| text.replace("secret words", "<>"));
            assert_eq!(&line.text[line.marked.clone()], expected, "{text}");
        };
        check("a = [\"secret words\", nosuch(1)]", "nosuch", "nosuch");
        check("nosuch(\"secret words\")", "nosuch", "nosuch");
        check("f(\"secret words\")", "\"secret words\"", "\"<>\"");
        check("f(\"secret words\")", "words", "<>");
        check("nothing to hide", "to", "to");
    }
}
