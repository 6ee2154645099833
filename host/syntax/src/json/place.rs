//! Where a part of a text stands in the literal that it was read from.

use std::ops::Range;

/// The bytes of `literal`, quotes included, that the bytes `part` of its text were read from.
/// `None` when the text is shorter than that.
#[must_use]
pub fn place_in_text(literal: &str, part: Range<usize>) -> Option<Range<usize>> {
    let mut at = 1;
    let mut read = 0;
    let mut start = None;
    loop {
        if read >= part.start && start.is_none() {
            start = Some(at);
        }
        if read >= part.end {
            return start.map(|start| start..at.max(start));
        }
        let (written, meant) = piece(literal.get(at..)?)?;
        at += written;
        read += meant;
    }
}

/// How long the first character is as it is written and as it is read; `None` at the end.
fn piece(rest: &str) -> Option<(usize, usize)> {
    let first = rest.chars().next()?;
    if first != '\\' {
        return Some((first.len_utf8(), first.len_utf8()));
    }
    let selector = rest[1..].chars().next()?;
    if selector != 'u' {
        return Some((1 + selector.len_utf8(), selector.len_utf8()));
    }
    let Some(code) = code_unit(rest) else {
        return Some((2, char::REPLACEMENT_CHARACTER.len_utf8()));
    };
    let is_pair = (0xD800..0xDC00).contains(&code)
        && rest[6..].starts_with("\\u")
        && code_unit(&rest[6..]).is_some_and(|second| (0xDC00..0xE000).contains(&second));
    if is_pair {
        return Some((12, 4));
    }
    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((6, letter.len_utf8()))
}

fn code_unit(rest: &str) -> Option<u32> {
    u32::from_str_radix(rest.get(2..6)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::place_in_text;

    fn check(literal: &str, part: std::ops::Range<usize>, expected: &str) {
        let found = place_in_text(literal, part.clone()).map(|range| &literal[range]);
        assert_eq!(found, Some(expected), "{literal} {part:?}");
    }

    #[test]
    fn escapes_are_counted_as_what_they_mean() {
        check(r#""a{{b}}c""#, 1..6, "{{b}}");
        check(r#""\t{{user \"x\"}}\n""#, 1..13, r#"{{user \"x\"}}"#);
        check(r#""\u00e9{{x}}""#, 2..7, "{{x}}");
        check(r#""\ud83d\ude00{{x}}""#, 4..9, "{{x}}");
        check(r#""\ud83d{{x}}""#, 3..8, "{{x}}");
        check("\"é\"", 0..2, "é");
        assert_eq!(place_in_text("\"ab\"", 0..9), None);
    }
}
