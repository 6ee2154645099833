//! Text as a whole: case, blanks, joining.

use crate::value::Value;

use super::arguments::{text, texts, whole};
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

const STRING: ResultType = ResultType::Is(Kind::String);
const BOOL: ResultType = ResultType::Is(Kind::Bool);
const ONE: &[Parameter] = &[Parameter::new("str", Kind::String)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("chomp", ONE, STRING, |_, args| {
        Ok(Value::string(text(&args, 0).trim_end_matches(['\r', '\n'])))
    }),
    Function::new("lower", ONE, STRING, |_, args| {
        Ok(Value::string(simple_case(
            text(&args, 0),
            char::to_lowercase,
        )))
    }),
    Function::new("upper", ONE, STRING, |_, args| {
        Ok(Value::string(simple_case(
            text(&args, 0),
            char::to_uppercase,
        )))
    }),
    Function::new("title", ONE, STRING, |_, args| {
        Ok(Value::string(title(text(&args, 0))))
    }),
    Function::new("trimspace", ONE, STRING, |_, args| {
        Ok(Value::string(text(&args, 0).trim()))
    }),
    Function::new(
        "trim",
        &[
            Parameter::new("str", Kind::String),
            Parameter::new("cutset", Kind::String),
        ],
        STRING,
        |_, args| {
            let cutset: Vec<char> = text(&args, 1).chars().collect();
            Ok(Value::string(
                text(&args, 0).trim_matches(cutset.as_slice()),
            ))
        },
    ),
    Function::new(
        "trimprefix",
        &[
            Parameter::new("str", Kind::String),
            Parameter::new("prefix", Kind::String),
        ],
        STRING,
        |_, args| {
            let whole = text(&args, 0);
            Ok(Value::string(
                whole.strip_prefix(text(&args, 1)).unwrap_or(whole),
            ))
        },
    ),
    Function::new(
        "trimsuffix",
        &[
            Parameter::new("str", Kind::String),
            Parameter::new("suffix", Kind::String),
        ],
        STRING,
        |_, args| {
            let whole = text(&args, 0);
            Ok(Value::string(
                whole.strip_suffix(text(&args, 1)).unwrap_or(whole),
            ))
        },
    ),
    Function::new(
        "startswith",
        &[
            Parameter::new("str", Kind::String),
            Parameter::new("prefix", Kind::String),
        ],
        BOOL,
        |_, args| Ok(Value::bool(text(&args, 0).starts_with(text(&args, 1)))),
    ),
    Function::new(
        "endswith",
        &[
            Parameter::new("str", Kind::String),
            Parameter::new("suffix", Kind::String),
        ],
        BOOL,
        |_, args| Ok(Value::bool(text(&args, 0).ends_with(text(&args, 1)))),
    ),
    Function::new(
        "strcontains",
        &[
            Parameter::new("str", Kind::String),
            Parameter::new("substr", Kind::String),
        ],
        BOOL,
        |_, args| Ok(Value::bool(text(&args, 0).contains(text(&args, 1)))),
    ),
    Function::new(
        "indent",
        &[
            Parameter::new("spaces", Kind::Number),
            Parameter::new("str", Kind::String),
        ],
        STRING,
        indent,
    ),
    Function::new(
        "join",
        &[Parameter::new("separator", Kind::String)],
        STRING,
        join,
    )
    .and_more(Parameter::new("lists", Kind::StringList)),
    Function::new(
        "replace",
        &[
            Parameter::new("str", Kind::String),
            Parameter::new("substr", Kind::String),
            Parameter::new("replace", Kind::String),
        ],
        STRING,
        replace,
    ),
    Function::new(
        "split",
        &[
            Parameter::new("separator", Kind::String),
            Parameter::new("str", Kind::String),
        ],
        ResultType::Is(Kind::StringList),
        split,
    ),
];

/// Go maps one character to one character; a mapping to several (`ß` to `SS`) is not used there.
fn simple_case<I: Iterator<Item = char>>(text: &str, map: fn(char) -> I) -> String {
    text.chars()
        .map(|character| {
            // The one letter that is two in the other case, and one to Go.
            if character == 'İ' && map('A').next() == Some('a') {
                return 'i';
            }
            let mut mapped = map(character);
            match (mapped.next(), mapped.next()) {
                (Some(only), None) => only,
                _ => character,
            }
        })
        .collect()
}

/// The title case of a letter that has one of its own: of two in one, only the first is large. The
/// Georgian alphabet has none.
fn title_case(letter: char) -> Option<char> {
    match letter {
        'Ǆ'..='ǆ' => Some('ǅ'),
        'Ǉ'..='ǉ' => Some('ǈ'),
        'Ǌ'..='ǌ' => Some('ǋ'),
        'Ǳ'..='ǳ' => Some('ǲ'),
        'ა'..='ჺ' | 'ჽ'..='ჿ' => Some(letter),
        _ => None,
    }
}

/// Each word's first letter in upper case. A word starts behind anything but letters, digits,
/// underscores and apostrophes, as in Go.
fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|character| {
            let starts = is_separator(previous);
            previous = character;
            if !starts {
                return character;
            }
            if let Some(title) = title_case(character) {
                return title;
            }
            let mut upper = character.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(only), None) => only,
                _ => character,
            }
        })
        .collect()
}

fn is_separator(character: char) -> bool {
    if character.is_ascii() {
        return !(character.is_ascii_alphanumeric() || character == '_');
    }
    if character.is_alphanumeric() {
        return false;
    }
    character.is_whitespace()
}

fn indent(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let spaces = whole(&args, 0)?;
    let spaces = usize::try_from(spaces)
        .map_err(|_| FunctionError::argument(0, "the number of spaces must not be negative"))?;
    let text = text(&args, 1);
    let breaks = text.matches('\n').count();
    context
        .limits
        .allow_text(text.len().saturating_add(breaks.saturating_mul(spaces)))?;
    if breaks == 0 {
        return Ok(Value::string(text));
    }
    Ok(Value::string(
        text.replace('\n', &format!("\n{}", " ".repeat(spaces))),
    ))
}

fn join(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let separator = text(&args, 0);
    if args.len() < 2 {
        return Err(FunctionError::new("at least one list is required"));
    }
    let mut pieces: Vec<&str> = Vec::new();
    for at in 1..args.len() {
        let list = args[at].as_sequence().unwrap_or_default();
        if let Some(missing) = list.iter().position(Value::is_null) {
            let message = format!("element {missing} is null; cannot concatenate null values");
            return Err(FunctionError::argument(at, message));
        }
        pieces.extend(texts(&args, at));
    }
    let length: usize = pieces
        .iter()
        .map(|piece| piece.len() + separator.len())
        .sum();
    context.limits.allow_text(length)?;
    Ok(Value::string(pieces.join(separator)))
}

fn replace(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let (whole, part, new) = (text(&args, 0), text(&args, 1), text(&args, 2));
    let count = whole.matches(part).count();
    context
        .limits
        .allow_text(whole.len().saturating_add(count.saturating_mul(new.len())))?;
    Ok(Value::string(whole.replace(part, new)))
}

fn split(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let (separator, whole) = (text(&args, 0), text(&args, 1));
    let pieces: Vec<&str> = if separator.is_empty() {
        context.limits.spend(whole.len())?;
        whole
            .char_indices()
            .map(|(at, character)| &whole[at..at + character.len_utf8()])
            .collect()
    } else {
        context.limits.spend(whole.matches(separator).count())?;
        whole.split(separator).collect()
    };
    Ok(Value::string_list(pieces))
}
