//! What is known of a result before all arguments are: its type, sometimes how many elements it has,
//! and whether the arguments can be right at all.
//!
//! Each function here is called in place of the function itself while that waits for an argument,
//! and gives an error only for what stays wrong whatever the argument turns out to be.

use std::collections::BTreeMap;

use crate::convert::{convert, unify};
use crate::types::Type;
use crate::value::Value;

use super::arguments::whole;
use super::{FunctionError, Outcome};

/// Whether nothing is known of a value, not even its type.
fn is_open(value: &Value) -> bool {
    value.ty == Type::Dynamic
}

fn require(
    args: &[Value],
    at: usize,
    fits: fn(&Type) -> bool,
    wanted: &str,
) -> Result<(), FunctionError> {
    let ty = &args[at].ty;
    if fits(ty) || is_open(&args[at]) {
        return Ok(());
    }
    let have = ty.friendly_name();
    Err(FunctionError::argument(
        at,
        format!("{wanted} is required, not {have}"),
    ))
}

fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::List(_) | Type::Tuple(_))
}

/// The types of the elements; `None` while their number is not known.
fn element_types(value: &Value) -> Option<Vec<Type>> {
    match &value.ty {
        Type::Tuple(elements) => Some(elements.clone()),
        ty => {
            let count = value.as_sequence()?.len();
            Some(vec![ty.element()?.clone(); count])
        }
    }
}

pub(super) fn concat(args: &[Value]) -> Outcome {
    for at in 0..args.len() {
        require(args, at, is_list, "a list or tuple")?;
    }
    if args.iter().any(is_open) {
        return Ok(Value::dynamic());
    }
    let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
    if types.iter().all(|ty| matches!(ty, Type::List(_)))
        && let Some(list) = unify(&types)
    {
        return Ok(Value::unknown(list));
    }
    let elements: Option<Vec<Vec<Type>>> = args.iter().map(element_types).collect();
    Ok(elements.map_or(Value::dynamic(), |elements| {
        Value::unknown(Type::Tuple(elements.concat()))
    }))
}

pub(super) fn element(args: &[Value]) -> Outcome {
    require(args, 0, is_list, "a list or tuple")?;
    let at = args[1].as_number().map(|_| whole(args, 1)).transpose()?;
    Ok(match (&args[0].ty, at) {
        (Type::Tuple(elements), Some(at)) => {
            let count = i64::try_from(elements.len()).unwrap_or(i64::MAX);
            let at = at.checked_rem_euclid(count).ok_or_else(|| {
                FunctionError::call_at(0, "cannot use element function with an empty list")
            })?;
            let ty = usize::try_from(at).ok().and_then(|at| elements.get(at));
            Value::unknown(ty.cloned().unwrap_or(Type::Dynamic))
        }
        (ty, _) => Value::unknown(ty.element().cloned().unwrap_or(Type::Dynamic)),
    })
}

/// A sequence that nothing is known of but that it is one.
pub(super) fn some_sequence(args: &[Value]) -> Outcome {
    require(args, 0, Type::is_sequence, "a list, set or tuple")?;
    Ok(Value::dynamic())
}

/// A number that comes from a sequence.
pub(super) fn number_of_sequence(args: &[Value]) -> Outcome {
    require(args, 0, Type::is_sequence, "a list, set or tuple")?;
    Ok(Value::unknown(Type::Number))
}

/// A number that comes from a list or tuple.
pub(super) fn number_of_list(args: &[Value]) -> Outcome {
    require(args, 0, is_list, "a list or tuple")?;
    Ok(Value::unknown(Type::Number))
}

/// A number that comes from a text.
pub(super) fn number_of_text(args: &[Value]) -> Outcome {
    require(args, 0, |ty| *ty == Type::String, "a string")?;
    Ok(Value::unknown(Type::Number))
}

pub(super) fn reverse(args: &[Value]) -> Outcome {
    require(args, 0, Type::is_sequence, "a list, set or tuple")?;
    Ok(Value::unknown(match &args[0].ty {
        Type::Tuple(elements) => Type::Tuple(elements.iter().rev().cloned().collect()),
        ty => ty
            .element()
            .map_or(Type::Dynamic, |of| Type::list(of.clone())),
    }))
}

pub(super) fn slice(args: &[Value]) -> Outcome {
    require(args, 0, is_list, "a list or tuple")?;
    let bound = |at: usize| args[at].as_number().map(|_| whole(args, at)).transpose();
    let bounds = (bound(1)?, bound(2)?);
    for (at, index) in [(1, bounds.0), (2, bounds.1)] {
        if index.is_some_and(|index| index < 0) {
            return Err(FunctionError::argument(
                at,
                "an index must not be a negative number",
            ));
        }
    }
    if let (Some(start), Some(end)) = bounds
        && start > end
    {
        return Err(FunctionError::argument(
            1,
            "start index must not be greater than end index",
        ));
    }
    let Type::Tuple(elements) = &args[0].ty else {
        let list = args[0].ty.element().map(|of| Type::list(of.clone()));
        return Ok(Value::unknown(list.unwrap_or(Type::Dynamic)));
    };
    let (Some(start), Some(end)) = bounds else {
        return Ok(Value::dynamic());
    };
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range.and_then(|(start, end)| elements.get(start..end));
    part.map(|part| Value::unknown(Type::Tuple(part.to_vec())))
        .ok_or_else(|| {
            let count = elements.len();
            FunctionError::argument(
                2,
                format!("from {start} to {end} is not a part of a tuple of {count} elements"),
            )
        })
}

