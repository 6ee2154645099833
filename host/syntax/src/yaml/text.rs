//! Where a part of a text stands in the scalar that it was read from.

use std::ops::Range;

/// The bytes of `scalar`, quotes included, that the bytes `part` of `text` were read from: the same
/// characters, as often as they occur before. `None` where folding or escapes took them apart.
#[must_use]
pub fn place_in_text(scalar: &str, text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let wanted = text.get(part.clone()).filter(|wanted| !wanted.is_empty())?;
    let written = match scalar.as_bytes().first()? {
        b'"' => wanted.replace('\\', "\\\\").replace('"', "\\\""),
        b'\'' => wanted.replace('\'', "''"),
        _ => wanted.to_owned(),
    };
    let before = text[..part.start].matches(wanted).count();
    let (at, found) = scalar.match_indices(written.as_str()).nth(before)?;
    Some(at..at + found.len())
}

#[cfg(test)]
mod tests {
    use super::place_in_text;

    #[test]
    fn the_same_characters_are_found() {
        let check = |scalar: &str, text: &str, part: std::ops::Range<usize>, expected: usize| {
            let found = place_in_text(scalar, text, part);
            assert_eq!(found.map(|range| range.start), Some(expected), "{scalar}");
        };
        check("a {{x}} {{x}}", "a {{x}} {{x}}", 8..13, 8);
        check("'it''s {{x \"y\"}}'", "it's {{x \"y\"}}", 5..14, 7);
        check("\"{{x \\\"y\\\"}}\"", "{{x \"y\"}}", 0..9, 1);
        assert_eq!(place_in_text("a", "{{x}}", 0..5), None);
    }
}
