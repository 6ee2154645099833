//! Numbers out of decimal text, exactly.

/// The integer that `text` stands for: decimal with fraction and exponent as long as the value is
/// whole, or, as Go reads it, with a prefix `0x`, `0o`, `0b` or `0` and `_` between digits.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = prefixed(digits).or_else(|| decimal(digits))?;
    Some(if negative { -magnitude } else { magnitude })
}

fn prefixed(text: &str) -> Option<i128> {
    let lower = text.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(is_octal) {
        (8, &lower[1..])
    } else {
        return None;
    };
    let digits = digits.replace('_', "");
    // `from_str_radix` would accept a second sign.
    let legal = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    legal
        .then(|| i128::from_str_radix(&digits, radix).ok())
        .flatten()
}

fn is_octal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'7' | b'_')
}

fn decimal(text: &str) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = whole.chars().chain(part.chars()).collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    shifted(
        &digits,
        exponent.checked_sub(i32::try_from(part.len()).ok()?)?,
    )
}

/// `digits` times ten to the power of `shift`, when that is whole and fits.
fn shifted(digits: &str, shift: i32) -> Option<i128> {
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    if shift >= 0 {
        let factor = 10_i128.checked_pow(shift.unsigned_abs())?;
        return digits.parse::<i128>().ok()?.checked_mul(factor);
    }
    let cut = digits.len().checked_sub(shift.unsigned_abs() as usize)?;
    let (whole, part) = digits.split_at(cut);
    if part.bytes().any(|byte| byte != b'0') || whole.is_empty() {
        return None;
    }
    whole.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::integer;

    fn check(text: &str, expected: Option<i128>) {
        assert_eq!(integer(text), expected, "{text:?}");
    }

    #[test]
    fn reads_whole_numbers_however_they_are_written() {
        check("10", Some(10));
        check("-10", Some(-10));
        check("1e3", Some(1000));
        check("10.0", Some(10));
        check("1.5e1", Some(15));
        check("0", Some(0));
        check("0.0", Some(0));
        check("0x1F", Some(31));
        check("017", Some(15));
        check("0b101", Some(5));
        check("18446744073709551615", Some(18_446_744_073_709_551_615));
    }

    #[test]
    fn refuses_fractions_and_words() {
        for text in [
            "1.5", "0.5", "1e-1", "", "-", "ten", "1e", "1e99", "0x", "--1", "1_0.5",
        ] {
            check(text, None);
        }
    }
}
