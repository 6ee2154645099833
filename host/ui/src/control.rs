//! Control characters in what others say.
//!
//! A plugin, or a program that runs in a machine, could move the cursor, change the window's title,
//! or write over lines of others. Nothing of that gets through; colours do, as they do in Packer.

use std::borrow::Cow;
use std::ops::Range;

/// What becomes of carriage returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    /// They end lines, so that every report of a progress is one.
    EndLines,
    /// They stay: what prints the text gives them another form.
    Stay,
}

/// The text with no control characters but line ends, tabs, and those of colours (`ESC [ … m`).
/// Other sequences that begin with ESC go as a whole.
pub(crate) fn without(text: &str, returns: Returns) -> Cow<'_, str> {
    let mut plain = String::new();
    let mut done = 0;
    while let Some((range, instead)) = next(text, done, returns) {
        plain.push_str(&text[done..range.start]);
        plain.push_str(instead);
        done = range.end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    plain.push_str(&text[done..]);
    Cow::Owned(plain)
}

/// What has to go first from byte `from` on, and what comes in its place.
fn next(text: &str, from: usize, returns: Returns) -> Option<(Range<usize>, &'static str)> {
    let mut at = from;
    loop {
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        let start = at + text[at..].find(odd)?;
        let rest = &text[start..];
        let length = match rest.chars().next()? {
            '\r' if returns == Returns::Stay => {
                at = start + 1;
                continue;
            }
            '\r' => {
                let behind = rest.trim_start_matches('\r');
                let ends = behind.is_empty() || behind.starts_with('\n');
                let end = text.len() - behind.len();
                return Some((start..end, if ends { "" } else { "\n" }));
            }
            '\u{1b}' => match escape(&rest[1..]) {
                Escape::Color(length) => {
                    at = start + 1 + length;
                    continue;
                }
                Escape::Other(length) => 1 + length,
            },
            other => other.len_utf8(),
        };
        return Some((start..start + length, ""));
    }
}

/// A sequence, by its bytes behind ESC.
enum Escape {
    Color(usize),
    Other(usize),
}

fn escape(behind: &str) -> Escape {
    let bytes = behind.as_bytes();
    match bytes.first() {
        Some(b'[') => control_sequence(&bytes[1..]),
        // A text for the terminal, such as the window's title.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let line = behind.split('\n').next().unwrap_or_default();
            let ends = ["\u{7}", "\u{1b}\\", "\u{9c}"];
            let end = |mark: &&str| line.find(*mark).map(|at| at + mark.len());
            // One without an end may be text of a person's.
            Escape::Other(ends.iter().filter_map(end).min().unwrap_or(1))
        }
        Some(b' '..=b'~') => Escape::Other(intermediate(bytes) + ends(bytes, b'0'..=b'~')),
        _ => Escape::Other(0),
    }
}

/// A sequence by its bytes behind `ESC [`: parameters, intermediate bytes, and a final one.
fn control_sequence(bytes: &[u8]) -> Escape {
    let parameters = bytes
        .iter()
        .take_while(|byte| (b'0'..=b'?').contains(byte))
        .count();
    let numbers = bytes[..parameters]
        .iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':'));
    if numbers && bytes.get(parameters) == Some(&b'm') {
        return Escape::Color(1 + parameters + 1);
    }
    let rest = &bytes[parameters..];
    Escape::Other(1 + parameters + intermediate(rest) + ends(rest, b'@'..=b'~'))
}

/// How many intermediate bytes there are.
fn intermediate(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| (b' '..=b'/').contains(byte))
        .count()
}

/// 1 when a byte in `last` stands behind the intermediate bytes, else 0.
fn ends(bytes: &[u8], last: std::ops::RangeInclusive<u8>) -> usize {
    let end = bytes.get(intermediate(bytes));
    usize::from(end.is_some_and(|byte| last.contains(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(without(text, Returns::EndLines), expected, "{text:?}");
    }

    #[test]
    fn colours_tabs_and_lines_stay() {
        for text in [
            "",
            "a\tb\n\nc é 😀",
            "\u{1b}[0;32mok: [default]\u{1b}[0m",
            "\u{1b}[m\u{1b}[38:2::1:2:3mx\u{1b}[1;31m",
        ] {
            assert!(
                matches!(without(text, Returns::EndLines), Cow::Borrowed(same) if same == text)
            );
        }
    }

    #[test]
    fn what_moves_the_cursor_or_talks_to_the_terminal_goes() {
        check("a\u{1b}[2J\u{1b}[Hb\u{1b}[2Kc\u{1b}[?25ld", "abcd");
        check("\u{1b}]0;owned\u{7}a\u{1b}]8;;http://x\u{1b}\\b", "ab");
        check("\u{1b}P1$r\u{9c}a\u{1b}_x\u{1b}\\b", "ab");
        check("\u{1b}(Ba\u{1b}cb\u{1b}7c\u{1b}[>4;2md\u{1b}[!pe", "abcde");
        check("a\u{7}\u{8}\0\u{7f}\u{9b}b\u{b}\u{c}", "ab");
        check("\u{1b}[31mred\u{1b}[2J\u{1b}[0m", "\u{1b}[31mred\u{1b}[0m");
    }

    #[test]
    fn what_is_broken_off_hides_no_text() {
        check("a\u{1b}", "a");
        check("a\u{1b}[", "a");
        check("a\u{1b}[3", "a");
        check("a\u{1b}[3\nb", "a\nb");
        check("a\u{1b}[31é", "aé");
        check("a\u{1b}é", "aé");
        check("a\u{1b}]0;title\nb\u{7}", "a0;title\nb");
        check("\u{1b}\u{1b}[2Jx", "x");
    }

    #[test]
    fn a_carriage_return_ends_a_line_or_stays() {
        check("10%\r50%\r\r100%\r\ndone\r", "10%\n50%\n100%\ndone");
        let stays = without("a\r\nb\rc\u{1b}[2J", Returns::Stay);
        assert_eq!(stays, "a\r\nb\rc");
    }
}
