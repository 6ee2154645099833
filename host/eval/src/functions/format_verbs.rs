//! The verbs of `format`: `%[flags][width][.precision][[index]]verb`.

use unicode_segmentation::UnicodeSegmentation;

use crate::convert::convert;
use crate::decimal;
use crate::number;
use crate::types::Type;
use crate::value::{Number, Value};

use super::FunctionError;
use super::json;

/// The largest width or precision.
const WIDEST: usize = 10_000;

/// A verb with what stands in front of it.
#[derive(Default)]
struct Verb<'f> {
    /// As written, for messages.
    written: &'f str,
    /// Where it stands in the format, in bytes.
    offset: usize,
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    /// Whether the precision was written with digits.
    cuts: bool,
    /// The argument, counted from one, when it is named.
    index: Option<usize>,
    mode: char,
}

/// Formats all arguments. Those that no verb uses are an error, unless verbs name theirs.
pub(super) fn format_all(format: &str, args: &[Value]) -> Result<String, FunctionError> {
    let mut text = String::new();
    let mut rest = format;
    let mut next = 0;
    let mut highest = 0;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let offset = format.len() - rest.len() + at;
        let verb = read_verb(&rest[at..], offset)?;
        rest = &rest[at + verb.written.len()..];
        if verb.mode == '%' {
            text.push('%');
            continue;
        }
        let index = verb.index.unwrap_or(next + 1);
        let problem = || {
            let (written, count) = (verb.written, args.len());
            FunctionError::call_at(
                0,
                format!(
                    "not enough arguments for \"{written}\" at {offset}: need index {index} but have {count} total"
                ),
            )
        };
        let arg = index
            .checked_sub(1)
            .and_then(|at| args.get(at))
            .ok_or_else(problem)?;
        next = index;
        highest = highest.max(index);
        text.push_str(&format_one(&verb, arg, index)?);
    }
    text.push_str(rest);
    if highest < args.len() {
        let used = match highest {
            0 => "none".to_owned(),
            _ => format!("only {highest}"),
        };
        let message = format!("too many arguments; {used} used by format string");
        return Err(FunctionError::call_at(highest + 1, message));
    }
    Ok(text)
}

fn read_verb(format: &str, offset: usize) -> Result<Verb<'_>, FunctionError> {
    let mut verb = Verb {
        offset,
        ..Verb::default()
    };
    let mut rest = &format[1..];
    loop {
        match rest.chars().next() {
            Some('+') => verb.plus = true,
            Some('-') => verb.minus = true,
            Some('#') => verb.sharp = true,
            Some(' ') => verb.space = true,
            Some('0') => verb.zero = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    let problem = |what: &str| {
        FunctionError::call_at(0, format!("{what} in format string at offset {offset}"))
    };
    let (width, after) = read_number(rest).ok_or_else(|| problem("too large a width"))?;
    verb.width = width.unwrap_or(0);
    rest = after;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) =
            read_number(after).ok_or_else(|| problem("too large a precision"))?;
        // A point alone means none for numbers; texts are not cut then.
        verb.precision = Some(precision.unwrap_or(0));
        verb.cuts = precision.is_some();
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('[') {
        let (index, after) = read_number(after).ok_or_else(|| problem("too large an index"))?;
        verb.index = index.filter(|index| *index > 0);
        if verb.index.is_none() {
            return Err(problem("invalid argument index"));
        }
        rest = after
            .strip_prefix(']')
            .ok_or_else(|| problem("missing ]"))?;
    }
    verb.mode = rest.chars().next().ok_or_else(|| problem("missing verb"))?;
    rest = &rest[verb.mode.len_utf8()..];
    verb.written = &format[..format.len() - rest.len()];
    Ok(verb)
}

/// Digits at the start; `None` when they say more than [`WIDEST`].
fn read_number(text: &str) -> Option<(Option<usize>, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Some((None, rest));
    }
    let number = digits.parse().ok().filter(|number| *number <= WIDEST)?;
    Some((Some(number), rest))
}

