//! YAML: writing. Strings are always quoted, or literal blocks when they have several lines, so
//! that no reader takes them for something else.

use crate::number;
use crate::value::{Value, ValueKind};

use super::arguments::text;
use super::{Context, Function, Kind, Outcome, Parameter, ResultType, yaml_decode};

/// Longer keys cannot be written in front of a colon.
const LONGEST_SIMPLE_KEY: usize = 128;
/// Quoted text is broken at the first space behind this column.
const LAST_COLUMN: usize = 80;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "yamldecode",
        &[Parameter::new("src", Kind::String)],
        ResultType::Is(Kind::Any),
        |context: &Context<'_>, args| yaml_decode::decode(text(&args, 0), context),
    ),
    Function::new(
        "yamlencode",
        &[Parameter::new("value", Kind::Any).or_null()],
        ResultType::Is(Kind::String),
        encode,
    ),
];

fn encode(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let mut text = String::new();
    write_value(&args[0], 0, Place::Root, &mut text);
    text.push('\n');
    let bare = matches!(
        args[0].kind,
        ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_)
    );
    if bare {
        // A bare word could go on in the next line, so the document's end is marked.
        text.push_str("...\n");
    }
    Ok(Value::string(text))
}

/// What stands in front of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// `key:`
    Key,
    /// `-`
    Dash,
}

fn write_value(value: &Value, indent: usize, place: Place, text: &mut String) {
    match &value.kind {
        ValueKind::Sequence(elements) if !elements.is_empty() => {
            // A list behind a key is not indented any further.
            let indent = if place == Place::Key {
                indent.saturating_sub(2)
            } else {
                indent
            };
            write_items(
                elements.iter().map(|element| ("-".to_owned(), element)),
                Place::Dash,
                indent,
                place,
                text,
            );
        }
        ValueKind::Mapping(elements) if !elements.is_empty() => {
            let keyed = elements
                .iter()
                .map(|(key, element)| (key_text(key, indent), element));
            write_items(keyed, Place::Key, indent, place, text);
        }
        other => {
            if place != Place::Root {
                text.push(' ');
            }
            write_scalar(other, indent, text);
        }
    }
}

fn write_items<'a>(
    items: impl Iterator<Item = (String, &'a Value)>,
    kind: Place,
    indent: usize,
    place: Place,
    text: &mut String,
) {
    for (at, (lead, element)) in items.enumerate() {
        match (at, place) {
            (0, Place::Root) => {}
            (0, Place::Dash) => text.push(' '),
            _ => {
                text.push('\n');
                text.push_str(&" ".repeat(indent));
            }
        }
        text.push_str(&lead);
        write_value(element, indent + 2, kind, text);
    }
}

fn key_text(key: &str, indent: usize) -> String {
    let quoted = double_quoted(key, None);
    match quoted.len() > LONGEST_SIMPLE_KEY || key.contains('\n') {
        true => format!("? {quoted}\n{}:", " ".repeat(indent)),
        false => format!("{quoted}:"),
    }
}

fn write_scalar(kind: &ValueKind, indent: usize, text: &mut String) {
    match kind {
        ValueKind::Null | ValueKind::Unknown => text.push_str("null"),
        ValueKind::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        ValueKind::Number(value) => text.push_str(&number::text(value)),
        ValueKind::String(value) if fits_literal(value) => write_literal(value, indent, text),
        ValueKind::String(value) => {
            let line_start = text.rfind('\n').map_or(0, |at| at + 1);
            let column = text[line_start..].chars().count();
            text.push_str(&double_quoted(
                value,
                Some(Fold {
                    column,
                    indent: indent.max(2),
                }),
            ));
        }
        ValueKind::Sequence(_) => text.push_str("[]"),
        ValueKind::Mapping(_) => text.push_str("{}"),
    }
}

/// Whether a literal block keeps the text as it is.
fn fits_literal(value: &str) -> bool {
    let trailing_blank = value.ends_with(' ') || value.contains(" \n");
    value.contains('\n') && !trailing_blank && value.chars().all(|c| c == '\n' || is_printable(c))
}

fn write_literal(value: &str, indent: usize, text: &mut String) {
    text.push('|');
    let indent = indent.max(2);
    if value.starts_with([' ', '\n']) {
        text.push('2');
    }
    if !value.ends_with('\n') {
        text.push('-');
    } else if value.ends_with("\n\n") || value == "\n" {
        text.push('+');
    }
    for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
        text.push('\n');
        if !line.is_empty() {
            text.push_str(&" ".repeat(indent));
            text.push_str(line);
        }
    }
}

/// As the library that Packer has it: nothing beyond the first 65,536 characters.
fn is_printable(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
        && !matches!(character, '\u{2028}' | '\u{2029}')
}

/// Where quoted text starts, and how far its further lines are indented.
#[derive(Clone, Copy)]
struct Fold {
    column: usize,
    indent: usize,
}

/// With `fold`, a space behind the last column becomes a line break, which reads as a space again.
fn double_quoted(value: &str, fold: Option<Fold>) -> String {
    let mut text = String::from("\"");
    let mut column = fold.map_or(0, |fold| fold.column + 1);
    let mut after_space = false;
    let length = value.chars().count();
    let mut characters = value.chars().enumerate().peekable();
    while let Some((at, character)) = characters.next() {
        let inside = at > 0 && at + 1 < length;
        if let Some(fold) = fold
            && character == ' '
            && !after_space
            && inside
            && column > LAST_COLUMN
        {
            text.push('\n');
            text.push_str(&" ".repeat(fold.indent));
            column = fold.indent;
            if characters.peek().is_some_and(|(_, next)| *next == ' ') {
                text.push('\\');
                column += 1;
            }
        } else {
            let before = text.len();
            push_escaped(character, &mut text);
            column += text[before..].chars().count();
        }
        after_space = character == ' ';
    }
    text.push('"');
    text
}

fn push_escaped(character: char, text: &mut String) {
    let escape = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\u{1b}' => "\\e",
        '\u{85}' => "\\N",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        printable if is_printable(printable) => {
            text.push(printable);
            return;
        }
        other if u32::from(other) <= 0xff => {
            text.push_str(&format!("\\x{:02X}", u32::from(other)));
            return;
        }
        other if u32::from(other) <= 0xffff => {
            text.push_str(&format!("\\u{:04X}", u32::from(other)));
            return;
        }
        other => {
            text.push_str(&format!("\\U{:08X}", u32::from(other)));
            return;
        }
    };
    text.push_str(escape);
}
