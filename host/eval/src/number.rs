//! Exact arithmetic.
//!
//! Sums, differences and products are exact decimals up to [`DIGITS`] significant digits, about
//! the 512 bits cty computes with; beyond that they are rounded. Quotients keep a few digits more,
//! so that `10 / 3 * 3` is 10. Not here: conversion from and to other types.

use std::cmp::Ordering;
use std::num::NonZeroU64;
use std::str::FromStr;

use bigdecimal::{BigDecimal, RoundingMode};
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::value::Number;

/// Significant digits that results are rounded to.
pub(crate) const DIGITS: u64 = 154;
/// Digits a quotient keeps beyond [`DIGITS`].
const GUARD_DIGITS: u64 = 6;
/// Digits of a text that are looked at.
const LONGEST_READ: usize = 1000;
/// The largest power of ten a number can reach, and with a minus the smallest.
const LARGEST_EXPONENT: i64 = 10_000;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumberError {
    #[error("division by zero")]
    DivisionByZero,
    #[error("the result is larger than 1e{LARGEST_EXPONENT}")]
    TooLarge,
    #[error("the result is not a real number")]
    NotReal,
}

/// Reads decimal text: sign, digits, fraction, exponent. Nothing else, and no blanks.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() || exponent.len() > 6 || !digits(exponent) {
            return None;
        }
    }
    if mantissa.len() > LONGEST_READ {
        let exponent = exponent.map_or(Some(0), |exponent| exponent.parse().ok())?;
        let value = first_digits(whole, fraction, exponent);
        let negative = text.starts_with('-');
        return limit(if negative { -value } else { value }).ok();
    }
    let value = BigDecimal::from_str(text.strip_prefix('+').unwrap_or(text)).ok()?;
    limit(value).ok()
}

/// The number of very many digits, of which all but the first change nothing but the way a tie is
/// rounded. Reading all of them would take time that grows with their square.
fn first_digits(whole: &str, fraction: &str, exponent: i64) -> Number {
    let digits = || whole.bytes().chain(fraction.bytes());
    let zeros = digits().take_while(|digit| *digit == b'0').count();
    let read: Vec<u8> = digits().skip(zeros).take(LONGEST_READ).collect();
    let count = whole.len() + fraction.len() - zeros - read.len();
    let more = digits().skip(zeros + read.len()).any(|digit| digit != b'0');
    let text = String::from_utf8_lossy(&read);
    let value = BigInt::from_str(&text).unwrap_or_default() * 10 + i32::from(more);
    let length = |length: usize| i64::try_from(length).unwrap_or(i64::MAX / 4);
    BigDecimal::new(value, length(fraction.len()) - length(count) - exponent + 1)
}

/// Whether it is plainly within all limits: fewer than [`DIGITS`] digits and not far from one.
/// Counting digits is slow, so this is asked first.
fn is_ordinary(value: &Number) -> bool {
    let (digits, scale) = value.as_bigint_and_scale();
    digits.bits() < 500 && scale.abs() < 1000
}

/// Rounds to `digits` digits.
fn rounded(value: &Number, digits: u64) -> Number {
    if is_ordinary(value) || value.digits() <= digits {
        return value.clone();
    }
    let digits = NonZeroU64::new(digits).expect("the number of digits is never zero");
    value.with_precision_round(digits, RoundingMode::HalfEven)
}

/// The power of ten of the first digit.
fn magnitude(value: &Number) -> i64 {
    let (_, scale) = value.as_bigint_and_exponent();
    i64::try_from(value.digits())
        .unwrap_or(i64::MAX)
        .saturating_sub(scale)
        .saturating_sub(1)
}

/// Rounds, refuses what is too large, and makes zero of what is too small.
fn limit(value: Number) -> Result<Number, NumberError> {
    limit_to(value, DIGITS)
}

fn limit_to(value: Number, digits: u64) -> Result<Number, NumberError> {
    if value.is_zero() {
        return Ok(BigDecimal::zero());
    }
    if is_ordinary(&value) {
        return Ok(value);
    }
    match magnitude(&value) {
        large if large > LARGEST_EXPONENT => Err(NumberError::TooLarge),
        small if small < -LARGEST_EXPONENT => Ok(BigDecimal::zero()),
        _ => Ok(rounded(&value, digits)),
    }
}

pub(crate) fn add(a: &Number, b: &Number) -> Result<Number, NumberError> {
    limit(a + b)
}

pub(crate) fn subtract(a: &Number, b: &Number) -> Result<Number, NumberError> {
    limit(a - b)
}

pub(crate) fn multiply(a: &Number, b: &Number) -> Result<Number, NumberError> {
    limit(a * b)
}

