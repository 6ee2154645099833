//! Text of templates with its escapes resolved.

/// Resolves `$${` and `%%{`, the only escapes outside of quotes.
pub(super) fn unescape_sequences(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['$', '%']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let escaped = rest.starts_with("$${") || rest.starts_with("%%{");
        out.push_str(&rest[..1]);
        if escaped {
            out.push('{');
        }
        rest = &rest[if escaped { 3 } else { 1 }..];
    }
    out.push_str(rest);
    out
}

/// An escape that means nothing.
#[derive(Debug)]
pub(super) struct BadEscape {
    /// Whole sentences.
    pub detail: String,
    /// First byte in the text.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

/// Resolves all escapes of text between quotes.
pub(super) fn unescape_quoted(raw: &str) -> Result<String, BadEscape> {
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(length) = raw[at..].find('\\') {
        out.push_str(&unescape_sequences(&raw[at..at + length]));
        at += length;
        let (character, length) = escape(raw, at)?;
        out.push(character);
        at += length;
    }
    out.push_str(&unescape_sequences(&raw[at..]));
    Ok(out)
}

/// The character that the escape at byte `at` stands for, and the escape's length.
fn escape(raw: &str, at: usize) -> Result<(char, usize), BadEscape> {
    let selector = raw[at + 1..].chars().next().unwrap_or('\\');
    let character = match selector {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '"' => '"',
        '\\' => '\\',
        'u' => return code_point(raw, at, 4),
        'U' => return code_point(raw, at, 8),
        other => {
            let detail = format!(
                "`\\{other}` is no escape; there are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uNNNN` and \
                 `\\UNNNNNNNN`. A backslash itself is written `\\\\`."
            );
            return Err(BadEscape {
                detail,
                start: at,
                end: at + 1 + other.len_utf8(),
            });
        }
    };
    Ok((character, 2))
}

fn code_point(raw: &str, at: usize, wanted: usize) -> Result<(char, usize), BadEscape> {
    let digits = raw[at + 2..]
        .bytes()
        .take(wanted)
        .take_while(u8::is_ascii_hexdigit)
        .count();
    let hex = &raw[at + 2..at + 2 + digits];
    let detail = if digits < wanted {
        format!("This escape needs {wanted} hexadecimal digits.")
    } else if let Some(character) = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32) {
        return Ok((character, 2 + wanted));
    } else {
        format!("There is no character with the number {hex}.")
    };
    Err(BadEscape {
        detail,
        start: at,
        end: at + 2 + digits,
    })
}

#[cfg(test)]
mod tests {
    use super::{unescape_quoted, unescape_sequences};

    fn check(raw: &str, expected: &str) {
        assert_eq!(
            unescape_quoted(raw).expect("valid escapes"),
            expected,
            "{raw}"
        );
    }

    fn check_error(raw: &str, start: usize, end: usize) {
        let bad = unescape_quoted(raw).expect_err("an invalid escape");
        assert_eq!((bad.start, bad.end), (start, end), "{raw}");
    }

    #[test]
    fn resolves_every_escape() {
        check(r#"a\n\r\t\"\\b"#, "a\n\r\t\"\\b");
        check(r"\u00e9\U0001F600", "é😀");
        check("$${a} %%{b} $$${c} $x %", "${a} %{b} $${c} $x %");
        check(r"\\$${a}", r"\${a}");
    }

    #[test]
    fn errors_cover_the_escape() {
        check_error(r"ab\qx", 2, 4);
        check_error(r"\u00g9", 0, 4);
        check_error(r"\uD800", 0, 6);
        check_error(r"\é", 0, 3);
    }

    #[test]
    fn text_outside_quotes_keeps_backslashes() {
        assert_eq!(unescape_sequences(r"\n $${a}"), r"\n ${a}");
    }
}
