//! The functions a template can call.

mod compare;
mod engine;
mod escape;
mod format;
mod sequence;

pub(crate) use format::display;

use crate::context::Context;
use crate::data::Data;

/// Every function a template can call.
pub(crate) const NAMES: [&str; 42] = [
    "and",
    "aws_secretsmanager",
    "aws_secretsmanager_raw",
    "build",
    "build_name",
    "build_type",
    "call",
    "clean_resource_name",
    "consul_key",
    "env",
    "eq",
    "ge",
    "gt",
    "html",
    "index",
    "isotime",
    "js",
    "le",
    "len",
    "lower",
    "lt",
    "ne",
    "not",
    "or",
    "packer_version",
    "print",
    "printf",
    "println",
    "pwd",
    "replace",
    "replace_all",
    "sed",
    "slice",
    "split",
    "strftime",
    "template_dir",
    "timestamp",
    "upper",
    "urlquery",
    "user",
    "uuid",
    "vault",
];

/// What to say about a function that is not there, with the name that was probably meant.
pub(crate) fn unknown(name: &str) -> String {
    let limit = if name.chars().count() <= 4 { 1 } else { 2 };
    let near = NAMES
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, _)| *distance <= limit)
        .min();
    match near {
        Some((_, near)) => format!("function {name:?} not defined; did you mean {near:?}?"),
        None => format!("function {name:?} not defined"),
    }
}

/// Why a call gave no value.
pub(crate) enum CallError {
    /// There is no function of that name.
    Unknown,
    /// What went wrong.
    Failed(String),
}

impl From<String> for CallError {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// Calls `name`; the caller's own functions come first.
pub(crate) fn call(name: &str, args: &[Data], context: &Context) -> Result<Data, CallError> {
    if let Some(custom) = &context.custom
        && let Some(result) = custom.call(name, args)
    {
        return result.map_err(CallError::Failed);
    }
    if let Some(result) = standard(name, args) {
        return result.map_err(CallError::Failed);
    }
    match engine::call(name, args, context) {
        Some(result) => result.map_err(CallError::Failed),
        None => Err(CallError::Unknown),
    }
}

/// Go's predefined functions.
fn standard(name: &str, args: &[Data]) -> Option<Result<Data, String>> {
    Some(match name {
        "print" => format::print(args).map(Data::String),
        "println" => format::println(args).map(Data::String),
        "printf" => printf(args),
        "len" => sequence::len(args),
        "index" => sequence::index(args),
        "slice" => sequence::slice(args),
        "eq" => compare::equal_any(args),
        "ne" => two(name, args).and_then(|(a, b)| Ok(Data::Bool(!compare::equal(a, b)?))),
        "lt" => two(name, args).and_then(|(a, b)| Ok(Data::Bool(compare::less(a, b)?))),
        "le" => two(name, args).and_then(|(a, b)| Ok(Data::Bool(compare::less_or_equal(a, b)?))),
        "gt" => two(name, args).and_then(|(a, b)| Ok(Data::Bool(!compare::less_or_equal(a, b)?))),
        "ge" => two(name, args).and_then(|(a, b)| Ok(Data::Bool(!compare::less(a, b)?))),
        "not" => match args {
            [value] => Ok(Data::Bool(!value.is_true())),
            _ => Err(wrong_count(name, "1", args.len())),
        },
        "html" => escapable(args).map(|text| Data::String(escape::html(&text))),
        "js" => escapable(args).map(|text| Data::String(escape::js(&text))),
        "urlquery" => escapable(args).map(|text| Data::String(escape::url_query(&text))),
        "call" => Err("the first argument is not a function, and no value here is".to_owned()),
        _ => return None,
    })
}

/// The arguments of the escaping functions as one text; a missing value is named as in output.
fn escapable(args: &[Data]) -> Result<String, String> {
    let named = args.iter().map(|value| match value {
        Data::Null => Data::String("<no value>".to_owned()),
        value => value.clone(),
    });
    format::print(&named.collect::<Vec<_>>())
}

fn printf(args: &[Data]) -> Result<Data, String> {
    match args.split_first() {
        Some((Data::String(format), rest)) => format::sprintf(format, rest).map(Data::String),
        Some((other, _)) => Err(wrong_type("string", other)),
        None => Err(wrong_count("printf", "at least 1", 0)),
    }
}

fn two<'a>(name: &str, args: &'a [Data]) -> Result<(&'a Data, &'a Data), String> {
    match args {
        [first, second] => Ok((first, second)),
        _ => Err(wrong_count(name, "2", args.len())),
    }
}

fn wrong_count(name: &str, want: &str, got: usize) -> String {
    format!("wrong number of args for {name}: want {want} got {got}")
}

fn wrong_type(want: &str, got: &Data) -> String {
    match got {
        Data::Null => format!("invalid value; expected {want}"),
        other => format!(
            "wrong type for value; expected {want}; got {}",
            other.type_name()
        ),
    }
}
