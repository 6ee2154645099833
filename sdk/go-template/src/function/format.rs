//! `print`, `println`, `printf`: Go's `fmt` for the values templates have.

use std::fmt::Write;

use crate::data::Data;
use crate::execute::MAX_OUTPUT_BYTES;
use crate::number;

/// Greatest width and precision, as in Go.
const MAX_WIDTH: usize = 1_000_000;

/// A value as `%v` writes it.
pub(crate) fn display(value: &Data) -> String {
    value_text(&Directive::plain('v'), value)
}

/// All values, with a space between two that are not text.
pub(super) fn print(args: &[Data]) -> Result<String, String> {
    let mut out = String::new();
    for (index, value) in args.iter().enumerate() {
        let text = |at: usize| matches!(args[at], Data::String(_));
        if index > 0 && !text(index) && !text(index - 1) {
            out.push(' ');
        }
        out.push_str(&display(value));
        limit(&out)?;
    }
    Ok(out)
}

/// All values with a space between them and a line feed behind.
pub(super) fn println(args: &[Data]) -> Result<String, String> {
    let mut out = String::new();
    for (index, value) in args.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(&display(value));
        limit(&out)?;
    }
    out.push('\n');
    Ok(out)
}

fn limit(out: &str) -> Result<(), String> {
    if out.len() > MAX_OUTPUT_BYTES {
        return Err(format!(
            "the result is larger than {} MiB",
            MAX_OUTPUT_BYTES >> 20
        ));
    }
    Ok(())
}

/// Writes `args` as `format` says; what does not fit is named in the text, as Go does.
pub(super) fn sprintf(format: &str, args: &[Data]) -> Result<String, String> {
    let mut printer = Printer {
        args,
        next: 0,
        reordered: false,
        out: String::new(),
    };
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        printer.out.push_str(&rest[..at]);
        rest = printer.directive(&rest[at + 1..]);
        limit(&printer.out)?;
    }
    printer.out.push_str(rest);
    printer.extra();
    limit(&printer.out)?;
    Ok(printer.out)
}

struct Printer<'a> {
    args: &'a [Data],
    next: usize,
    /// Whether an explicit index was used: then unused arguments are no mistake.
    reordered: bool,
    out: String,
}

impl<'a> Printer<'a> {
    /// Writes one directive; the text after it.
    fn directive<'t>(&mut self, text: &'t str) -> &'t str {
        let mut directive = Directive::plain('v');
        let mut rest = directive.read_flags(text);
        rest = self.index(rest);
        rest = self.width(rest, &mut directive);
        if let Some(after) = rest.strip_prefix('.') {
            rest = self.index(after);
            rest = self.precision(rest, &mut directive);
        }
        rest = self.index(rest);
        let Some(verb) = rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return rest;
        };
        directive.verb = verb;
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            self.out.push('%');
        } else if let Some(value) = self.take() {
            self.out.push_str(&value_text(&directive, value));
        } else {
            let kind = if self.reordered {
                "BADINDEX"
            } else {
                "MISSING"
            };
            self.out.push_str(&format!("%!{verb}({kind})"));
        }
        rest
    }

    fn take(&mut self) -> Option<&'a Data> {
        let value = self.args.get(self.next);
        self.next += usize::from(value.is_some());
        value
    }

    /// Reads an explicit argument index such as `[2]`.
    fn index<'t>(&mut self, text: &'t str) -> &'t str {
        let Some((inner, after)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        else {
            return text;
        };
        self.reordered = true;
        self.next = inner
            .parse::<usize>()
            .ok()
            .and_then(|at| at.checked_sub(1))
            .unwrap_or(usize::MAX);
        after
    }

    fn width<'t>(&mut self, text: &'t str, directive: &mut Directive) -> &'t str {
        if let Some(after) = text.strip_prefix('*') {
            match self.take() {
                Some(Data::Int(width)) if width.unsigned_abs() <= MAX_WIDTH as u64 => {
                    directive.minus |= *width < 0;
                    directive.zero &= !directive.minus;
                    directive.width = usize::try_from(width.unsigned_abs()).ok();
                }
                _ => self.out.push_str("%!(BADWIDTH)"),
            }
            return after;
        }
        let (number, after) = read_digits(text);
        directive.width = number;
        after
    }

    fn precision<'t>(&mut self, text: &'t str, directive: &mut Directive) -> &'t str {
        if let Some(after) = text.strip_prefix('*') {
            match self.take() {
                Some(Data::Int(number)) if (0..=MAX_WIDTH as i64).contains(number) => {
                    directive.precision = usize::try_from(*number).ok();
                }
                _ => self.out.push_str("%!(BADPREC)"),
            }
            return after;
        }
        let (number, after) = read_digits(text);
        directive.precision = Some(number.unwrap_or(0));
        after
    }

    fn extra(&mut self) {
        if self.reordered || self.next >= self.args.len() {
            return;
        }
        let extra: Vec<String> = self.args[self.next..]
            .iter()
            .map(|value| match value {
                Data::Null => "<nil>".to_owned(),
                other => format!("{}={}", other.type_name(), display(other)),
            })
            .collect();
        self.out
            .push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
}

