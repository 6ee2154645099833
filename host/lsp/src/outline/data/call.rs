//! Template calls in texts: `{{ user "x" }}`.

use std::ops::Range;

use super::super::Typed;
use super::super::cursor::word_around;

/// What stands at byte `at` of the text in `content`, when that is inside of a call.
pub(super) fn call_at(text: &str, content: &Range<usize>, at: usize) -> Option<Typed> {
    let before = &text[content.start..at];
    let open = before.rfind("{{")? + 2;
    let inner = &before[open..];
    if inner.contains("}}") {
        return None;
    }
    let start = content.start + open;
    let Some(quote) = open_quote(inner) else {
        let word = word_around(text, at);
        let last = word.start.max(start)..word.end.min(content.end).max(at);
        // A name of the component's own: nothing is known of them.
        let is_field = text[start..last.start].ends_with(['.', '$']);
        return Some(match is_field {
            true => Typed::Argument {
                function: String::new(),
                last,
            },
            false => Typed::Call { last },
        });
    };
    let name_start = start + quote + 1;
    let rest = &text[at..content.end];
    let name_end = at + rest.find(['`', '"', '\\', '}']).unwrap_or(rest.len());
    let called = inner[..quote].trim_end_matches(['\\', ' ', '\t']);
    let function = called.rsplit([' ', '(', '|', '-']).next();
    Some(Typed::Argument {
        function: function.unwrap_or_default().to_owned(),
        last: name_start..name_end,
    })
}

/// Where the quote stands that is not closed at the end.
fn open_quote(text: &str) -> Option<usize> {
    let mut open: Option<(usize, char)> = None;
    for (at, character) in text.char_indices() {
        open = match (open, character) {
            (None, '`' | '"') => Some((at, character)),
            (Some((_, quote)), character) if quote == character => None,
            (open, _) => open,
        };
    }
    open.map(|(at, _)| at)
}

/// The names of variables in calls of `user` in the text in `content`, with those of calls that pass
/// it on left out.
pub(crate) fn user_calls(text: &str, content: &Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = content.start;
    while let Some(open) = text[at..content.end].find("{{") {
        let start = at + open + 2;
        let end = text[start..content.end]
            .find("}}")
            .map_or(content.end, |length| start + length);
        let mut place = start;
        while let Some(offset) = text[place..end].find("user") {
            let behind = place + offset + "user".len();
            let whole = word_around(text, behind) == (place + offset..behind);
            place = behind;
            found.extend(name_behind(text, behind..end).filter(|_| whole));
        }
        at = end;
    }
    found
}

/// The text in quotes that follows.
fn name_behind(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let rest = &text[range.clone()];
    let trimmed = rest.trim_start_matches([' ', '\t', '\\']);
    let quote = trimmed.chars().next().filter(|c| matches!(c, '`' | '"'))?;
    let start = range.end - trimmed.len() + 1;
    let length = text[start..range.end].find([quote, '\\'])?;
    Some(start..start + length)
}
