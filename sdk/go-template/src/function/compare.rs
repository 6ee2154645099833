//! `eq`, `lt` and their relatives.

use crate::data::Data;

/// Whether the first argument equals any of the others.
pub(super) fn equal_any(args: &[Data]) -> Result<Data, String> {
    let Some((first, others)) = args.split_first() else {
        return Err("missing argument for comparison".to_owned());
    };
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(Data::Bool(true));
        }
    }
    Ok(Data::Bool(false))
}

/// Whether two basic values are equal; null only equals null.
pub(super) fn equal(first: &Data, second: &Data) -> Result<bool, String> {
    match (first, second) {
        (Data::List(_) | Data::Map(_), Data::Null) | (Data::Null, Data::List(_) | Data::Map(_)) => {
            Ok(false)
        }
        (Data::List(_) | Data::Map(_), _) => Err(not_comparable(first)),
        (_, Data::List(_) | Data::Map(_)) => Err(not_comparable(second)),
        (Data::Null, _) | (_, Data::Null) => Ok(first == second),
        _ if std::mem::discriminant(first) != std::mem::discriminant(second) => {
            Err(incompatible(first, second))
        }
        _ => Ok(first == second),
    }
}

/// Whether `first` comes before `second`.
pub(super) fn less(first: &Data, second: &Data) -> Result<bool, String> {
    match (first, second) {
        (Data::Int(a), Data::Int(b)) => Ok(a < b),
        (Data::Float(a), Data::Float(b)) => Ok(a < b),
        (Data::String(a), Data::String(b)) => Ok(a < b),
        (Data::Int(_) | Data::Float(_) | Data::String(_), _) => Err(incompatible(first, second)),
        _ => Err(format!(
            "invalid type for comparison: {}",
            first.type_name()
        )),
    }
}

/// Whether `first` comes before `second` or equals it.
pub(super) fn less_or_equal(first: &Data, second: &Data) -> Result<bool, String> {
    Ok(less(first, second)? || equal(first, second)?)
}

fn not_comparable(value: &Data) -> String {
    format!("non-comparable type: {}", value.type_name())
}

fn incompatible(first: &Data, second: &Data) -> String {
    format!(
        "incompatible types for comparison: {} and {}",
        first.type_name(),
        second.type_name()
    )
}
