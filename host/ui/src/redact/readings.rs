//! A text as a program would read it that undoes escapes, to find secrets in it however they were
//! escaped: each escape has many spellings (`%2F` and `%2f`, `&#39;` and `&apos;`), and programs
//! differ in which characters they escape at all.

use std::ops::Range;

/// A text without its escapes.
pub(super) struct Reading {
    pub(super) bytes: Vec<u8>,
    /// Where each byte stands in the text, and at last the end of the text.
    starts: Vec<usize>,
}

/// What an escape stands for, and how many bytes it takes.
type Escape = (Vec<u8>, usize);
/// Looks for an escape at the beginning of a text.
type Undo = fn(&[u8]) -> Option<Escape>;

impl Reading {
    /// Undoes what `undo` takes for an escape; `None` when there is none.
    fn new(text: &str, undo: Undo) -> Option<Self> {
        let source = text.as_bytes();
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < source.len() {
            let (meant, length) = undo(&source[at..]).unwrap_or((vec![source[at]], 1));
            starts.extend(meant.iter().map(|_| at));
            bytes.extend(meant);
            at += length;
        }
        starts.push(at);
        (bytes != source).then_some(Self { bytes, starts })
    }

    /// Where a part of the reading stands in the text.
    pub(super) fn place(&self, part: Range<usize>) -> Range<usize> {
        self.starts[part.start]..self.starts[part.end]
    }
}

/// Every reading of a text that has escapes.
pub(super) fn readings(text: &str) -> impl Iterator<Item = Reading> {
    let ways: [(char, Undo); 4] = [('%', url), ('+', form), ('&', html), ('\\', backslash)];
    ways.into_iter()
        .filter(|(mark, _)| text.contains(*mark))
        .filter_map(|(_, undo)| Reading::new(text, undo))
}

fn url(text: &[u8]) -> Option<Escape> {
    let digits = text.strip_prefix(b"%")?.get(..2)?;
    Some((vec![number(digits, 16)?.try_into().ok()?], 3))
}

/// As in the fields of a form, where a space is a plus sign.
fn form(text: &[u8]) -> Option<Escape> {
    match text.first() {
        Some(b'+') => Some((vec![b' '], 1)),
        _ => url(text),
    }
}

fn html(text: &[u8]) -> Option<Escape> {
    const LONGEST: usize = 10;
    let rest = text.strip_prefix(b"&")?;
    let length = rest.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let character = match &rest[..length] {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => return None,
    };
    Some((written(character), length + 2))
}

/// As in JSON and in the string literals of most languages.
fn backslash(text: &[u8]) -> Option<Escape> {
    let rest = text.strip_prefix(b"\\")?;
    let one = |byte: u8| Some((vec![byte], 2));
    match *rest.first()? {
        b'n' => one(b'\n'),
        b't' => one(b'\t'),
        b'r' => one(b'\r'),
        b'x' => Some((vec![number(rest.get(1..3)?, 16)?.try_into().ok()?], 4)),
        b'u' => unicode(rest),
        mark if mark.is_ascii_punctuation() || mark == b' ' => one(mark),
        _ => None,
    }
}

/// `u00e9`, a pair such as `ud83d\ude00`, or `u{e9}`.
fn unicode(text: &[u8]) -> Option<Escape> {
    if let Some(braced) = text.strip_prefix(b"u{") {
        let length = braced.iter().take(7).position(|byte| *byte == b'}')?;
        let character = char::from_u32(number(&braced[..length], 16)?)?;
        return Some((written(character), length + 4));
    }
    let unit = |from: usize| number(text.get(from..from + 4)?, 16);
    let first = unit(1)?;
    if let Some(character) = char::from_u32(first) {
        return Some((written(character), 6));
    }
    let second = unit(7).filter(|_| text.get(5..7) == Some(b"\\u"))?;
    let pair = [first.try_into().ok()?, second.try_into().ok()?];
    let character = char::decode_utf16(pair).next()?.ok()?;
    Some((written(character), 12))
}

fn written(character: char) -> Vec<u8> {
    character.to_string().into_bytes()
}

/// A number of nothing but digits; `None` when there are none.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = text.chars().all(|character| character.is_digit(radix));
    plain.then(|| u32::from_str_radix(text, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = readings(text)
            .map(|reading| String::from_utf8_lossy(&reading.bytes).into_owned())
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn escapes_are_undone_in_every_spelling() {
        check("a%2Fb%2fc", &["a/b/c"]);
        check("%C3%a9+%41", &["é+A", "é A"]);
        check("&amp;&#39;&#x27;&#X27;&apos;&lt;", &["&''''<"]);
        check(
            r#"\"\/\u00E9\u00e9\n\x41\u{e9}\ud83d\ude00\'"#,
            &["\"/éé\nAé😀'"],
        );
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [
            "100 %",
            "%zz%4",
            "&none;&#;&#x;&",
            r"C:\dir",
            r"\ud83d",
            r"\u{",
            "\\",
        ] {
            check(text, &[]);
        }
        check("%+1", &["% 1"]);
    }

    #[test]
    fn a_part_is_found_again_in_the_text() {
        let text = "p=%41b%C3%A9&q";
        let reading = readings(text).next().unwrap();
        let place = |from: usize, to: usize| &text[reading.place(from..to)];
        assert_eq!(place(2, 4), "%41b");
        assert_eq!(place(4, 6), "%C3%A9");
        assert_eq!(place(0, reading.bytes.len()), text);
    }
}
