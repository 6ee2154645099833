//! Regular expressions, in RE2's syntax.

use regex::{Captures, Regex, RegexBuilder};

use crate::types::Type;
use crate::value::Value;

use super::arguments::text;
use super::{Blame, Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType, re2};

/// The most memory a compiled pattern may take, in bytes. Compiling takes time in proportion.
const LARGEST_PATTERN: usize = 2 << 20;

/// What finding a match costs an evaluation.
const MATCH_UNITS: usize = 4;

const PATTERN: Parameter = Parameter::new("pattern", Kind::String);
const STRING: Parameter = Parameter::new("string", Kind::String);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "regex",
        &[PATTERN, STRING],
        ResultType::From(|args| {
            let pattern = args
                .first()
                .and_then(Value::as_str)
                .and_then(|text| compile(text).ok());
            pattern.map_or(Type::Dynamic, |pattern| result_type(&pattern))
        }),
        |_, args| {
            let pattern = capturing_pattern(&args)?;
            match pattern.captures(text(&args, 1)) {
                Some(found) => Ok(match_value(&pattern, &found)),
                None => Err(FunctionError::new(
                    "pattern did not match any part of the given string",
                )),
            }
        },
    ),
    Function::new(
        "regexall",
        &[PATTERN, STRING],
        ResultType::From(|args| {
            let pattern = args
                .first()
                .and_then(Value::as_str)
                .and_then(|text| compile(text).ok());
            Type::list(pattern.map_or(Type::Dynamic, |pattern| result_type(&pattern)))
        }),
        |context, args| {
            let pattern = capturing_pattern(&args)?;
            let mut found = Vec::new();
            for captures in pattern.captures_iter(text(&args, 1)) {
                context.limits.spend(MATCH_UNITS)?;
                found.push(match_value(&pattern, &captures));
            }
            Ok(Value::list(result_type(&pattern), found))
        },
    ),
    Function::new(
        "regex_replace",
        &[
            STRING,
            Parameter::new("substr", Kind::String),
            Parameter::new("replace", Kind::String),
        ],
        ResultType::Is(Kind::String),
        regex_replace,
    ),
];

fn compile(pattern: &str) -> Result<Regex, FunctionError> {
    let problem =
        |reason: String| FunctionError::argument(0, format!("invalid regexp pattern: {reason}"));
    let translated = re2::translate(pattern).map_err(problem)?;
    let mut builder = RegexBuilder::new(&translated);
    builder
        .size_limit(LARGEST_PATTERN)
        .build()
        .map_err(|error| {
            let reason = match error {
                regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                error => {
                    let text = error.to_string();
                    text.lines()
                        .last()
                        .unwrap_or(&text)
                        .trim_start_matches("error: ")
                        .to_owned()
                }
            };
            problem(reason)
        })
}

fn pattern(args: &[Value], at: usize) -> Result<Regex, FunctionError> {
    compile(text(args, at)).map_err(|error| FunctionError {
        blame: Blame::Argument(at),
        ..error
    })
}

/// The pattern of a function that returns groups: all of them have names, or none.
fn capturing_pattern(args: &[Value]) -> Result<Regex, FunctionError> {
    let pattern = pattern(args, 0)?;
    let named = pattern.capture_names().flatten().count();
    if named != 0 && named + 1 != pattern.captures_len() {
        let reason = "invalid regexp pattern: cannot mix both named and unnamed capture groups";
        return Err(FunctionError::argument(0, reason));
    }
    Ok(pattern)
}

/// A string without groups, an object with named ones, else a tuple.
fn result_type(pattern: &Regex) -> Type {
    let names: Vec<Option<&str>> = pattern.capture_names().skip(1).collect();
    if names.is_empty() {
        return Type::String;
    }
    let named: Vec<&str> = names.iter().copied().flatten().collect();
    if named.is_empty() {
        return Type::Tuple(vec![Type::String; names.len()]);
    }
    Type::object(
        named
            .into_iter()
            .map(|name| (name.to_owned(), Type::String))
            .collect(),
    )
}

fn match_value(pattern: &Regex, found: &Captures<'_>) -> Value {
    let group = |text: Option<regex::Match<'_>>| match text {
        Some(text) => Value::string(text.as_str()),
        None => Value::null(Type::String),
    };
    match result_type(pattern) {
        Type::String => group(found.get(0)),
        Type::Tuple(_) => Value::tuple(found.iter().skip(1).map(group).collect()),
        _ => {
            let named = pattern.capture_names().flatten();
            Value::object_of(named.map(|name| (name, group(found.name(name)))))
        }
    }
}

fn regex_replace(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let pattern = pattern(&args, 1)?;
    let (whole, template) = (text(&args, 0), text(&args, 2));
    let mut result = String::new();
    let mut end = 0;
    for found in pattern.captures_iter(whole) {
        let matched = found.get(0).expect("group 0 is the whole match");
        result.push_str(&whole[end..matched.start()]);
        context.limits.spend(MATCH_UNITS + template.len() / 8)?;
        expand(template, &found, &mut result);
        end = matched.end();
        context.limits.allow_text(result.len())?;
    }
    result.push_str(&whole[end..]);
    Ok(Value::string(result))
}

/// Puts groups for `$1`, `$name` and `${name}`, and a dollar sign for `$$`. A name is as long as
/// possible; an unknown one stands for nothing.
fn expand(template: &str, found: &Captures<'_>, result: &mut String) {
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            result.push('$');
            rest = after;
            continue;
        }
        let (name, after) = group_name(rest);
        match name {
            None => result.push('$'),
            Some(name) => {
                let group = match name.parse::<usize>() {
                    Ok(number) => found.get(number),
                    Err(_) => found.name(name),
                };
                result.push_str(group.map_or("", |group| group.as_str()));
                rest = after;
            }
        }
    }
    result.push_str(rest);
}

/// The name at the start of `text`, in braces or bare, and what is behind it.
fn group_name(text: &str) -> (Option<&str>, &str) {
    let (braced, inner) = match text.strip_prefix('{') {
        Some(inner) => (true, inner),
        None => (false, text),
    };
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let end = inner
        .find(|character| !is_word(character))
        .unwrap_or(inner.len());
    let (name, after) = inner.split_at(end);
    match (name.is_empty(), braced, after.strip_prefix('}')) {
        (false, true, Some(after)) => (Some(name), after),
        (false, false, _) => (Some(name), after),
        _ => (None, text),
    }
}
