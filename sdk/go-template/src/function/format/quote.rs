//! Quoted text.

use std::fmt::Write;

/// Text as a Go literal in `mark`s; with `ascii`, everything else is escaped.
pub(super) fn quote(text: &str, mark: char, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for letter in text.chars() {
        match letter {
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            letter if letter == mark => {
                out.push('\\');
                out.push(letter);
            }
            letter if is_printable(letter) && (letter.is_ascii() || !ascii) => out.push(letter),
            letter => push_escape(&mut out, u32::from(letter)),
        }
    }
    out.push(mark);
    out
}

fn push_escape(out: &mut String, code: u32) {
    let written = match code {
        0..0x80 => write!(out, "\\x{code:02x}"),
        0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    written.expect("writing to a string cannot fail");
}

/// Text in back quotes, when nothing in it forbids that.
pub(super) fn backquoted(text: &str) -> Option<String> {
    let forbidden = |letter: char| {
        (letter.is_ascii_control() && letter != '\t') || matches!(letter, '`' | '\u{FEFF}')
    };
    (!text.contains(forbidden)).then(|| format!("`{text}`"))
}

/// Whether Go prints a character as it is: letters, marks, digits, symbols and the plain blank.
pub(crate) fn is_printable(letter: char) -> bool {
    if letter.is_ascii() {
        return !letter.is_ascii_control();
    }
    // Behind another character, this escapes just what has no picture, and leaves marks alone.
    let mut probe = String::from("a");
    probe.push(letter);
    probe.escape_debug().nth(1) == Some(letter)
}
