//! CSV.

use std::collections::BTreeMap;

use crate::types::Type;
use crate::value::Value;

use super::arguments::text;
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "csvdecode",
    &[Parameter::new("str", Kind::String)],
    ResultType::Is(Kind::AnyList),
    decode,
)];

/// A list of objects, one for each row behind the header; every value is a string.
fn decode(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let problem = |message: String| FunctionError::call_at(0, message);
    let mut reader = csv::ReaderBuilder::new().from_reader(text(&args, 0).as_bytes());
    let header = reader
        .headers()
        .map_err(|error| problem(error.to_string()))?
        .clone();
    if header.is_empty() {
        return Err(problem("missing header line".to_owned()));
    }
    let mut types = BTreeMap::new();
    for name in &header {
        if types.insert(name.to_owned(), Type::String).is_some() {
            return Err(problem(format!("duplicate column name {name:?}")));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| problem(row_problem(&error)))?;
        context.limits.spend(record.len() + 1)?;
        let cells = header.iter().zip(&record);
        rows.push(Value::object_of(
            cells.map(|(name, cell)| (name, Value::string(cell))),
        ));
    }
    Ok(Value::list(Type::object(types), rows))
}

fn row_problem(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("wrong number of fields on line {line}: {len} instead of {expected_len}")
        }
        _ => error.to_string(),
    }
}
