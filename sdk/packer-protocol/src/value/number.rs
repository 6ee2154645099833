//! Numbers: exact decimal text here, binary fractions on the wire.

use bigdecimal::{BigDecimal, RoundingMode};
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::ValueError;

/// The largest power of two, and the longest mantissa in bits, that is carried. Every `f64` is
/// within.
const MAX_BITS: u64 = 4096;

/// The precision of numbers that are written as decimal text.
///
/// # Source
///
/// Packer's values keep 512 bits of a number that was written in a template.
const TEXT_BITS: u64 = 512;

/// What Go's `math/big.Float` writes first.
const FLOAT_VERSION: u8 = 1;

/// A number in the form that loses nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Int(i64),
    Float(f64),
    Text(String),
}

/// The shortest of the exact forms of a decimal text.
pub(super) fn form(text: &str) -> Result<Form, ValueError> {
    let number = parse(text)?;
    if let Some(int) = exact_int(&number) {
        return Ok(Form::Int(int));
    }
    Ok(match exact_float(&number) {
        Some(float) => Form::Float(float),
        None => Form::Text(plain(&number)),
    })
}

/// The text of a decimal number without exponent: `1e3` becomes `1000`.
pub(super) fn canonical(text: &str) -> Result<String, ValueError> {
    parse(text).map(|number| plain(&number))
}

/// The shortest text that is this number for a reader who knows that it is an `f64`; all digits of
/// a whole number of up to 64 bits.
pub(super) fn float_text(float: f64) -> Result<String, ValueError> {
    if !float.is_finite() {
        return Err(ValueError::number(&float.to_string()));
    }
    let (mantissa, exponent) = split(float).ok_or_else(|| ValueError::number("a float"))?;
    let exact = power(&mantissa, exponent);
    Ok(if is_word(&exact) {
        plain(&exact)
    } else {
        float.to_string()
    })
}

/// Whether a number is whole and small enough that programs count with it: it keeps all its digits
/// even where fewer would tell it apart.
fn is_word(number: &BigDecimal) -> bool {
    number.is_integer()
        && number
            .to_i128()
            .is_some_and(|int| int.unsigned_abs() < 1 << 64)
}

fn parse(text: &str) -> Result<BigDecimal, ValueError> {
    let refuse = || ValueError::number(text);
    // Other spellings that the library knows, such as underscores, are no numbers of templates.
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if text.len() as u64 > MAX_BITS || !text.chars().all(plain) {
        return Err(refuse());
    }
    let number: BigDecimal = text.parse().map_err(|_| refuse())?;
    if number.fractional_digit_count().unsigned_abs() > MAX_BITS {
        return Err(refuse());
    }
    Ok(number)
}

fn plain(number: &BigDecimal) -> String {
    number.normalized().to_plain_string()
}

fn exact_int(number: &BigDecimal) -> Option<i64> {
    number.is_integer().then(|| number.to_i64()).flatten()
}

fn exact_float(number: &BigDecimal) -> Option<f64> {
    let float: f64 = number.to_scientific_notation().parse().ok()?;
    let (mantissa, exponent) = split(float)?;
    (power(&mantissa, exponent) == *number).then_some(float)
}

/// A finite `f64` as a whole number and a power of two.
fn split(float: f64) -> Option<(BigInt, i64)> {
    if !float.is_finite() {
        return None;
    }
    let bits = float.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i64::from(u16::try_from(bits >> 52 & 0x7ff).ok()?);
    let (mantissa, exponent) = match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    };
    let sign = if float.is_sign_negative() { -1 } else { 1 };
    Some((BigInt::from(mantissa) * sign, exponent))
}

/// `mantissa` times two to the power of `exponent`, exactly.
fn power(mantissa: &BigInt, exponent: i64) -> BigDecimal {
    let shift = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
    if exponent >= 0 {
        return BigDecimal::from(mantissa << shift);
    }
    // m / 2^k is m * 5^k / 10^k.
    BigDecimal::new(mantissa * BigInt::from(5).pow(shift), i64::from(shift))
}

/// Reads what Go's `math/big.Float` writes; the text is the shortest that is the number at its
/// precision.
pub(super) fn from_big_float(bytes: &[u8]) -> Result<String, ValueError> {
    let refuse = || ValueError::Number {
        text: "a number as bytes".to_owned(),
    };
    let (head, rest) = bytes.split_first_chunk::<6>().ok_or_else(refuse)?;
    let [version, flags, precision @ ..] = *head;
    let precision = u64::from(u32::from_be_bytes(precision));
    if version != FLOAT_VERSION || precision > MAX_BITS {
        return Err(refuse());
    }
    match flags >> 1 & 3 {
        0 => return Ok("0".to_owned()),
        1 => {}
        _ => return Err(ValueError::number("infinity")),
    }
    let (exponent, mantissa) = rest.split_first_chunk::<4>().ok_or_else(refuse)?;
    let exponent = i64::from(i32::from_be_bytes(*exponent));
    let bits = mantissa.len() as u64 * 8;
    if exponent.unsigned_abs() > MAX_BITS || bits > MAX_BITS {
        return Err(refuse());
    }
    let mantissa = BigUint::from_bytes_be(mantissa);
    if mantissa.is_zero() {
        return Err(refuse());
    }
    let exponent = exponent.saturating_sub_unsigned(bits);
    let text = plain(&shortest(&mantissa, exponent, precision));
    Ok(if flags & 1 == 1 {
        format!("-{text}")
    } else {
        text
    })
}