/// Of a list whose length is known, the sorted one has the same length.
pub(super) fn sort(args: &[Value]) -> Outcome {
    let unknown = Value::unknown(Type::String);
    Ok(match args[0].as_sequence() {
        Some(elements) => Value::list(Type::String, vec![unknown; elements.len()]),
        None => Value::unknown(Type::list(Type::String)),
    })
}

pub(super) fn keys(args: &[Value]) -> Outcome {
    require(args, 0, Type::is_mapping, "a map or object")?;
    Ok(match &args[0].ty {
        Type::Object(object) => {
            let names = object.attributes.keys().map(Value::string);
            Value::tuple(names.collect())
        }
        Type::Map(_) => Value::unknown(Type::list(Type::String)),
        _ => Value::dynamic(),
    })
}

pub(super) fn values(args: &[Value]) -> Outcome {
    require(args, 0, Type::is_mapping, "a map or object")?;
    Ok(Value::unknown(match &args[0].ty {
        Type::Object(object) => Type::Tuple(object.attributes.values().cloned().collect()),
        Type::Map(element) => Type::list(Type::clone(element)),
        _ => Type::Dynamic,
    }))
}

/// The element of an object is known by its name; that of a map is of the map's type.
pub(super) fn lookup(args: &[Value]) -> Outcome {
    require(args, 0, Type::is_mapping, "a map or object")?;
    Ok(match (&args[0].ty, args[1].as_str()) {
        (Type::Map(element), _) => {
            convert(args[2].clone(), element).map_err(|error| {
                FunctionError::argument(
                    2,
                    format!(
                        "the default value must have the same type as the map elements: {error}"
                    ),
                )
            })?;
            Value::unknown(Type::clone(element))
        }
        (Type::Object(object), Some(name)) => {
            let ty = object.attributes.get(name).unwrap_or(&args[2].ty);
            Value::unknown(ty.clone())
        }
        _ => Value::dynamic(),
    })
}

pub(super) fn merge(args: &[Value]) -> Outcome {
    for at in 0..args.len() {
        require(args, at, Type::is_mapping, "a map or object")?;
    }
    if args.iter().any(|arg| is_open(arg) && !arg.is_null()) {
        return Ok(Value::dynamic());
    }
    if let Some(first) = args.first()
        && matches!(first.ty, Type::Map(_))
        && args.iter().all(|arg| arg.ty == first.ty)
    {
        return Ok(Value::unknown(first.ty.clone()));
    }
    let mut attributes = BTreeMap::new();
    for arg in args.iter().filter(|arg| !arg.is_null()) {
        match (&arg.ty, arg.as_mapping()) {
            (Type::Object(object), _) => attributes.extend(object.attributes.clone()),
            (Type::Map(of), Some(elements)) => {
                let named = |name: &String| (name.clone(), Type::clone(of));
                attributes.extend(elements.keys().map(named));
            }
            _ => return Ok(Value::dynamic()),
        }
    }
    Ok(Value::unknown(Type::object(attributes)))
}

pub(super) fn zip_map(args: &[Value]) -> Outcome {
    require(args, 1, is_list, "a list or tuple")?;
    let Type::Tuple(types) = &args[1].ty else {
        let map = args[1].ty.element().map(|of| Type::map(of.clone()));
        return Ok(Value::unknown(map.unwrap_or(Type::Dynamic)));
    };
    let names = args[0].as_sequence().unwrap_or_default();
    let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
    let Some(names) = names.filter(|_| !args[0].is_unknown()) else {
        return Ok(Value::dynamic());
    };
    if names.len() != types.len() {
        return Err(FunctionError::new(format!(
            "number of keys ({}) does not match number of values ({})",
            names.len(),
            types.len()
        )));
    }
    let named = names.into_iter().map(str::to_owned);
    let attributes = named.zip(types.iter().cloned()).collect();
    Ok(Value::unknown(Type::object(attributes)))
}

/// The set that `setunion` and `setintersection` give. Sets that nothing is known of, and empty ones
/// of no type, do not decide.
pub(super) fn common_set(args: &[Value]) -> Outcome {
    let typed = args
        .iter()
        .filter(|set| set.ty.element() != Some(&Type::Dynamic));
    let types: Vec<Type> = typed.map(|set| set.ty.clone()).collect();
    if types.is_empty() {
        return Ok(Value::unknown(Type::set(Type::Dynamic)));
    }
    unify(&types)
        .map(Value::unknown)
        .ok_or_else(|| FunctionError::new("given sets must all have compatible element types"))
}

pub(super) fn set_product(args: &[Value]) -> Outcome {
    if args.len() < 2 {
        return Err(FunctionError::new("at least two arguments are required"));
    }
    for at in 0..args.len() {
        require(args, at, Type::is_sequence, "a set or a list")?;
    }
    if args.iter().any(is_open) {
        return Ok(Value::dynamic());
    }
    let element = |arg: &Value| match &arg.ty {
        Type::Tuple(elements) if elements.is_empty() => Ok(Type::Dynamic),
        Type::Tuple(elements) => unify(elements)
            .ok_or_else(|| FunctionError::new("all elements must have the same type")),
        ty => Ok(ty.element().cloned().unwrap_or(Type::Dynamic)),
    };
    let row = Type::Tuple(args.iter().map(element).collect::<Result<_, _>>()?);
    let any_set = args.iter().any(|arg| matches!(arg.ty, Type::Set(_)));
    Ok(Value::unknown(if any_set {
        Type::set(row)
    } else {
        Type::list(row)
    }))
}

/// Variables come as a map or object.
pub(super) fn template_file(args: &[Value]) -> Outcome {
    require(args, 1, Type::is_mapping, "a map or object")?;
    Ok(Value::dynamic())
}