fn format_one(verb: &Verb<'_>, arg: &Value, index: usize) -> Result<String, FunctionError> {
    let problem = |what: String| {
        FunctionError::call_at(
            index,
            format!(
                "unsupported value for \"{}\" at {}: {what}",
                verb.written, verb.offset
            ),
        )
    };
    if arg.is_null() && verb.mode != 'v' {
        return Err(problem("null value cannot be formatted".to_owned()));
    }
    let converted = |ty: Type| {
        let name = ty.friendly_name();
        convert(arg.clone(), &ty).map_err(|_| problem(format!("{name} required")))
    };
    match verb.mode {
        'v' if verb.sharp => Ok(pad_text(verb, &json::encode(arg))),
        'v' => Ok(as_it_is(verb, arg)),
        't' => {
            let value = converted(Type::Bool)?;
            Ok((value.as_bool() == Some(true)).to_string())
        }
        's' | 'q' => {
            let value = converted(Type::String)?;
            let text = cut(verb, value.as_str().unwrap_or_default());
            Ok(if verb.mode == 's' {
                pad_text(verb, &text)
            } else {
                pad_text(verb, &quoted(&text))
            })
        }
        'b' | 'd' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'g' | 'G' => {
            let value = converted(Type::Number)?;
            let value = value
                .as_number()
                .ok_or_else(|| problem("number required".to_owned()))?;
            format_number(verb, value).ok_or_else(|| problem("an integer is required".to_owned()))
        }
        _ => {
            let (written, offset) = (verb.written, verb.offset);
            let message = format!(
                "unsupported format verb {:?} in \"{written}\" at offset {offset}",
                verb.mode
            );
            Err(FunctionError::call_at(0, message))
        }
    }
}

/// Of what stands in front of `v`, only the width means something, as in Go's library.
fn as_it_is(verb: &Verb<'_>, arg: &Value) -> String {
    if let Some(text) = arg.as_str() {
        return pad_text(verb, text);
    }
    match arg.as_number() {
        Some(value) => {
            let general = Verb {
                mode: 'g',
                ..Verb::default()
            };
            pad_text(verb, &format_number(&general, value).unwrap_or_default())
        }
        None => pad_text(verb, &json::encode(arg)),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    json::write_string(text, &mut quoted);
    quoted
}

/// The precision of text is its greatest length, in characters people see.
fn cut(verb: &Verb<'_>, text: &str) -> String {
    match verb.precision.filter(|_| verb.cuts) {
        Some(precision) => text.graphemes(true).take(precision).collect(),
        None => text.to_owned(),
    }
}

fn pad_text(verb: &Verb<'_>, text: &str) -> String {
    let missing = verb.width.saturating_sub(text.graphemes(true).count());
    match (verb.minus, verb.zero) {
        (true, _) => format!("{text}{}", " ".repeat(missing)),
        (false, true) => format!("{}{text}", "0".repeat(missing)),
        (false, false) => format!("{}{text}", " ".repeat(missing)),
    }
}

/// `None` when an integer is required.
fn format_number(verb: &Verb<'_>, value: &Number) -> Option<String> {
    let unsigned = value.abs();
    let digits = match verb.mode {
        'b' => decimal::in_base(&unsigned, 2)?,
        'o' => decimal::in_base(&unsigned, 8)?,
        'd' => decimal::in_base(&unsigned, 10)?,
        'x' => decimal::in_base(&unsigned, 16)?,
        'X' => decimal::in_base(&unsigned, 16)?.to_uppercase(),
        'e' => decimal::exponential(&unsigned, verb.precision.unwrap_or(6)),
        'E' => decimal::exponential(&unsigned, verb.precision.unwrap_or(6)).to_uppercase(),
        'f' => decimal::fixed(&unsigned, verb.precision.unwrap_or(6)),
        'G' => decimal::general(&unsigned, verb.precision).to_uppercase(),
        _ => decimal::general(&unsigned, verb.precision),
    };
    let prefix = match (verb.sharp, verb.mode) {
        (true, 'x') => "0x",
        (true, 'X') => "0X",
        (true, 'o') => "0",
        _ => "",
    };
    let least_digits = match verb.mode {
        'b' | 'o' | 'd' | 'x' | 'X' => verb.precision.unwrap_or(0),
        _ => 0,
    };
    let digits = format!(
        "{}{digits}",
        "0".repeat(least_digits.saturating_sub(digits.len()))
    );
    let sign = if number::is_negative(value) {
        "-"
    } else if verb.plus {
        "+"
    } else if verb.space {
        " "
    } else {
        ""
    };
    let missing = verb
        .width
        .saturating_sub(sign.len() + prefix.len() + digits.len());
    Some(match (verb.minus, verb.zero) {
        (true, _) => format!("{sign}{prefix}{digits}{}", " ".repeat(missing)),
        (false, true) => format!("{sign}{prefix}{}{digits}", "0".repeat(missing)),
        (false, false) => format!("{}{sign}{prefix}{digits}", " ".repeat(missing)),
    })
}