/// Reads digits; greater numbers than [`MAX_WIDTH`] count as none.
fn read_digits(text: &str) -> (Option<usize>, &str) {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..length]
        .parse()
        .ok()
        .filter(|number| *number <= MAX_WIDTH);
    (number, &text[length..])
}

/// What stands between the percent sign and its verb, and the verb.
#[derive(Clone)]
struct Directive {
    verb: char,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Directive {
    fn plain(verb: char) -> Self {
        Self {
            verb,
            minus: false,
            plus: false,
            sharp: false,
            space: false,
            zero: false,
            width: None,
            precision: None,
        }
    }

    fn read_flags<'t>(&mut self, text: &'t str) -> &'t str {
        let mut rest = text;
        loop {
            let Some(flag) = rest.chars().next() else {
                return rest;
            };
            match flag {
                '-' => {
                    self.minus = true;
                    self.zero = false;
                }
                '+' => self.plus = true,
                '#' => self.sharp = true,
                ' ' => self.space = true,
                '0' => self.zero = !self.minus,
                _ => return rest,
            }
            rest = &rest[1..];
        }
    }

    /// Fills up to the width.
    fn pad(&self, text: &str) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let fill = |letter: &str| letter.repeat(missing);
        if self.minus {
            format!("{text}{}", fill(" "))
        } else if self.zero {
            format!("{}{text}", fill("0"))
        } else {
            format!("{}{text}", fill(" "))
        }
    }

    /// Fills up to the width, with zeros between sign and digits.
    fn pad_number(&self, negative: bool, digits: &str, zero: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        };
        if zero && !self.minus {
            let missing = self
                .width
                .unwrap_or(0)
                .saturating_sub(sign.len() + digits.len());
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        Self {
            zero: false,
            ..self.clone()
        }
        .pad(&format!("{sign}{digits}"))
    }
}

fn value_text(directive: &Directive, value: &Data) -> String {
    if directive.verb == 'T' {
        let name = if *value == Data::Null {
            "<nil>"
        } else {
            value.type_name()
        };
        return directive.pad(name);
    }
    let text = match value {
        Data::Null if directive.verb == 'v' => Some(directive.pad("<nil>")),
        Data::Null => None,
        Data::Bool(flag) => {
            matches!(directive.verb, 'v' | 't').then(|| directive.pad(&flag.to_string()))
        }
        Data::Int(number) => int_text(directive, *number),
        Data::Float(number) => float_text(directive, *number),
        Data::String(text) => string_text(directive, text),
        Data::List(items) => Some(list_text(directive, items)),
        Data::Map(entries) => {
            let parts: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    let key = Data::from(key.as_str());
                    format!(
                        "{}:{}",
                        value_text(directive, &key),
                        value_text(directive, value)
                    )
                })
                .collect();
            Some(if is_go_syntax(directive) {
                format!("map[string]interface {{}}{{{}}}", parts.join(", "))
            } else {
                format!("map[{}]", parts.join(" "))
            })
        }
    };
    text.unwrap_or_else(|| wrong_verb(directive.verb, value))
}

fn is_go_syntax(directive: &Directive) -> bool {
    directive.verb == 'v' && directive.sharp
}

fn wrong_verb(verb: char, value: &Data) -> String {
    match value {
        Data::Null => format!("%!{verb}(<nil>)"),
        other => format!("%!{verb}({}={})", other.type_name(), display(other)),
    }
}

