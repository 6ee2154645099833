//! Template calls without quotes: to YAML, `{{` opens two mappings.

use std::ops::Range;

use host_diag::{Diagnostic, FileId, Span};

/// The text that begins with a call at byte `at`: the rest of the line, without a comment, or the
/// part up to the next comma or bracket inside of a list in brackets.
pub(super) fn at(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    if !rest.starts_with("{{") {
        return None;
    }
    let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
    let line = &line[..line.find(" #").unwrap_or(line.len())];
    let call = line.find("}}").map_or(line.len(), |end| end + 2);
    let before = text[..at].trim_end_matches([' ', '\t']);
    let is_listed = before.ends_with(['[', ',']);
    let end = line[call..]
        .find([',', ']', '}'])
        .filter(|_| is_listed)
        .map_or(line.len(), |more| call + more);
    Some(at..at + line[..end].trim_end().len())
}

/// The first value in the lines of `range` that begins with a call and has no quotes.
pub(super) fn unquoted(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[range.end..]
        .find('\n')
        .map_or(text.len(), |at| range.end + at);
    let mut line_start = start;
    for line in text[start..end].split_inclusive('\n') {
        if let Some(found) = in_line(line) {
            return at(text, line_start + found);
        }
        line_start += line.len();
    }
    None
}

/// Where in a line a call stands in the place of a value.
fn in_line(line: &str) -> Option<usize> {
    line.match_indices("{{").map(|(at, _)| at).find(|&at| {
        let before = line[..at].trim_end_matches([' ', '\t']);
        let spaced = before.len() < at;
        match before.chars().next_back() {
            None => true,
            Some(':' | '-') => spaced,
            Some('[' | ',') => !before.contains(['"', '\'']),
            _ => false,
        }
    })
}

/// What to say about a call without quotes.
pub(super) fn complaint(file: FileId, text: &str, call: Range<usize>) -> Diagnostic {
    let written = &text[call.clone()];
    let quote = if written.contains('\'') { '"' } else { '\'' };
    let fixed = if quote == '"' {
        written.replace('"', "\\\"")
    } else {
        written.to_owned()
    };
    Diagnostic::error("Template call without quotes")
        .detail(
            "To YAML, `{` begins a mapping, so text that begins with a template call must be in \
             quotes, all of it.",
        )
        .at(Span::new(file, call.start, call.end))
        .hint(format!("Write {quote}{fixed}{quote}."))
}
