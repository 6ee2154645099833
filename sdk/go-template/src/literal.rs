//! Go's literals: quoted strings, characters and numbers.

use crate::data::Data;
use crate::error::TemplateError;

/// Reads the double-quoted string `text` starts with; its value and its length in bytes.
pub(crate) fn read_interpreted(
    text: &str,
    offset: usize,
) -> Result<(String, usize), TemplateError> {
    let mut bytes = Vec::new();
    let mut at = 1;
    loop {
        let letter = text[at..].chars().next().filter(|letter| *letter != '\n');
        match letter {
            None => return Err(TemplateError::new(offset, "unterminated quoted string")),
            Some('"') => return Ok((String::from_utf8_lossy(&bytes).into_owned(), at + 1)),
            Some('\\') => at += read_escape(&text[at..], '"', offset + at)?.push_to(&mut bytes),
            Some(letter) => {
                bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                at += letter.len_utf8();
            }
        }
    }
}

/// Reads the quoted character `text` starts with; its code point and its length in bytes.
pub(crate) fn read_character(text: &str, offset: usize) -> Result<(i64, usize), TemplateError> {
    let malformed = || TemplateError::new(offset, "malformed character constant");
    let letter = text[1..].chars().next().ok_or_else(malformed)?;
    let (code, length) = match letter {
        '\n' | '\'' => return Err(malformed()),
        '\\' => {
            let escape = read_escape(&text[1..], '\'', offset + 1)?;
            (escape.code, escape.length)
        }
        letter => (u32::from(letter), letter.len_utf8()),
    };
    if text[1 + length..].starts_with('\'') {
        Ok((i64::from(code), length + 2))
    } else {
        Err(malformed())
    }
}

/// One escape: what it stands for and how long it is written.
struct Escape {
    code: u32,
    /// Whether `code` is a byte and not a character.
    byte: Option<u8>,
    length: usize,
}

impl Escape {
    /// Adds it to `bytes`; its written length.
    fn push_to(&self, bytes: &mut Vec<u8>) -> usize {
        match self.byte {
            Some(byte) => bytes.push(byte),
            None => {
                let letter = char::from_u32(self.code).unwrap_or(char::REPLACEMENT_CHARACTER);
                bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        self.length
    }
}

fn read_escape(text: &str, quote: char, offset: usize) -> Result<Escape, TemplateError> {
    let wrong = || TemplateError::new(offset, "invalid escape sequence in a quoted constant");
    let letter = text[1..].chars().next().ok_or_else(wrong)?;
    let simple = |code: u32| {
        Ok(Escape {
            code,
            byte: None,
            length: 2,
        })
    };
    let numeric = |skip: usize, digits: usize, radix: u32| {
        let written = text.get(skip..skip + digits).ok_or_else(wrong)?;
        if !written.bytes().all(|byte| char::from(byte).is_digit(radix)) {
            return Err(wrong());
        }
        let code = u32::from_str_radix(written, radix).map_err(|_| wrong())?;
        let byte = if digits <= 3 {
            Some(u8::try_from(code).map_err(|_| wrong())?)
        } else {
            None
        };
        if byte.is_none() && char::from_u32(code).is_none() {
            return Err(wrong());
        }
        Ok(Escape {
            code,
            byte,
            length: skip + digits,
        })
    };
    match letter {
        'a' => simple(7),
        'b' => simple(8),
        'f' => simple(12),
        'n' => simple(10),
        'r' => simple(13),
        't' => simple(9),
        'v' => simple(11),
        '\\' => simple(92),
        'x' => numeric(2, 2, 16),
        'u' => numeric(2, 4, 16),
        'U' => numeric(2, 8, 16),
        '0'..='7' => numeric(1, 3, 8),
        letter if letter == quote => simple(u32::from(letter)),
        _ => Err(wrong()),
    }
}

/// Reads the number `text` starts with; its value and its length in bytes.
pub(crate) fn read_number(text: &str, offset: usize) -> Result<(Data, usize), TemplateError> {
    let length = number_length(text);
    let written = &text[..length];
    let wrong = || TemplateError::new(offset, format!("bad number syntax: `{written}`"));
    let (negative, digits) = match written.as_bytes().first() {
        Some(b'-') => (true, &written[1..]),
        Some(b'+') => (false, &written[1..]),
        _ => (false, written),
    };
    if let Some(value) = read_integer(digits) {
        let value = if negative { -value } else { value };
        let value = i64::try_from(value).map_err(|_| {
            TemplateError::new(
                offset,
                format!("integer overflow: `{written}` needs over 64 bits"),
            )
        })?;
        return Ok((Data::Int(value), length));
    }
    if let Some(value) = read_hexadecimal_float(digits) {
        return Ok((Data::Float(if negative { -value } else { value }), length));
    }
    let is_octal_with_9 = digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_octal_with_9 {
        return Err(wrong());
    }
    let plain = digits.replace('_', "");
    let decimal = plain
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !decimal || !plain.bytes().any(|byte| byte.is_ascii_digit()) || digits.contains('_') {
        return Err(wrong());
    }
    let value: f64 = plain.parse().map_err(|_| wrong())?;
    if value.is_infinite() {
        return Err(wrong());
    }
    Ok((Data::Float(if negative { -value } else { value }), length))
}

/// How many bytes belong to the number: everything a word or an exponent sign continues.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let hexadecimal =
        bytes.get(at) == Some(&b'0') && matches!(bytes.get(at + 1), Some(b'x' | b'X'));
    while let Some(byte) = bytes.get(at) {
        let marks = if hexadecimal { b"pP" } else { b"eE" };
        let exponent_sign = matches!(byte, b'+' | b'-') && at > 0 && marks.contains(&bytes[at - 1]);
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || exponent_sign) {
            break;
        }
        at += 1;
    }
    at
}

/// Reads `0x1.8p-2`: hexadecimal digits times a power of two.
fn read_hexadecimal_float(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let (mantissa, exponent) = lower.strip_prefix("0x")?.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0.0;
    let mut scale = 0_i32;
    for letter in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(letter.to_digit(16)?);
    }
    scale -= i32::try_from(fraction.len()).ok()? * 4;
    let exponent: i32 = exponent.parse().ok()?;
    let value = value * 2_f64.powi(scale.checked_add(exponent)?);
    (!mantissa.is_empty() && value.is_finite()).then_some(value)
}

/// Reads an unsigned integer with Go's base prefixes and underscores.
fn read_integer(text: &str) -> Option<i128> {
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = match lower.get(..2) {
        Some("0x") => (&lower[2..], 16),
        Some("0b") => (&lower[2..], 2),
        Some("0o") => (&lower[2..], 8),
        _ if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        _ => (lower.as_str(), 10),
    };
    let well_formed = !digits.ends_with('_') && !digits.contains("__");
    let digits = digits.replace('_', "");
    let only_digits = digits.chars().all(|letter| letter.is_digit(radix));
    if !well_formed || digits.is_empty() || !only_digits {
        return None;
    }
    // Longer than any 64-bit number in base two, so the caller's check reports the overflow.
    i128::from_str_radix(&digits, radix)
        .ok()
        .or(Some(i128::MAX))
}
