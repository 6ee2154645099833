//! Floating-point numbers as Go's `fmt` writes them.

/// Shortest text that reads back as `value`: Go's `%v`.
pub(crate) fn shortest(value: f64) -> String {
    general(value, None)
}

/// `%g`: fixed for moderate exponents, scientific otherwise.
pub(crate) fn general(value: f64, precision: Option<usize>) -> String {
    if let Some(text) = not_finite(value) {
        return text.to_owned();
    }
    let written = match precision {
        None => format!("{value:e}"),
        Some(digits) => format!("{value:.*e}", digits.max(1) - 1),
    };
    let (mantissa, exponent) = split_exponent(&written);
    let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let kept = digits.trim_end_matches('0').len().max(1);
    digits.truncate(kept);
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let limit = match precision {
        // The shortest form decides as if six digits had been asked for.
        None => 6,
        Some(wanted) => {
            let wanted = i32::try_from(wanted.max(1)).unwrap_or(i32::MAX);
            if wanted > length && length > exponent {
                length
            } else {
                wanted
            }
        }
    };
    if exponent < -4 || exponent >= limit {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}{}", exponent_text(exponent, 'e'));
    }
    format!("{sign}{}", place_point(&digits, exponent))
}

/// `%e`: one digit, `precision` decimals, exponent of two digits or more.
pub(crate) fn scientific(value: f64, precision: Option<usize>) -> String {
    if let Some(text) = not_finite(value) {
        return text.to_owned();
    }
    let written = format!("{value:.*e}", precision.unwrap_or(6));
    let (mantissa, exponent) = split_exponent(&written);
    format!("{mantissa}{}", exponent_text(exponent, 'e'))
}

/// `%f`: `precision` decimals.
pub(crate) fn fixed(value: f64, precision: Option<usize>) -> String {
    match not_finite(value) {
        Some(text) => text.to_owned(),
        None => format!("{value:.*}", precision.unwrap_or(6)),
    }
}

fn not_finite(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

fn split_exponent(written: &str) -> (&str, i32) {
    let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

fn exponent_text(exponent: i32, letter: char) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{letter}{sign}{:02}", exponent.unsigned_abs())
}

fn place_point(digits: &str, exponent: i32) -> String {
    let point = exponent + 1;
    match usize::try_from(point) {
        Ok(0) | Err(_) => {
            let zeros = "0".repeat(usize::try_from(-point).unwrap_or(0));
            format!("0.{zeros}{digits}")
        }
        Ok(point) if point >= digits.len() => {
            format!("{digits}{}", "0".repeat(point - digits.len()))
        }
        Ok(point) => format!("{}.{}", &digits[..point], &digits[point..]),
    }
}
