//! Truth of lists, and the first value there is.

use crate::convert::{convert, unify};
use crate::types::Type;
use crate::value::Value;

use super::arguments::sequence;
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

const BOOL: ResultType = ResultType::Is(Kind::Bool);
const BOOLS: &[Parameter] = &[Parameter::new("list", Kind::BoolList).partly_known()];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("alltrue", BOOLS, BOOL, |_, args| Ok(all_are(&args, true))),
    Function::new("anytrue", BOOLS, BOOL, |_, args| {
        let none = all_are(&args, false);
        Ok(none
            .as_bool()
            .map_or(Value::unknown(Type::Bool), |none| Value::bool(!none)))
    }),
    Function::new(
        "coalesce",
        &[],
        ResultType::From(|args| common_type(args).unwrap_or(Type::Dynamic)),
        coalesce,
    )
    .and_more(
        Parameter::new("vals", Kind::Any)
            .or_null()
            .or_unknown()
            .with_marks(),
    ),
];

/// Whether all elements are `wanted`, null counting as false; unknown when an unknown element
/// decides.
fn all_are(args: &[Value], wanted: bool) -> Value {
    let mut undecided = false;
    for element in sequence(args, 0) {
        if element.is_unknown() {
            undecided = true;
        } else if element.as_bool().unwrap_or(false) != wanted {
            return Value::bool(false);
        }
    }
    if undecided {
        Value::unknown(Type::Bool)
    } else {
        Value::bool(true)
    }
}

fn common_type(args: &[Value]) -> Option<Type> {
    let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
    unify(&types)
}

fn coalesce(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    if args.is_empty() {
        return Err(FunctionError::new("at least one argument is required"));
    }
    let ty = common_type(&args)
        .ok_or_else(|| FunctionError::new("all arguments must have the same type"))?;
    let mut sensitive = false;
    for at in 0..args.len() {
        let arg = args[at].clone();
        sensitive |= arg.sensitive;
        if arg.is_unknown() {
            // It may become any of those that follow.
            let sensitive = sensitive || args[at..].iter().any(Value::contains_sensitive);
            return Ok(Value::unknown(ty).marked_like(sensitive));
        }
        let arg = convert(arg, &ty)?;
        if arg.is_null() || arg.as_str() == Some("") {
            continue;
        }
        return Ok(arg.marked_like(sensitive));
    }
    Err(FunctionError::new(
        "no non-null, non-empty-string arguments",
    ))
}
