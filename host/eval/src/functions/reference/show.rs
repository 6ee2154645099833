//! Values as the table writes them.

use std::fmt::Write as _;

use bigdecimal::{BigDecimal, RoundingMode};

use crate::{Value, ValueKind};

/// Significant digits of fractions that are compared.
const DIGITS: u64 = 40;

/// A type and a value.
pub(super) fn shown(value: &Value) -> String {
    let mut text = format!("{} ", value.ty);
    show(value, &mut text);
    text
}

fn quote(value: &str, to: &mut String) {
    to.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => to.extend(['\\', character]),
            '\n' => to.push_str("\\n"),
            ' '..='~' => to.push(character),
            other => write!(to, "\\u{{{:x}}}", u32::from(other)).expect("a text takes everything"),
        }
    }
    to.push('"');
}

/// Whole numbers as they are, others with an exponent.
fn number(value: &BigDecimal) -> String {
    if value.is_integer() {
        return value.with_scale(0).to_string();
    }
    let digits = std::num::NonZeroU64::new(DIGITS).expect("it is not zero");
    let rounded = value.with_precision_round(digits, RoundingMode::HalfEven);
    let (mantissa, scale) = rounded.normalized().into_bigint_and_exponent();
    let mantissa = mantissa.to_string();
    let (sign, all) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa.as_str()),
    };
    let (first, rest) = all.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let places = i64::try_from(rest.len()).expect("few digits");
    format!("{sign}{first}{point}{rest}e{}", places - scale)
}

fn show(value: &Value, to: &mut String) {
    if value.sensitive {
        to.push_str("sensitive(");
    }
    match &value.kind {
        ValueKind::Unknown => to.push('?'),
        ValueKind::Null => to.push_str("null"),
        ValueKind::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
        ValueKind::Number(value) => to.push_str(&number(value)),
        ValueKind::String(text) => quote(text, to),
        ValueKind::Sequence(elements) => {
            to.push('[');
            for (at, element) in elements.iter().enumerate() {
                to.push_str(if at == 0 { "" } else { ", " });
                show(element, to);
            }
            to.push(']');
        }
        ValueKind::Mapping(elements) => {
            to.push('{');
            for (at, (key, element)) in elements.iter().enumerate() {
                to.push_str(if at == 0 { "" } else { ", " });
                quote(key, to);
                to.push_str(": ");
                show(element, to);
            }
            to.push('}');
        }
    }
    if value.sensitive {
        to.push(')');
    }
}
