//! Values as text.

use std::fmt::Write;

use crate::data::Data;
use crate::function::format::directive::Directive;
use crate::function::format::numbers::{float_text, int_text};
use crate::function::format::quote::{backquoted, quote};

/// An argument as `directive` asks for.
pub(super) fn value_text(directive: &Directive, value: &Data) -> String {
    match (value, directive.verb) {
        (Data::Null, 'v' | 'T') => directive.pad("<nil>"),
        (Data::Null, verb) => format!("%!{verb}(<nil>)"),
        (value, 'T') => directive.pad_cut(value.type_name()),
        // Addresses and wrapped errors, which no value here has.
        (value, 'p' | 'w') => wrong_verb(directive, value),
        (value, _) => part(directive, value),
    }
}

/// An argument or a part of one.
fn part(directive: &Directive, value: &Data) -> String {
    let text = match value {
        Data::Null if directive.source => Some("interface {}(nil)".to_owned()),
        Data::Null => Some("<nil>".to_owned()),
        Data::Bool(flag) => {
            matches!(directive.verb, 'v' | 't').then(|| directive.pad(&flag.to_string()))
        }
        Data::Int(number) => int_text(directive, *number),
        Data::Float(number) => float_text(directive, *number),
        Data::String(text) => string_text(directive, text),
        Data::List(items) => {
            let parts: Vec<String> = items.iter().map(|item| part(directive, item)).collect();
            Some(match directive.source {
                true => format!("{}{{{}}}", value.type_name(), parts.join(", ")),
                false => format!("[{}]", parts.join(" ")),
            })
        }
        Data::Map(entries) => {
            let parts: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    let key = Data::from(key.as_str());
                    format!("{}:{}", part(directive, &key), part(directive, value))
                })
                .collect();
            Some(match directive.source {
                true => format!("{}{{{}}}", value.type_name(), parts.join(", ")),
                false => format!("map[{}]", parts.join(" ")),
            })
        }
    };
    text.unwrap_or_else(|| wrong_verb(directive, value))
}

/// What Go writes for a verb that does not fit; flags and width still count.
fn wrong_verb(directive: &Directive, value: &Data) -> String {
    let plain = Directive {
        verb: 'v',
        ..directive.clone()
    };
    let (verb, name) = (directive.verb, value.type_name());
    format!("%!{verb}({name}={})", part(&plain, value))
}

fn string_text(directive: &Directive, text: &str) -> Option<String> {
    match directive.verb {
        'v' if !directive.source => Some(directive.pad_cut(text)),
        's' => Some(directive.pad_cut(text)),
        'v' | 'q' => {
            let cut = directive.cut(text);
            let backquoted = backquoted(cut).filter(|_| directive.sharp);
            Some(directive.pad(&backquoted.unwrap_or_else(|| quote(cut, '"', directive.plus))))
        }
        'x' | 'X' => Some(hexadecimal(directive, text)),
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
    directive.pad(&out)
}
