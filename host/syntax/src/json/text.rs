//! Strings.

use super::reader::{Reader, Stop};

impl Reader<'_> {
    /// Reads a string, which begins here with either kind of quote.
    pub(super) fn string(&mut self) -> Result<String, Stop> {
        let start = self.at;
        let quote = self.peek().unwrap_or(b'"');
        self.at += 1;
        if quote == b'\'' {
            self.report(
                "Single quotes in JSON",
                "Text is enclosed in double quotes (`\"`).",
                start,
                start + 1,
            )?;
        }
        let mut out = String::new();
        loop {
            let plain = self.plain_length(quote);
            out.push_str(&self.rest()[..plain]);
            self.at += plain;
            match self.peek() {
                None => {
                    return self.stop(
                        "Unclosed JSON string",
                        "This text has no closing quote.",
                        start,
                        start + 1,
                    );
                }
                Some(b'\n') => {
                    return self.stop(
                        "Invalid multi-line string",
                        "Text ends on the line it begins on; a line break is written `\\n`.",
                        start,
                        self.at,
                    );
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(byte) if byte == quote => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(byte) => {
                    self.at += 1;
                    self.report(
                        "Control character in JSON string",
                        format!("This character must be written `\\u{byte:04x}`."),
                        self.at - 1,
                        self.at,
                    )?;
                    out.push(char::from(byte));
                }
            }
        }
    }

    /// Bytes up to the next quote, backslash or control character.
    fn plain_length(&self, quote: u8) -> usize {
        let bytes = &self.text.as_bytes()[self.at..];
        let special = |byte: &u8| *byte == quote || *byte == b'\\' || *byte < 0x20;
        bytes.iter().position(special).unwrap_or(bytes.len())
    }

    fn escape(&mut self) -> Result<char, Stop> {
        let start = self.at;
        let selector = self.rest()[1..].chars().next();
        self.at += 1 + selector.map_or(0, char::len_utf8);
        Ok(match selector {
            Some(plain @ ('"' | '\\' | '/')) => plain,
            Some('b') => '\u{8}',
            Some('f') => '\u{C}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.code_point(start),
            other => {
                let shown = other.map(String::from).unwrap_or_default();
                let detail =
                    format!("`\\{shown}` is no escape; a backslash itself is written `\\\\`.");
                self.report("Invalid escape sequence", detail, start, self.at)?;
                other.unwrap_or('\\')
            }
        })
    }

    /// Behind `\u`: four digits, and for characters outside the basic plane a second escape. Half
    /// a pair becomes U+FFFD.
    fn code_point(&mut self, start: usize) -> Result<char, Stop> {
        let Some(first) = self.four_digits() else {
            self.report(
                "Invalid escape sequence",
                "`\\u` is followed by four hexadecimal digits.",
                start,
                self.at,
            )?;
            return Ok('\u{FFFD}');
        };
        if !(0xD800..0xDC00).contains(&first) || !self.rest().starts_with("\\u") {
            return Ok(char::from_u32(first).unwrap_or('\u{FFFD}'));
        }
        let before = self.at;
        self.at += 2;
        match self.four_digits() {
            Some(second) if (0xDC00..0xE000).contains(&second) => {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                Ok(char::from_u32(code).unwrap_or('\u{FFFD}'))
            }
            _ => {
                self.at = before;
                Ok('\u{FFFD}')
            }
        }
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(value)
    }
}