/// The decimal number with the fewest digits that is nearer to `mantissa` times two to the power of
/// `exponent` than to any other number of `precision` bits.
fn shortest(mantissa: &BigUint, exponent: i64, precision: u64) -> BigDecimal {
    // Mantissas come in words, whose last bits may be beyond the precision.
    let spare = mantissa.trailing_zeros().unwrap_or(0);
    let spare = spare.min(mantissa.bits().saturating_sub(precision));
    let mantissa = mantissa >> spare;
    let exponent = exponent.saturating_add_unsigned(spare);
    let missing = precision.saturating_sub(mantissa.bits());
    let mantissa = BigInt::from(mantissa << missing);
    let exponent = exponent.saturating_sub_unsigned(missing);
    let exact = power(&mantissa, exponent).normalized();
    if is_word(&exact) {
        return exact;
    }
    // Below a power of two the numbers stand twice as close.
    let boundary = mantissa.magnitude().count_ones() == 1;
    let four: BigInt = &mantissa * 4;
    let below = power(&(&four - if boundary { 1 } else { 2 }), exponent - 2);
    let above = power(&(&four + 2), exponent - 2);
    let even = !mantissa.bit(0);
    let good = |candidate: &BigDecimal| {
        (even && (*candidate == below || *candidate == above))
            || (*candidate > below && *candidate < above)
    };
    let digits = i64::try_from(exact.digits()).unwrap_or(i64::MAX);
    let (mut low, mut high) = (
        exact.fractional_digit_count() - digits,
        exact.fractional_digit_count(),
    );
    // More decimals are never farther away, so that halving finds the fewest.
    while low < high {
        let middle = low + (high - low).div_euclid(2);
        if good(&exact.with_scale_round(middle, RoundingMode::HalfEven)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    exact.with_scale_round(high, RoundingMode::HalfEven)
}

/// Writes a decimal text as Go's `math/big.Float` does: at 64 bits when it is a whole number of that
/// size, at 53 when it is an `f64`, at 512 otherwise.
pub(super) fn to_big_float(text: &str) -> Result<Vec<u8>, ValueError> {
    let number = parse(text)?;
    let (mantissa, exponent, precision, accuracy) = if let Some(int) = exact_int(&number) {
        (BigInt::from(int), 0, 64, 0)
    } else if let Some((mantissa, exponent)) = exact_float(&number).and_then(split) {
        (mantissa, exponent, 53, 0)
    } else {
        let (mantissa, exponent, accuracy) = round(&number);
        (mantissa, exponent, TEXT_BITS, accuracy)
    };
    Ok(write_big_float(&mantissa, exponent, precision, accuracy))
}

fn write_big_float(mantissa: &BigInt, exponent: i64, precision: u64, accuracy: i8) -> Vec<u8> {
    let negative = u8::from(mantissa.is_negative());
    let finite = u8::from(!mantissa.is_zero());
    // Accuracy is -1, 0 or 1.
    let accuracy = accuracy.saturating_add(1).unsigned_abs();
    let mut out = vec![FLOAT_VERSION, accuracy << 3 | finite << 1 | negative];
    out.extend(u32::try_from(precision).unwrap_or(u32::MAX).to_be_bytes());
    if finite == 0 {
        return out;
    }
    let magnitude = mantissa.magnitude();
    let odd = magnitude >> magnitude.trailing_zeros().unwrap_or(0);
    // The point stands before the highest bit.
    let exponent = exponent.saturating_add_unsigned(magnitude.bits());
    out.extend(i32::try_from(exponent).unwrap_or(i32::MAX).to_be_bytes());
    let words = odd.bits().div_ceil(64);
    let aligned = &odd << (words * 64 - odd.bits());
    out.extend(aligned.to_bytes_be());
    out
}

/// The number of [`TEXT_BITS`] bits that is nearest, as a whole number, a power of two, and whether
/// it is below (-1), equal (0) or above (1).
fn round(number: &BigDecimal) -> (BigInt, i64, i8) {
    let (digits, scale) = number.as_bigint_and_exponent();
    let ten = |count: u64| BigUint::from(10_u8).pow(u32::try_from(count).unwrap_or(u32::MAX));
    let (numerator, divisor) = if scale >= 0 {
        (digits.magnitude().clone(), ten(scale.unsigned_abs()))
    } else {
        (
            digits.magnitude() * ten(scale.unsigned_abs()),
            BigUint::one(),
        )
    };
    // Two bits more than wanted tell below, middle and above; what is left over decides ties.
    let shift = (TEXT_BITS + 3 + divisor.bits()).saturating_sub(numerator.bits());
    let numerator = numerator << shift;
    let (quotient, rest) = (&numerator / &divisor, &numerator % &divisor);
    let extra = quotient.bits().saturating_sub(TEXT_BITS);
    let mut kept: BigUint = &quotient >> extra;
    let dropped = &quotient - (&kept << extra);
    let half = BigUint::one() << extra.saturating_sub(1);
    let exact = dropped.is_zero() && rest.is_zero();
    let up = dropped > half || (dropped == half && (!rest.is_zero() || kept.bit(0)));
    if up {
        kept += 1_u8;
    }
    let negative = digits.sign() == Sign::Minus;
    let direction = if up != negative { 1 } else { -1 };
    let sign = if negative { -1 } else { 1 };
    let exponent =
        i64::try_from(extra).unwrap_or(i64::MAX) - i64::try_from(shift).unwrap_or(i64::MAX);
    (
        BigInt::from(kept) * sign,
        exponent,
        if exact { 0 } else { direction },
    )
}
