//! Arguments as Rust values. They were converted to the types of the parameters before the call,
//! so a wrong type here is a wrong table.

use crate::number;
use crate::value::{Number, Value};

use super::FunctionError;

/// The text of argument `at`.
pub(super) fn text(args: &[Value], at: usize) -> &str {
    args[at]
        .as_str()
        .expect("the table says string, known and not null")
}

/// The number of argument `at`.
pub(super) fn number(args: &[Value], at: usize) -> &Number {
    args[at]
        .as_number()
        .expect("the table says number, known and not null")
}

/// The elements of argument `at`.
pub(super) fn sequence(args: &[Value], at: usize) -> &[Value] {
    args[at]
        .as_sequence()
        .expect("the table says list or set, known and not null")
}

/// The whole number of argument `at`.
pub(super) fn whole(args: &[Value], at: usize) -> Result<i64, FunctionError> {
    let value = number(args, at);
    number::to_i64(value).ok_or_else(|| {
        let why = if number::is_whole(value) {
            "number is too large"
        } else {
            "a whole number is required"
        };
        FunctionError::argument(at, why)
    })
}

/// The texts of argument `at`, a list or set of strings, null ones left out.
pub(super) fn texts(args: &[Value], at: usize) -> Vec<&str> {
    sequence(args, at)
        .iter()
        .filter_map(Value::as_str)
        .collect()
}
