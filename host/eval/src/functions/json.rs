//! JSON.

use std::collections::BTreeMap;

use host_diag::{Diagnostic, FileId, SourceMap};
use host_syntax::json::{self, Kind as Json};

use crate::number;
use crate::types::Type;
use crate::value::{Value, ValueKind};

use super::arguments::text;
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "jsondecode",
        &[Parameter::new("str", Kind::String)],
        ResultType::Is(Kind::Any),
        decode,
    ),
    Function::new(
        "jsonencode",
        &[Parameter::new("val", Kind::Any).or_null()],
        ResultType::Is(Kind::String),
        |_, args| Ok(Value::string(encode(&args[0]))),
    ),
];

fn decode(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let text = text(&args, 0);
    let (value, problems) = json::parse(FileId(0), text);
    if let Some(problem) = problems.iter().find(|problem| problem.is_error()) {
        return Err(FunctionError::call_at(0, located(problem, text)));
    }
    match value {
        Some(value) => plain(value),
        None => Err(FunctionError::call_at(0, "invalid JSON")),
    }
}

fn located(problem: &Diagnostic, text: &str) -> String {
    let mut sources = SourceMap::default();
    let file = sources.add("json", text);
    let what = if problem.detail.is_empty() {
        &problem.summary
    } else {
        &problem.detail
    };
    match problem.subject {
        Some(span) => {
            let (line, column) = sources.position(file, span.start);
            format!("invalid JSON at line {line}, column {column}: {what}")
        }
        None => format!("invalid JSON: {what}"),
    }
}

fn plain(value: json::Value) -> Outcome {
    Ok(match value.kind {
        Json::Null => Value::null(Type::Dynamic),
        Json::Bool(value) => Value::bool(value),
        Json::Number(text) => match number::parse(&text) {
            Some(value) => Value::number(value),
            None => {
                return Err(FunctionError::call_at(
                    0,
                    format!("the number {text} is too large"),
                ));
            }
        },
        Json::String(text) => Value::string(text),
        Json::Array(elements) => {
            let elements: Result<Vec<Value>, _> = elements.into_iter().map(plain).collect();
            Value::tuple(elements?)
        }
        Json::Object(members) => {
            let mut attributes = BTreeMap::new();
            for member in members {
                attributes.insert(member.key, plain(member.value)?);
            }
            Value::object(attributes)
        }
    })
}

/// Compact JSON of a wholly known value, keys sorted, with Go's escapes.
pub(super) fn encode(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

fn write_value(value: &Value, text: &mut String) {
    match &value.kind {
        ValueKind::Null | ValueKind::Unknown => text.push_str("null"),
        ValueKind::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        ValueKind::Number(value) => text.push_str(&number::text(value)),
        ValueKind::String(value) => write_string(value, text),
        ValueKind::Sequence(elements) => {
            text.push('[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_value(element, text);
            }
            text.push(']');
        }
        ValueKind::Mapping(elements) => {
            text.push('{');
            for (at, (key, element)) in elements.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_string(key, text);
                text.push(':');
                write_value(element, text);
            }
            text.push('}');
        }
    }
}

/// Quotes as Go does, which also escapes what HTML would misread.
pub(super) fn write_string(value: &str, text: &mut String) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}