fn list_text(directive: &Directive, items: &[Data]) -> String {
    let parts: Vec<String> = items
        .iter()
        .map(|item| value_text(directive, item))
        .collect();
    if is_go_syntax(directive) {
        format!("[]interface {{}}{{{}}}", parts.join(", "))
    } else {
        format!("[{}]", parts.join(" "))
    }
}

fn int_text(directive: &Directive, number: i64) -> Option<String> {
    let magnitude = number.unsigned_abs();
    let (prefix, mut digits) = match directive.verb {
        'v' | 'd' => ("", magnitude.to_string()),
        'b' => (
            if directive.sharp { "0b" } else { "" },
            format!("{magnitude:b}"),
        ),
        'o' => (
            if directive.sharp { "0" } else { "" },
            format!("{magnitude:o}"),
        ),
        'O' => ("0o", format!("{magnitude:o}")),
        'x' => (
            if directive.sharp { "0x" } else { "" },
            format!("{magnitude:x}"),
        ),
        'X' => (
            if directive.sharp { "0X" } else { "" },
            format!("{magnitude:X}"),
        ),
        'c' => return Some(directive.pad(&letter_of(number).to_string())),
        'q' => return Some(directive.pad(&quote(&letter_of(number).to_string(), '\''))),
        'U' => return Some(directive.pad(&format!("U+{magnitude:04X}"))),
        _ => return None,
    };
    if let Some(precision) = directive.precision {
        let missing = precision.saturating_sub(digits.len());
        digits = format!("{}{digits}", "0".repeat(missing));
    }
    let zero = directive.zero && directive.precision.is_none();
    Some(directive.pad_number(number < 0, &format!("{prefix}{digits}"), zero))
}

fn letter_of(number: i64) -> char {
    u32::try_from(number)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn float_text(directive: &Directive, number: f64) -> Option<String> {
    let text = match directive.verb {
        'v' if directive.precision.is_none() => number::shortest(number),
        'v' | 'g' => number::general(number, directive.precision),
        'G' => number::general(number, directive.precision).to_uppercase(),
        'e' => number::scientific(number, directive.precision),
        'E' => number::scientific(number, directive.precision).to_uppercase(),
        'f' | 'F' => number::fixed(number, directive.precision),
        _ => return None,
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let infinite = number.is_infinite() && !negative && !directive.plus;
    let digits = if infinite {
        format!("+{digits}")
    } else {
        digits.to_owned()
    };
    Some(directive.pad_number(negative, &digits, directive.zero && number.is_finite()))
}

fn string_text(directive: &Directive, text: &str) -> Option<String> {
    let cut = match directive.precision {
        Some(precision) => match text.char_indices().nth(precision) {
            Some((at, _)) => &text[..at],
            None => text,
        },
        None => text,
    };
    match directive.verb {
        'v' if directive.sharp => Some(directive.pad(&quote(cut, '"'))),
        'v' | 's' => Some(directive.pad(cut)),
        'q' if directive.sharp && !text.contains('`') && !text.contains(char::is_control) => {
            Some(directive.pad(&format!("`{cut}`")))
        }
        'q' => Some(directive.pad(&quote(cut, '"'))),
        'x' | 'X' => Some(directive.pad(&hexadecimal(directive, text))),
        _ => None,
    }
}

fn hexadecimal(directive: &Directive, text: &str) -> String {
    let bytes = text.as_bytes();
    let bytes = &bytes[..directive.precision.unwrap_or(bytes.len()).min(bytes.len())];
    let upper = directive.verb == 'X';
    let prefix = match (directive.sharp, upper) {
        (false, _) => "",
        (true, true) => "0X",
        (true, false) => "0x",
    };
    let mut out = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if index == 0 || directive.space {
            out.push_str(if index > 0 { " " } else { "" });
            out.push_str(prefix);
        }
        let written = if upper {
            write!(out, "{byte:02X}")
        } else {
            write!(out, "{byte:02x}")
        };
        written.expect("writing to a string cannot fail");
    }
    out
}

/// Text as a Go literal in `mark`s.
fn quote(text: &str, mark: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for letter in text.chars() {
        match letter {
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            letter if letter == mark => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_ascii_control() => {
                out.push_str(&format!("\\x{:02x}", u32::from(letter)));
            }
            letter if letter.is_control() => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out.push(mark);
    out
}