pub(crate) fn divide(a: &Number, b: &Number) -> Result<Number, NumberError> {
    if b.is_zero() {
        return Err(NumberError::DivisionByZero);
    }
    if a.is_zero() {
        return Ok(BigDecimal::zero());
    }
    let (a_digits, a_scale) = a.as_bigint_and_exponent();
    let (b_digits, b_scale) = b.as_bigint_and_exponent();
    let wanted = DIGITS + GUARD_DIGITS + 2;
    let shift = (wanted + b.digits()).saturating_sub(a.digits());
    let shift_power = u32::try_from(shift).map_err(|_| NumberError::TooLarge)?;
    let quotient = a_digits * BigInt::from(10).pow(shift_power) / b_digits;
    let scale = a_scale - b_scale + i64::from(shift_power);
    limit_to(
        BigDecimal::new(quotient, scale).normalized(),
        DIGITS + GUARD_DIGITS,
    )
}

/// The remainder with the sign of `a`.
pub(crate) fn remainder(a: &Number, b: &Number) -> Result<Number, NumberError> {
    if b.is_zero() {
        return Err(NumberError::DivisionByZero);
    }
    let quotient = divide(a, b)?.with_scale_round(0, RoundingMode::Down);
    limit(a - b * quotient)
}

/// `base` to the power of `exponent`.
pub(crate) fn power(base: &Number, exponent: &Number) -> Result<Number, NumberError> {
    let Some(whole) = to_i64(exponent) else {
        return from_f64(to_f64(base).powf(to_f64(exponent)));
    };
    let mut result = BigDecimal::from(1);
    let mut square = base.clone();
    let mut left = whole.unsigned_abs();
    while left > 0 {
        if left & 1 == 1 {
            result = multiply(&result, &square)?;
        }
        left >>= 1;
        if left > 0 {
            square = multiply(&square, &square)?;
        }
    }
    if whole < 0 {
        divide(&BigDecimal::from(1), &result)
    } else {
        Ok(result)
    }
}

/// The nearest floating-point number; infinite when there is none.
pub(crate) fn to_f64(value: &Number) -> f64 {
    // The conversion of the number type rounds twice; reading a text does not.
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// The number nearest to a floating-point one, in the shortest text that means it.
pub(crate) fn from_f64(value: f64) -> Result<Number, NumberError> {
    if value.is_nan() {
        return Err(NumberError::NotReal);
    }
    if value.is_infinite() {
        return Err(NumberError::TooLarge);
    }
    parse(&format!("{value:e}")).ok_or(NumberError::TooLarge)
}

/// Compares, as far as [`DIGITS`] digits tell.
pub(crate) fn compare(a: &Number, b: &Number) -> Ordering {
    if is_ordinary(a) && is_ordinary(b) {
        return a.cmp(b);
    }
    rounded(a, DIGITS).cmp(&rounded(b, DIGITS))
}

/// The nearest whole number below or at `value`.
pub(crate) fn floor(value: &Number) -> Number {
    rounded(value, DIGITS).with_scale_round(0, RoundingMode::Floor)
}

/// The nearest whole number above or at `value`.
pub(crate) fn ceil(value: &Number) -> Number {
    rounded(value, DIGITS).with_scale_round(0, RoundingMode::Ceiling)
}

/// `value` without its fraction.
pub(crate) fn truncate(value: &Number) -> Number {
    value.with_scale_round(0, RoundingMode::Down)
}

pub(crate) fn is_negative(value: &Number) -> bool {
    value.is_negative()
}

/// Whether it has no fraction.
pub(crate) fn is_whole(value: &Number) -> bool {
    rounded(value, DIGITS).is_integer()
}

/// As a whole number, when it is one and fits.
pub(crate) fn to_i64(value: &Number) -> Option<i64> {
    if !is_whole(value) || magnitude(value) > 20 {
        return None;
    }
    value.to_i64()
}

/// As plain decimal text, without an exponent.
pub(crate) fn text(value: &Number) -> String {
    if value.is_zero() {
        return "0".to_owned();
    }
    rounded(value, DIGITS).normalized().to_plain_string()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use bigdecimal::BigDecimal;

    use super::{limit, parse, text};

    #[test]
    fn numbers_of_very_many_digits_are_read_by_their_first() {
        let digits = "1234567890".repeat(300);
        for text in [
            format!("-{digits}.{digits}e-2990"),
            format!("{digits}e-3000"),
            format!("0.{}{digits}", "0".repeat(2000)),
            format!("{}1{}", "0".repeat(2000), "0".repeat(1500)),
            format!("0.{}", "0".repeat(2000)),
        ] {
            let exact = limit(BigDecimal::from_str(&text).expect("a number"));
            assert_eq!(parse(&text), exact.ok(), "{text}");
        }
    }

    #[test]
    fn a_tie_is_one_only_when_no_digit_follows() {
        let even = format!("{}5{}", "2".repeat(154), "0".repeat(2000));
        let read = parse(&even).expect("a number");
        assert!(text(&read).starts_with(&format!("{}0", "2".repeat(154))));
        let more = format!("{even}1");
        let read = parse(&more).expect("a number");
        assert!(text(&read).starts_with(&format!("{}30", "2".repeat(153))));
    }

    #[test]
    fn what_is_too_large_or_no_number_is_refused_at_once() {
        assert_eq!(parse(&"9".repeat(10_000_000)), None);
        assert_eq!(parse(&format!("1e{}", "9".repeat(5000))), None);
        assert_eq!(parse(&"1.".repeat(5000)), None);
    }
}
