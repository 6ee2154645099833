//! Conversion of one value.

use std::collections::BTreeMap;

use crate::equality::same_type;
use crate::number;
use crate::types::{ObjectType, Type};
use crate::value::{Value, ValueKind};

use super::{ConvertError, ConvertProblem, PathStep, Risk, conversion_exists, unify, unify_all};

/// Makes a value of type `target` of `value`. Where `target` says `any`, the type of the value is
/// kept (elements of one collection are brought to one type); optional attributes that are missing
/// or null get their default. Unknown and null stay what they are, of the new type; marks stay.
///
/// # Errors
///
/// [`ConvertError`] with the way to the part that cannot be converted.
pub fn convert(value: Value, target: &Type) -> Result<Value, ConvertError> {
    if *target == Type::Dynamic || (is_plain(target) && same_type(&value.ty, target)) {
        return Ok(value);
    }
    let sensitive = value.sensitive;
    let converted = match value.kind {
        ValueKind::Unknown => Value::unknown(later_type(&value.ty, target)?),
        ValueKind::Null => Value::null(later_type(&value.ty, target)?),
        _ => convert_known(value, target)?,
    };
    Ok(converted.marked_like(sensitive))
}

/// Whether a value of the same type needs no second look: nothing optional, nothing open.
fn is_plain(ty: &Type) -> bool {
    match ty {
        Type::Dynamic => false,
        Type::Bool | Type::Number | Type::String => true,
        Type::List(element) | Type::Set(element) | Type::Map(element) => is_plain(element),
        Type::Tuple(elements) => elements.iter().all(is_plain),
        Type::Object(object) => {
            object.optional.is_empty() && object.attributes.values().all(is_plain)
        }
    }
}

/// The type that an unknown or null value of type `from` has after conversion to `target`.
fn later_type(from: &Type, target: &Type) -> Result<Type, ConvertError> {
    if *from != Type::Dynamic && !conversion_exists(from, target, Risk::Unsafe) {
        return Err(ConvertError::mismatch(from, target));
    }
    Ok(fill_in(from, target))
}

/// `target` with `any` replaced by what `from` has there.
fn fill_in(from: &Type, target: &Type) -> Type {
    if !target.contains_dynamic() || *from == Type::Dynamic {
        return target.without_optional();
    }
    let element_of = |from: &Type| match from {
        Type::Tuple(elements) => unify(elements).unwrap_or(Type::Dynamic),
        Type::Object(object) => {
            let types: Vec<Type> = object.attributes.values().cloned().collect();
            unify(&types).unwrap_or(Type::Dynamic)
        }
        other => other.element().cloned().unwrap_or(Type::Dynamic),
    };
    match (from, target) {
        (_, Type::Dynamic) => from.clone(),
        (_, Type::List(to)) => Type::list(fill_in(&element_of(from), to)),
        (_, Type::Set(to)) => Type::set(fill_in(&element_of(from), to)),
        (_, Type::Map(to)) => Type::map(fill_in(&element_of(from), to)),
        (Type::Tuple(from), Type::Tuple(to)) => Type::Tuple(
            from.iter()
                .zip(to)
                .map(|(from, to)| fill_in(from, to))
                .collect(),
        ),
        (Type::Object(from), Type::Object(to)) => {
            let fill = |(name, ty): (&String, &Type)| {
                let from = from.attributes.get(name).unwrap_or(&Type::Dynamic);
                (name.clone(), fill_in(from, ty))
            };
            Type::object(to.attributes.iter().map(fill).collect())
        }
        _ => target.without_optional(),
    }
}

fn convert_known(value: Value, target: &Type) -> Result<Value, ConvertError> {
    let ty = value.ty;
    let filled;
    // The elements that an empty collection could have decide where the target leaves it open.
    let target = match value.kind {
        ValueKind::Sequence(ref parts) if parts.is_empty() && ty.element().is_some() => {
            filled = fill_in(&ty, target);
            &filled
        }
        ValueKind::Mapping(ref parts) if parts.is_empty() && ty.element().is_some() => {
            filled = fill_in(&ty, target);
            &filled
        }
        _ => target,
    };
    let mismatch = || ConvertError::mismatch(&ty, target);
    let structure = matches!(ty, Type::Tuple(_) | Type::Object(_));
    match (value.kind, target) {
        (kind, Type::Bool | Type::Number | Type::String) => {
            convert_primitive(kind, target).unwrap_or_else(|| Err(mismatch()))
        }
        (ValueKind::Sequence(elements), Type::List(to) | Type::Set(to)) => {
            let in_set = matches!(ty, Type::Set(_));
            convert_sequence(elements, to, target, in_set)
        }
        (ValueKind::Sequence(elements), Type::Tuple(to)) if structure => {
            convert_tuple(elements, to)
        }
        (ValueKind::Mapping(elements), Type::Map(to)) => convert_map(elements, to, structure),
        (ValueKind::Mapping(elements), Type::Object(to)) => convert_object(elements, to, structure),
        _ => Err(mismatch()),
    }
}

