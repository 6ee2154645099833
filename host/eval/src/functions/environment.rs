//! `env`, and the one place where the environment is read.

use crate::value::Value;

use super::arguments::text;
use super::{Context, Function, Kind, Outcome, Parameter, ResultType};

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "env",
    &[Parameter::new("key", Kind::String)],
    ResultType::Is(Kind::String),
    env,
)];

fn env(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    Ok(Value::string(variable(text(&args, 0)).unwrap_or_default()))
}

/// A variable of the environment; `None` when it is unset or not Unicode.
pub(super) fn variable(name: &str) -> Option<String> {
    // Asking for such names panics.
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    std::env::var(name).ok()
}
