//! What a bare word of YAML means: YAML 1.1's bools, numbers, times, or text.

use bigdecimal::BigDecimal;
use num_bigint::BigInt;

use crate::number;
use crate::types::Type;
use crate::value::{Number, Value};

use super::time_parse::{Separator, parse};

/// The value of an unquoted scalar without a tag.
///
/// # Errors
///
/// What cannot be represented, in words.
pub(super) fn resolve(text: &str) -> Result<Value, String> {
    if let Some(value) = boolean(text) {
        return Ok(Value::bool(value));
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::null(Type::Dynamic)),
        ".nan" | ".NaN" | ".NAN" => return Err("floating point NaN is not supported".to_owned()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => {
            return Err("infinity is not supported".to_owned());
        }
        _ => {}
    }
    if let Some(moment) = timestamp(text) {
        return Ok(Value::string(moment));
    }
    let starts_number =
        text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    let number = if starts_number {
        plain_number(text).or_else(|| binary(text))
    } else {
        None
    };
    Ok(number.map_or_else(|| Value::string(text), Value::number))
}

/// A bool in any of the words YAML 1.1 has for it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(false)
        }
        _ => None,
    }
}

/// A decimal number; underscores do not count.
fn plain_number(text: &str) -> Option<Number> {
    if text.starts_with('.') {
        return number::parse(text);
    }
    number::parse(&text.replace('_', ""))
}

fn binary(text: &str) -> Option<Number> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    in_radix(digits.strip_prefix("0b")?, 2).map(|value| value * sign)
}

fn in_radix(digits: &str, radix: u32) -> Option<Number> {
    BigInt::parse_bytes(digits.replace('_', "").as_bytes(), radix).map(BigDecimal::from)
}

/// A number that was tagged as one, which may also be hexadecimal or octal.
pub(super) fn tagged_number(text: &str) -> Option<Number> {
    let hexadecimal = || in_radix(text.strip_prefix("0x")?, 16);
    let octal = || in_radix(text.strip_prefix("0o")?, 8);
    plain_number(text)
        .or_else(|| binary(text))
        .or_else(hexadecimal)
        .or_else(octal)
}

/// A date or a time, as RFC 3339.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let date_end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (date, time) = text.split_at(date_end);
    let [year, month, day] = date.split('-').collect::<Vec<_>>().try_into().ok()?;
    let is_number = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if year.len() != 4 || !is_number(year, 4) || !is_number(month, 2) || !is_number(day, 2) {
        return None;
    }
    let date = format!("{year}-{month:0>2}-{day:0>2}");
    let Some(first) = time.chars().next() else {
        return parse(&format!("{date}T00:00:00Z"), Separator::Letter)
            .ok()
            .map(|moment| moment.rfc3339());
    };
    let time = &time[1..];
    let zone_start = time.find(['Z', '+', '-']);
    let (clock, zone) = match (first, zone_start) {
        (' ', None) => (time, "Z"),
        ('T' | 't', Some(at)) => time.split_at(at),
        _ => return None,
    };
    let [hour, minute, second] = clock.split(':').collect::<Vec<_>>().try_into().ok()?;
    let (second, fraction) = second
        .split_once('.')
        .map_or((second, ""), |(second, fraction)| (second, fraction));
    if ![hour, minute, second].iter().all(|part| is_number(part, 2)) {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let text = format!("{date}T{hour:0>2}:{minute:0>2}:{second:0>2}{zone}");
    parse(&text, Separator::Letter)
        .ok()
        .map(|moment| moment.rfc3339())
}
