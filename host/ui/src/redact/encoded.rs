//! A text as other characters: percent signs of URLs, base64, hexadecimal.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Shorter texts are not looked for as base64 or hexadecimal.
pub(super) const LEAST_BYTES: usize = 4;
/// Where programs break lines of base64.
const WRAPS: [usize; 2] = [64, 76];
/// Characters that stay as they are in every URL.
const ALWAYS: &str = "-_.~";

/// As part of a URL. The rules differ between programs in what they leave as it is.
pub(super) fn urls(text: &str) -> Vec<String> {
    let strict = percent(text, ALWAYS);
    vec![
        strict.replace("%20", "+"),
        strict,
        percent(text, "-_.~!'()*"),
        percent(text, "-_.~$&+=:@"),
        percent(text, "-_.~$&+,;="),
        percent(text, "-_.~!'()*;,/?:@&=+$#"),
        percent(text, "-_.~/"),
    ]
}

fn percent(text: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || kept.contains(character) && byte.is_ascii() {
            encoded.push(character);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// As base64 or hexadecimal digits.
pub(super) fn bytes(text: &str) -> Vec<String> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = Vec::new();
    for data in [text.as_bytes(), format!("{text}\n").as_bytes(), &wide] {
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            forms.push(engine.encode(data));
        }
        forms.extend(wrapped(&STANDARD.encode(data)));
    }
    for data in [text.as_bytes(), &wide] {
        // The last line, whatever follows the secret in it.
        let digits = STANDARD_NO_PAD.encode(data);
        forms.extend(wrapped(&digits[..data.len() * 8 / 6]));
        forms.extend(inner_base64(data));
    }
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.push(hex.to_ascii_uppercase());
    forms.push(hex);
    forms
}

/// The lines of base64 that is broken into lines. Each of them gives a part of the secret away.
fn wrapped(base64: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for width in WRAPS {
        if base64.len() > width {
            let pieces = base64.as_bytes().chunks(width);
            let whole = pieces.filter(|piece| piece.len() >= 8);
            lines.extend(whole.map(|piece| String::from_utf8_lossy(piece).into_owned()));
        }
    }
    lines
}

/// The part of `data`'s base64 that stays the same when other bytes stand before and behind it, for
/// each of the three alignments; short ones are left out.
fn inner_base64(data: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for lead in 0..3_usize {
        let mut padded = vec![0; lead];
        padded.extend_from_slice(data);
        let first = (lead * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        if last > first + 5 {
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                forms.push(engine.encode(&padded)[first..last].to_owned());
            }
        }
    }
    forms
}
