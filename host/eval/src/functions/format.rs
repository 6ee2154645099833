//! `format` and `formatlist`.

use crate::limits::BYTES_PER_UNIT;
use crate::types::Type;
use crate::value::Value;

use super::arguments::text;
use super::format_verbs::format_all;
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

const FORMAT: &[Parameter] = &[Parameter::new("format", Kind::String)];
const ARGS: Parameter = Parameter::new("args", Kind::Any).or_null();

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "format",
        FORMAT,
        ResultType::Is(Kind::String),
        |context, args| {
            let text = format_all(text(&args, 0), &args[1..])?;
            context.limits.allow_text(text.len())?;
            Ok(Value::string(text))
        },
    )
    .and_more(ARGS),
    Function::new(
        "formatlist",
        FORMAT,
        ResultType::Is(Kind::StringList),
        format_list,
    )
    .and_more(ARGS.or_unknown()),
];

/// Formats once for each element of the lists among the arguments; the others are the same each
/// time. A text that something unknown goes into is unknown, the others are not.
fn format_list(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let rounds = rounds(&args)?;
    let waits = |arg: &Value| arg.is_unknown() && (arg.ty == Type::Dynamic || arg.ty.is_sequence());
    if args[1..].iter().any(waits) {
        return Ok(Value::unknown(Type::list(Type::String)));
    }
    let mut texts = Vec::new();
    for round in 0..rounds {
        let pick = |arg: &Value| match arg.as_sequence() {
            Some(elements) => elements[round].clone(),
            None => arg.clone(),
        };
        let picked: Vec<Value> = args[1..].iter().map(pick).collect();
        context.limits.spend(1)?;
        if picked.iter().any(Value::contains_unknown) {
            texts.push(Value::unknown(Type::String));
            continue;
        }
        let formatted = format_all(text(&args, 0), &picked).map_err(|error| {
            FunctionError::new(format!("error on format iteration {round}: {error}"))
        })?;
        context.limits.allow_text(formatted.len())?;
        context.limits.spend(formatted.len() / BYTES_PER_UNIT)?;
        texts.push(Value::string(formatted));
    }
    Ok(Value::list(Type::String, texts))
}

/// How often is formatted: the length that all lists and tuples among the arguments have.
fn rounds(args: &[Value]) -> Result<usize, FunctionError> {
    let mut rounds: Option<(usize, usize)> = None;
    for (at, arg) in args.iter().enumerate().skip(1) {
        let length = match &arg.ty {
            Type::Tuple(elements) if arg.is_unknown() => Some(elements.len()),
            _ => arg.as_sequence().map(<[Value]>::len),
        };
        let Some(length) = length else {
            continue;
        };
        match rounds {
            Some((first, count)) if count != length => {
                let message = format!(
                    "argument {at} has length {length}, which is inconsistent with argument {first} of length {count}",
                );
                return Err(FunctionError::call_at(at, message));
            }
            Some(_) => {}
            None => rounds = Some((at, length)),
        }
    }
    Ok(rounds.map_or(1, |(_, count)| count))
}
