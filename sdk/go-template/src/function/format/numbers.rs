//! Numbers as text.

use crate::function::format::directive::Directive;
use crate::function::format::quote::{is_printable, quote};
use crate::number;

/// A whole number; `None` when the verb is none for numbers.
pub(super) fn int_text(directive: &Directive, number: i64) -> Option<String> {
    let magnitude = number.unsigned_abs();
    let (prefix, digits) = match directive.verb {
        'v' | 'd' => ("", magnitude.to_string()),
        'b' => ("0b", format!("{magnitude:b}")),
        'o' => ("0", format!("{magnitude:o}")),
        'O' => ("0o", format!("{magnitude:o}")),
        'x' => ("0x", format!("{magnitude:x}")),
        'X' => ("0X", format!("{magnitude:X}")),
        'c' => return Some(directive.pad(&letter_of(number).to_string())),
        'q' => {
            let letter = letter_of(number).to_string();
            return Some(directive.pad(&quote(&letter, '\'', directive.plus)));
        }
        'U' => return Some(directive.pad_blank(&code_point(directive, number))),
        _ => return None,
    };
    if directive.precision == Some(0) && number == 0 {
        return Some(directive.pad_blank(""));
    }
    let sign = sign_of(directive, number < 0);
    let least = match (directive.precision, directive.zeros()) {
        (Some(precision), _) => precision,
        (None, Some(width)) => width.saturating_sub(sign.len()),
        (None, None) => 0,
    };
    let zeros = "0".repeat(least.saturating_sub(digits.len()));
    let has_zero = !zeros.is_empty() || digits.starts_with('0');
    let prefix = match directive.verb {
        'O' if directive.sharp && !has_zero => "0o0",
        'O' => prefix,
        'o' if has_zero => "",
        _ if directive.sharp => prefix,
        _ => "",
    };
    Some(directive.pad_blank(&format!("{sign}{prefix}{zeros}{digits}")))
}

fn sign_of(directive: &Directive, negative: bool) -> &'static str {
    match (negative, directive.plus, directive.space) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

fn letter_of(number: i64) -> char {
    u32::try_from(number)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `U+0041`, with the letter behind it when a sharp sign asks for it.
fn code_point(directive: &Directive, number: i64) -> String {
    let digits = format!("{number:04X}");
    let missing = directive
        .precision
        .unwrap_or(0)
        .saturating_sub(digits.len());
    let text = format!("U+{}{digits}", "0".repeat(missing));
    let letter = u32::try_from(number).ok().and_then(char::from_u32);
    match letter.filter(|letter| directive.sharp && is_printable(*letter)) {
        Some(letter) => format!("{text} '{letter}'"),
        None => text,
    }
}

/// A number with a fraction; `None` when the verb is none for numbers.
pub(super) fn float_text(directive: &Directive, number: f64) -> Option<String> {
    let precision = directive.precision;
    let text = match directive.verb {
        'v' if precision.is_none() => number::shortest(number),
        'v' | 'g' => number::general(number, precision),
        'G' => number::general(number, precision).to_uppercase(),
        'e' => number::scientific(number, precision),
        'E' => number::scientific(number, precision).to_uppercase(),
        'f' | 'F' => number::fixed(number, precision),
        'b' => number::binary(number),
        'x' => number::hexadecimal(number, precision),
        'X' => number::hexadecimal(number, precision).to_uppercase(),
        _ => return None,
    };
    if number.is_nan() {
        let sign = sign_of(directive, false);
        return Some(directive.pad_blank(&format!("{sign}NaN")));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let sign = sign_of(directive, negative);
    if number.is_infinite() {
        let sign = if sign.is_empty() { "+" } else { sign };
        return Some(directive.pad_blank(&format!("{sign}Inf")));
    }
    let mut digits = digits.to_owned();
    if directive.sharp && directive.verb != 'b' {
        digits = with_point(directive, &digits);
    }
    let zeros = directive
        .zeros()
        .map_or(0, |width| width.saturating_sub(sign.len() + digits.len()));
    Some(directive.pad_blank(&format!("{sign}{}{digits}", "0".repeat(zeros))))
}

/// The digits with a decimal point and, for the general verbs, all the zeros that the precision
/// allows.
fn with_point(directive: &Directive, digits: &str) -> String {
    let is_hexadecimal = matches!(directive.verb, 'x' | 'X');
    let marks: &[char] = if is_hexadecimal {
        &['p', 'P']
    } else {
        &['e', 'E']
    };
    let (mantissa, tail) = digits.split_at(digits.find(marks).unwrap_or(digits.len()));
    let mut missing = match directive.verb {
        'v' | 'g' | 'G' | 'x' => directive.precision.unwrap_or(6),
        _ => 0,
    };
    let significant = mantissa
        .chars()
        .filter(|letter| *letter != '.')
        .skip_while(|letter| *letter == '0')
        .count();
    missing = missing.saturating_sub(significant);
    let mut out = mantissa.to_owned();
    if !mantissa.contains('.') {
        // A zero alone in front of the point counts as a digit.
        missing = missing.saturating_sub(usize::from(mantissa == "0"));
        out.push('.');
    }
    out.push_str(&"0".repeat(missing));
    out.push_str(tail);
    out
}