/// `None` when the two types have nothing to do with each other.
fn convert_primitive(kind: ValueKind, target: &Type) -> Option<Result<Value, ConvertError>> {
    let problem = |problem| Some(Err(ConvertError::here(problem)));
    match (kind, target) {
        (ValueKind::Bool(value), Type::Bool) => Some(Ok(Value::bool(value))),
        (ValueKind::Number(value), Type::Number) => Some(Ok(Value::number(value))),
        (ValueKind::String(text), Type::String) => Some(Ok(Value::string(text))),
        (ValueKind::Bool(value), Type::String) => Some(Ok(Value::string(value.to_string()))),
        (ValueKind::Number(value), Type::String) => Some(Ok(Value::string(number::text(&value)))),
        (ValueKind::String(text), Type::Bool) => match text.as_str() {
            "true" | "1" => Some(Ok(Value::bool(true))),
            "false" | "0" => Some(Ok(Value::bool(false))),
            "True" | "TRUE" => problem(ConvertProblem::NotBool { hint: Some("true") }),
            "False" | "FALSE" => problem(ConvertProblem::NotBool {
                hint: Some("false"),
            }),
            _ => problem(ConvertProblem::NotBool { hint: None }),
        },
        (ValueKind::String(text), Type::Number) => match number::parse(&text) {
            Some(value) => Some(Ok(Value::number(value))),
            None => problem(ConvertProblem::NotNumber),
        },
        _ => None,
    }
}

fn convert_sequence(
    elements: Vec<Value>,
    element: &Type,
    target: &Type,
    in_set: bool,
) -> Result<Value, ConvertError> {
    let step = |at: usize| {
        if in_set {
            PathStep::Element
        } else {
            PathStep::Index(at)
        }
    };
    let converted: Result<Vec<Value>, ConvertError> = elements
        .into_iter()
        .enumerate()
        .map(|(at, value)| convert(value, element).map_err(|error| error.inside(step(at))))
        .collect();
    let is_set = matches!(target, Type::Set(_));
    let (ty, elements) = same_elements(converted?, element, if is_set { "set" } else { "list" })?;
    Ok(if is_set {
        Value::set(ty, elements)
    } else {
        Value::list(ty, elements)
    })
}

/// Brings elements that were converted to a type with `any` in it to one type.
fn same_elements(
    elements: Vec<Value>,
    element: &Type,
    collection: &'static str,
) -> Result<(Type, Vec<Value>), ConvertError> {
    if !element.contains_dynamic() || elements.is_empty() {
        return Ok((element.without_optional(), elements));
    }
    unify_all(elements, collection)
}

fn convert_tuple(elements: Vec<Value>, types: &[Type]) -> Result<Value, ConvertError> {
    if elements.len() != types.len() {
        let (want, have) = (types.len(), elements.len());
        return Err(ConvertError::here(ConvertProblem::TupleLength {
            want,
            have,
        }));
    }
    let convert_one = |(at, (value, ty)): (usize, (Value, &Type))| {
        convert(value, ty).map_err(|error| error.inside(PathStep::Index(at)))
    };
    let converted: Result<Vec<Value>, ConvertError> = elements
        .into_iter()
        .zip(types)
        .enumerate()
        .map(convert_one)
        .collect();
    Ok(Value::tuple(converted?))
}

fn step_into(name: &str, structure: bool) -> PathStep {
    if structure {
        PathStep::Attribute(name.to_owned())
    } else {
        PathStep::Key(name.to_owned())
    }
}

fn convert_map(
    elements: BTreeMap<String, Value>,
    element: &Type,
    structure: bool,
) -> Result<Value, ConvertError> {
    let mut names = Vec::with_capacity(elements.len());
    let mut values = Vec::with_capacity(elements.len());
    for (name, value) in elements {
        let inside = |error: ConvertError| error.inside(step_into(&name, structure));
        values.push(convert(value, element).map_err(inside)?);
        names.push(name);
    }
    let (ty, values) = same_elements(values, element, "map")?;
    Ok(Value::map(ty, names.into_iter().zip(values).collect()))
}

fn convert_object(
    mut elements: BTreeMap<String, Value>,
    object: &ObjectType,
    structure: bool,
) -> Result<Value, ConvertError> {
    let mut converted = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, ty) in &object.attributes {
        let optional = object.optional.get(name);
        let default = optional.and_then(Option::as_ref);
        let value = match (elements.remove(name), optional) {
            (Some(value), _) if !(value.is_null() && default.is_some()) => {
                let inside = |error: ConvertError| error.inside(step_into(name, structure));
                convert(value, ty).map_err(inside)?
            }
            (_, Some(_)) => default
                .cloned()
                .unwrap_or_else(|| Value::null(ty.without_optional())),
            _ => {
                missing.push(name.clone());
                continue;
            }
        };
        converted.insert(name.clone(), value);
    }
    if !missing.is_empty() {
        return Err(ConvertError::here(ConvertProblem::MissingAttributes {
            names: missing,
        }));
    }
    Ok(Value::object(converted))
}
