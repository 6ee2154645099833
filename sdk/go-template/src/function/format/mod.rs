//! `print`, `println`, `printf`: Go's `fmt` for the values templates have.
//!
//! [`directive`] holds what stands between a percent sign and its verb and does the padding,
//! [`value`] writes values, [`numbers`] numbers and [`quote`] quoted text.

mod directive;
mod numbers;
mod quote;
mod value;

use crate::data::Data;
use crate::execute::MAX_OUTPUT_BYTES;
use directive::{Directive, MAX_WIDTH};
use value::value_text;

pub(super) use quote::is_printable;

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
        sound: true,
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
    /// The argument that is next.
    next: usize,
    /// Whether an explicit index was used: then unused arguments are no mistake.
    reordered: bool,
    /// Whether the indexes of the current directive make sense.
    sound: bool,
    out: String,
}

impl<'a> Printer<'a> {
    /// Writes one directive; the text after it.
    fn directive<'t>(&mut self, text: &'t str) -> &'t str {
        self.sound = true;
        let mut directive = Directive::plain('v');
        let rest = directive.read_flags(text);
        let (indexed, rest) = self.index(rest);
        let (indexed, rest) = self.width(rest, indexed, &mut directive);
        let (indexed, rest) = self.precision(rest, indexed, &mut directive);
        let (_, rest) = if indexed {
            (true, rest)
        } else {
            self.index(rest)
        };
        let Some(verb) = rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return rest;
        };
        let rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            self.out.push('%');
        } else if !self.sound {
            self.out.push_str(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(value) = self.take() {
            self.out
                .push_str(&value_text(&directive.with_verb(verb), value));
        } else {
            self.out.push_str(&format!("%!{verb}(MISSING)"));
        }
        rest
    }

    fn take(&mut self) -> Option<&'a Data> {
        let value = self.args.get(self.next);
        self.next += usize::from(value.is_some());
        value
    }

    /// Reads an explicit argument index such as `[2]`; whether there was one, and the text after it.
    fn index<'t>(&mut self, text: &'t str) -> (bool, &'t str) {
        if !text.starts_with('[') {
            return (false, text);
        }
        self.reordered = true;
        let Some((inner, after)) = text[1..].split_once(']').filter(|_| text.len() >= 3) else {
            self.sound = false;
            return (false, &text[1..]);
        };
        let all_digits = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<usize> = inner.parse().ok().filter(|_| all_digits);
        match number.filter(|at| (1..=self.args.len()).contains(at)) {
            Some(at) => {
                self.next = at - 1;
                (true, after)
            }
            None => {
                self.sound = false;
                (number.is_some(), after)
            }
        }
    }

    fn width<'t>(
        &mut self,
        text: &'t str,
        indexed: bool,
        directive: &mut Directive,
    ) -> (bool, &'t str) {
        if let Some(after) = text.strip_prefix('*') {
            match self.take() {
                Some(Data::Int(width)) if width.unsigned_abs() <= MAX_WIDTH as u64 => {
                    if *width < 0 {
                        directive.minus = true;
                        directive.zero = false;
                    }
                    directive.width = usize::try_from(width.unsigned_abs()).ok();
                }
                _ => self.out.push_str("%!(BADWIDTH)"),
            }
            return (false, after);
        }
        let (number, after) = read_digits(text);
        directive.width = number;
        self.sound &= !(indexed && number.is_some());
        (indexed, after)
    }

    fn precision<'t>(
        &mut self,
        text: &'t str,
        indexed: bool,
        directive: &mut Directive,
    ) -> (bool, &'t str) {
        let Some(after) = text.strip_prefix('.') else {
            return (indexed, text);
        };
        self.sound &= !indexed;
        let (indexed, after) = self.index(after);
        if let Some(after) = after.strip_prefix('*') {
            match self.take() {
                Some(Data::Int(number)) if *number < 0 => self.out.push_str("%!(BADPREC)"),
                Some(Data::Int(number)) if *number <= MAX_WIDTH as i64 => {
                    directive.precision = usize::try_from(*number).ok();
                }
                _ => self.out.push_str("%!(BADPREC)"),
            }
            return (false, after);
        }
        let (number, after) = read_digits(after);
        directive.precision = Some(number.unwrap_or(0));
        (indexed, after)
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

/// Reads digits. A number greater than [`MAX_WIDTH`] swallows the rest of the text, as in Go.
fn read_digits(text: &str) -> (Option<usize>, &str) {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return (None, text);
    }
    match text[..length].parse() {
        Ok(number) if number <= MAX_WIDTH => (Some(number), &text[length..]),
        _ => (None, ""),
    }
}
