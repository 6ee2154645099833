//! Maps and objects.

use std::collections::BTreeMap;

use crate::convert::convert;
use crate::types::Type;
use crate::value::Value;

use super::arguments::{sequence, text};
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType, foreseen};

/// A map or object whose elements may be unknown and carry their own marks.
const ANY_MAPPING: Parameter = Parameter::new("inputMap", Kind::Any)
    .partly_known()
    .with_marks();

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "keys",
        &[ANY_MAPPING],
        ResultType::Foreseen(Kind::Any, foreseen::keys),
        keys,
    ),
    Function::new(
        "values",
        &[ANY_MAPPING],
        ResultType::Foreseen(Kind::Any, foreseen::values),
        values,
    ),
    Function::new(
        "lookup",
        &[
            ANY_MAPPING,
            Parameter::new("key", Kind::String),
            Parameter::new("default", Kind::Any)
                .or_unknown()
                .with_marks(),
        ],
        ResultType::Foreseen(Kind::Any, foreseen::lookup),
        lookup,
    ),
    Function::new(
        "merge",
        &[],
        ResultType::Foreseen(Kind::Any, foreseen::merge),
        merge,
    )
    .and_more(
        Parameter::new("maps", Kind::Any)
            .or_null()
            .partly_known()
            .with_marks(),
    ),
    Function::new(
        "zipmap",
        &[
            Parameter::new("keys", Kind::StringList),
            Parameter::new("values", Kind::Any)
                .partly_known()
                .with_marks(),
        ],
        ResultType::Foreseen(Kind::Any, foreseen::zip_map),
        zip_map,
    ),
];

fn require_mapping(args: &[Value], at: usize) -> Result<&BTreeMap<String, Value>, FunctionError> {
    args[at].as_mapping().ok_or_else(|| {
        let have = args[at].ty.friendly_name();
        FunctionError::argument(at, format!("a map or object is required, not {have}"))
    })
}

fn keys(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let names: Vec<Value> = require_mapping(&args, 0)?
        .keys()
        .map(|key| Value::string(key.as_str()))
        .collect();
    let keys = match args[0].ty {
        Type::Map(_) => Value::list(Type::String, names),
        _ => Value::tuple(names),
    };
    Ok(keys.marked_like(args[0].sensitive))
}

fn values(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let elements: Vec<Value> = require_mapping(&args, 0)?.values().cloned().collect();
    let values = match args[0].ty.element() {
        Some(element) => Value::list(element.clone(), elements),
        None => Value::tuple(elements),
    };
    Ok(values.marked_like(args[0].sensitive))
}

fn lookup(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let sensitive = args[0].sensitive;
    let found = require_mapping(&args, 0)?.get(text(&args, 1)).cloned();
    // The default of a map becomes what its elements are, used or not.
    let default = match args[0].ty.element() {
        Some(element) => convert(args[2].clone(), element).map_err(|error| {
            FunctionError::argument(
                2,
                format!("the default value must have the same type as the map elements: {error}"),
            )
        })?,
        None => args[2].clone(),
    };
    let value = found.unwrap_or(default);
    Ok(value.marked_like(sensitive))
}

fn merge(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let sensitive = args.iter().any(|arg| arg.sensitive);
    let mut merged = BTreeMap::new();
    let mut types: Vec<Type> = Vec::new();
    for at in 0..args.len() {
        if !(args[at].ty.is_mapping() || args[at].ty == Type::Dynamic && args[at].is_null()) {
            let have = args[at].ty.friendly_name();
            let message = format!("arguments must be maps or objects, got {have:?}");
            return Err(FunctionError::argument(at, message));
        }
        // Also one that is null has a say, as in Go's library.
        types.push(args[at].ty.clone());
        if args[at].is_null() {
            continue;
        }
        merged.extend(
            require_mapping(&args, at)?
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
    }
    let all_maps = !types.is_empty() && types.iter().all(|ty| matches!(ty, Type::Map(_)));
    let same = types.windows(2).all(|pair| pair[0] == pair[1]);
    let common = if all_maps && same {
        types[0].element().cloned()
    } else {
        None
    };
    let result = match common {
        Some(element) => Value::map(element, merged),
        None => Value::object(merged),
    };
    Ok(result.marked_like(sensitive))
}

fn zip_map(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let keys = sequence(&args, 0);
    let in_order = args[1]
        .as_sequence()
        .filter(|_| !matches!(args[1].ty, Type::Set(_)));
    let values = in_order.ok_or_else(|| {
        FunctionError::argument(1, "values parameter must be a list or tuple value")
    })?;
    if keys.len() != values.len() {
        return Err(FunctionError::new(format!(
            "number of keys ({}) does not match number of values ({})",
            keys.len(),
            values.len()
        )));
    }
    let mut pairs = BTreeMap::new();
    for (at, (key, value)) in keys.iter().zip(values).enumerate() {
        let key = key
            .as_str()
            .ok_or_else(|| FunctionError::argument(0, format!("the key at index {at} is null")))?;
        pairs.insert(key.to_owned(), value.clone());
    }
    let result = match args[1].ty.element() {
        Some(element) => Value::map(element.clone(), pairs),
        None => Value::object(pairs),
    };
    Ok(result.marked_like(args[1].sensitive))
}
