//! Numbers as Go's `%e`, `%f` and `%g` write them.

use bigdecimal::BigDecimal;
use num_bigint::Sign;
use num_traits::Zero;

use crate::number;
use crate::value::Number;

/// Below this power of ten `%g` writes an exponent.
const SMALLEST_PLAIN: i64 = -4;
/// From this power of ten on `%g` without precision writes an exponent.
const LARGEST_PLAIN: i64 = 6;

/// Sign, digits without zeros at either end, and the power of ten of the first digit.
struct Digits {
    negative: bool,
    digits: String,
    exponent: i64,
}

fn digits_of(value: &Number) -> Digits {
    let (integer, scale) = value.normalized().into_bigint_and_exponent();
    let digits = integer.magnitude().to_string();
    let exponent = i64::try_from(digits.len()).unwrap_or(i64::MAX) - 1 - scale;
    let exponent = if value.is_zero() { 0 } else { exponent };
    Digits {
        negative: integer.sign() == Sign::Minus,
        digits,
        exponent,
    }
}

fn scientific(sign: &str, digits: &str, exponent: i64) -> String {
    let (head, tail) = digits.split_at(1);
    let point = if tail.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "{sign}{head}{point}{tail}e{exponent_sign}{:02}",
        exponent.unsigned_abs()
    )
}

fn sign_of(digits: &Digits) -> &'static str {
    if digits.negative { "-" } else { "" }
}

/// `%g`: the shortest text, or `precision` significant digits.
pub(crate) fn general(value: &Number, precision: Option<usize>) -> String {
    let value = match precision {
        Some(precision) => value.with_prec(precision.max(1) as u64),
        None => value.clone(),
    };
    let digits = digits_of(&value);
    let limit = precision.map_or(LARGEST_PLAIN, |precision| {
        let precision = i64::try_from(precision.max(1)).unwrap_or(i64::MAX);
        let length = i64::try_from(digits.digits.len()).unwrap_or(i64::MAX);
        if precision > length && length > digits.exponent {
            length
        } else {
            precision
        }
    });
    if (SMALLEST_PLAIN..limit).contains(&digits.exponent) {
        return number::text(&value);
    }
    scientific(sign_of(&digits), &digits.digits, digits.exponent)
}

/// `%e` with `precision` digits behind the point.
pub(crate) fn exponential(value: &Number, precision: usize) -> String {
    let rounded = value.with_prec(precision as u64 + 1);
    let mut digits = digits_of(&rounded);
    while digits.digits.len() < precision + 1 {
        digits.digits.push('0');
    }
    scientific(sign_of(&digits), &digits.digits, digits.exponent)
}

/// `%f` with `precision` digits behind the point.
pub(crate) fn fixed(value: &Number, precision: usize) -> String {
    let scale = i64::try_from(precision).unwrap_or(i64::MAX);
    let rounded = value.with_scale_round(scale, bigdecimal::RoundingMode::HalfEven);
    rounded.to_plain_string()
}

/// As the console shows it: whole numbers of 64 bits as they are, all others as Go's `%v` shows
/// the nearest floating-point number.
pub(crate) fn console(value: &Number) -> String {
    if let Some(whole) = number::to_i64(value) {
        return whole.to_string();
    }
    match number::from_f64(number::to_f64(value)) {
        Ok(nearest) => general(&nearest, None),
        Err(_) => general(value, None),
    }
}

/// The smallest whole text of an integer in base `radix`; `None` for a fraction.
pub(crate) fn in_base(value: &Number, radix: u32) -> Option<String> {
    if !number::is_whole(value) {
        return None;
    }
    let whole: BigDecimal = number::truncate(value).with_scale(0);
    let (integer, _) = whole.into_bigint_and_exponent();
    Some(integer.to_str_radix(radix))
}
