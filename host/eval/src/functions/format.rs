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
    .and_more(ARGS),
];

/// Formats once for each element of the lists among the arguments; the others are the same each
/// time.
fn format_list(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let mut rounds: Option<(usize, usize)> = None;
    for (at, arg) in args.iter().enumerate().skip(1) {
        let Some(elements) = arg.as_sequence() else {
            continue;
        };
        match rounds {
            Some((first, count)) if count != elements.len() => {
                let message = format!(
                    "argument {at} has length {}, which is inconsistent with argument {first} of length {count}",
                    elements.len()
                );
                return Err(FunctionError::call_at(at, message));
            }
            Some(_) => {}
            None => rounds = Some((at, elements.len())),
        }
    }
    let count = rounds.map_or(1, |(_, count)| count);
    let mut texts = Vec::new();
    for round in 0..count {
        let pick = |arg: &Value| match arg.as_sequence() {
            Some(elements) => elements[round].clone(),
            None => arg.clone(),
        };
        let picked: Vec<Value> = args[1..].iter().map(pick).collect();
        let formatted = format_all(text(&args, 0), &picked).map_err(|error| {
            FunctionError::new(format!("error on format iteration {round}: {error}"))
        })?;
        context.limits.allow_text(formatted.len())?;
        context.limits.spend(1 + formatted.len() / BYTES_PER_UNIT)?;
        texts.push(Value::string(formatted));
    }
    Ok(Value::list(Type::String, texts))
}
