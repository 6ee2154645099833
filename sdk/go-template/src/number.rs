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

/// `%b`: the mantissa as a whole number, and the power of two that it is multiplied with.
pub(crate) fn binary(value: f64) -> String {
    if let Some(text) = not_finite(value) {
        return text.to_owned();
    }
    let (mantissa, exponent) = parts(value);
    let sign = if value.is_sign_negative() { "-" } else { "" };
    format!("{sign}{mantissa}p{exponent:+}")
}

/// `%x`: `0x1.8p+00`; without a precision, as many digits as are needed.
pub(crate) fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    if let Some(text) = not_finite(value) {
        return text.to_owned();
    }
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // One bit in front of the point, 60 behind it.
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent += 60 - i32::try_from(shift).unwrap_or(0);
    }
    if let Some(digits) = precision.filter(|digits| *digits < 15) {
        let cut = 60 - 4 * u32::try_from(digits).unwrap_or(0);
        let rest = mantissa & ((1 << cut) - 1);
        let half = 1_u64 << (cut - 1);
        mantissa >>= cut;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= cut;
        if mantissa >> 61 == 1 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let (first, fraction) = (mantissa >> 60, mantissa & ((1 << 60) - 1));
    let mut digits = format!("{fraction:015x}");
    match precision {
        None => digits.truncate(digits.trim_end_matches('0').len()),
        Some(wanted) => {
            digits.truncate(wanted);
            digits.push_str(&"0".repeat(wanted - digits.len()));
        }
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let point = if digits.is_empty() { "" } else { "." };
    format!(
        "{sign}0x{first}{point}{digits}{}",
        exponent_text(exponent, 'p')
    )
}

/// The mantissa as a whole number and the power of two that it is multiplied with.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) {
        0 => (fraction, -1074),
        exponent => (fraction | 1 << 52, exponent - 1075),
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
