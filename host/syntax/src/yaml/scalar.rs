//! What a scalar is: YAML 1.2's core schema.

use std::borrow::Cow;

use saphyr_parser::{ScalarStyle, Tag};

use crate::json::Kind;

/// Why a scalar or a tag cannot be used: summary and detail.
pub(super) type Refusal = (&'static str, String);

/// The kinds of values that a tag can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Text,
    Whole,
    Float,
    Bool,
    Null,
    Sequence,
    Mapping,
}

impl Wanted {
    /// The kind that a tag of the core schema asks for; `!` alone asks for text.
    pub(super) fn of(tag: &Tag) -> Result<Self, Refusal> {
        let full = format!("{}{}", tag.handle, tag.suffix);
        if full == "!" {
            return Ok(Self::Text);
        }
        let is_core = tag.is_yaml_core_schema() || tag.handle == "!!";
        match tag.suffix.as_str() {
            "str" if is_core => Ok(Self::Text),
            "int" if is_core => Ok(Self::Whole),
            "float" if is_core => Ok(Self::Float),
            "bool" if is_core => Ok(Self::Bool),
            "null" if is_core => Ok(Self::Null),
            "seq" if is_core => Ok(Self::Sequence),
            "map" if is_core => Ok(Self::Mapping),
            _ => Err((
                "Unsupported YAML tag",
                format!(
                    "The tag `{}` is not one that a template can have; those are `!!str`, `!!int`, \
                     `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`. Text that begins with `!` \
                     must be in quotes.",
                    shown(&full)
                ),
            )),
        }
    }
}

/// The value of a scalar. Without a tag, only plain scalars can be anything but text.
pub(super) fn resolve(
    text: Cow<'_, str>,
    style: ScalarStyle,
    wanted: Option<Wanted>,
) -> Result<Kind, Refusal> {
    let is_plain = style == ScalarStyle::Plain;
    let found = match wanted {
        Some(Wanted::Text) => return Ok(Kind::String(text.into_owned())),
        None if !is_plain => return Ok(Kind::String(text.into_owned())),
        _ => plain(&text)?,
    };
    let fits = match (wanted, &found) {
        (None, _)
        | (Some(Wanted::Null), Kind::Null)
        | (Some(Wanted::Bool), Kind::Bool(_))
        | (Some(Wanted::Float), Kind::Number(_)) => true,
        (Some(Wanted::Whole), Kind::Number(number)) => !number.contains(['.', 'e', 'E']),
        _ => false,
    };
    if fits {
        return Ok(found.unwrap_text(text));
    }
    Err((
        "Wrong YAML tag",
        format!("The tag does not fit what is there: `{}`.", shown(&text)),
    ))
}

impl Kind {
    /// Text that [`plain`] left out takes its place.
    fn unwrap_text(self, text: Cow<'_, str>) -> Self {
        match self {
            Self::String(_) => Self::String(text.into_owned()),
            other => other,
        }
    }
}

/// What a plain scalar is; the text of a string is not copied.
fn plain(text: &str) -> Result<Kind, Refusal> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => match number(text)? {
            Some(number) => Kind::Number(number),
            None => Kind::String(String::new()),
        },
    })
}

/// A number as JSON writes it. One with zeros in front is none: some readers take `012` for twelve,
/// some for ten, and whoever writes it means the three characters.
fn number(text: &str) -> Result<Option<String>, Refusal> {
    let first = text.as_bytes()[0];
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return Ok(None);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let only_digits = digits.chars().all(|letter| letter.is_digit(radix));
            if !digits.is_empty() && only_digits {
                return match u64::from_str_radix(digits, radix) {
                    Ok(number) => Ok(Some(number.to_string())),
                    Err(_) => Err(too_large(text)),
                };
            }
            return Ok(None);
        }
    }
    let (sign, rest) = match first {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    if matches!(rest, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err((
            "Number without a value",
            format!(
                "`{text}` is no number that a template can have; as text it must be in quotes."
            ),
        ));
    }
    Ok(decimal(rest).map(|number| format!("{sign}{number}")))
}

fn too_large(text: &str) -> Refusal {
    let detail = format!(
        "`{}` does not fit into 64 bits; as text it must be in quotes.",
        shown(text)
    );
    ("Number too large", detail)
}

/// `[0-9]*(\.[0-9]*)?([eE][-+]?[0-9]+)?` with a digit in front, as JSON writes it.
fn decimal(text: &str) -> Option<String> {
    let length = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = text.split_at(length(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(length(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let exponent = match rest.strip_prefix(['e', 'E']) {
        None if rest.is_empty() => String::new(),
        None => return None,
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || length(digits) != digits.len() {
                return None;
            }
            format!("e{exponent}")
        }
    };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{whole}{point}{fraction}{exponent}"))
}

/// So much of a text as fits into a message.
pub(super) fn shown(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    text.chars().take(40).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match resolve(Cow::Borrowed(text), ScalarStyle::Plain, None) {
            Ok(Kind::String(text)) => format!("text {text}"),
            Ok(Kind::Number(number)) => number,
            Ok(Kind::Bool(value)) => value.to_string(),
            Ok(_) => "null".to_owned(),
            Err((summary, _)) => summary.to_owned(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn plain_scalars_are_those_of_the_core_schema() {
        for text in ["", "~", "null", "Null", "NULL"] {
            check(text, "null");
        }
        for (text, expected) in [("true", "true"), ("True", "true"), ("FALSE", "false")] {
            check(text, expected);
        }
        for (text, expected) in [
            ("0", "0"),
            ("-12", "-12"),
            ("+5", "5"),
            ("1.50", "1.50"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1e3"),
            ("2.5E-3", "2.5e-3"),
            ("0x1F", "31"),
            ("0o17", "15"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
        ] {
            check(text, expected);
        }
        check(".inf", "Number without a value");
        check("-.Inf", "Number without a value");
        check(".nan", "Number without a value");
        check("0xFFFFFFFFFFFFFFFFF", "Number too large");
    }

    #[test]
    fn what_other_readers_take_for_something_else_is_text() {
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
            "tRUE",
            "012",
            "00",
            "-07",
            "1_000",
            "0b11",
            "1:30",
            "2024-01-01",
            "1.2.3",
            ".",
            "+",
            "-",
            "0x",
            "1e",
            "12a",
            "NaN",
            "nan",
        ] {
            check(text, &format!("text {text}"));
        }
    }
}
