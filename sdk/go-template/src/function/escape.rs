//! `html`, `js` and `urlquery`.

use std::fmt::Write;

use crate::function::format::is_printable;

/// Escapes text for HTML, with the numeric forms Go uses for quotes.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            other => out.push(other),
        }
    }
    out
}

/// Escapes text for a JavaScript string.
pub(super) fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '\'' | '"' => {
                out.push('\\');
                out.push(letter);
            }
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => push_unicode(&mut out, letter),
            other if !other.is_ascii() && !is_printable(other) => push_unicode(&mut out, other),
            other => out.push(other),
        }
    }
    out
}

fn push_unicode(out: &mut String, letter: char) {
    write!(out, "\\u{:04X}", u32::from(letter)).expect("writing to a string cannot fail");
}

/// Escapes text for the query part of a URL; a space becomes `+`.
pub(super) fn url_query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            other => write!(out, "%{other:02X}").expect("writing to a string cannot fail"),
        }
    }
    out
}
