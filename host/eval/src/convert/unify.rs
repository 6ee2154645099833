//! The one type that several can be converted to.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::convert::possible::{Risk, conversion_exists};
use crate::equality::same_type;
use crate::types::Type;
use crate::value::Value;

use super::{ConvertError, ConvertProblem, convert};

/// The type that values of all `types` can be converted to, also by conversions that depend on the
/// value; `None` when there is none or `types` is empty.
#[must_use]
pub fn unify(types: &[Type]) -> Option<Type> {
    unify_types(&types.iter().collect::<Vec<_>>(), Risk::Unsafe)
}

/// Converts all values to one type. An empty list gives [`Type::Dynamic`].
pub(crate) fn unify_all(
    values: Vec<Value>,
    collection: &'static str,
) -> Result<(Type, Vec<Value>), ConvertError> {
    if values.is_empty() {
        return Ok((Type::Dynamic, values));
    }
    let types: Vec<&Type> = values.iter().map(|value| &value.ty).collect();
    let mixed = || ConvertError::here(ConvertProblem::MixedElements { collection });
    let ty = unify_types(&types, Risk::Unsafe).ok_or_else(mixed)?;
    let values: Result<Vec<Value>, _> = values
        .into_iter()
        .map(|value| convert(value, &ty))
        .collect();
    let values = values?;
    if !ty.contains_dynamic() {
        return Ok((ty, values));
    }
    // Left open by a null or by what comes later: the others decide, and they must agree.
    let mut known = values
        .iter()
        .map(|value| &value.ty)
        .filter(|ty| **ty != Type::Dynamic);
    let Some(first) = known.next().cloned() else {
        return Ok((ty, values));
    };
    if !known.all(|other| same_type(&first, other)) {
        return Err(mixed());
    }
    let values: Result<Vec<Value>, _> = values
        .into_iter()
        .map(|value| convert(value, &first))
        .collect();
    Ok((first, values?))
}

#[derive(Default)]
struct Count {
    map: usize,
    list: usize,
    set: usize,
    object: usize,
    tuple: usize,
    dynamic: usize,
}

fn count(types: &[&Type]) -> Count {
    let mut count = Count::default();
    for ty in types {
        match ty {
            Type::Map(_) => count.map += 1,
            Type::List(_) => count.list += 1,
            Type::Set(_) => count.set += 1,
            Type::Object(_) => count.object += 1,
            Type::Tuple(_) => count.tuple += 1,
            Type::Dynamic => count.dynamic += 1,
            _ => {}
        }
    }
    count
}

pub(crate) fn unify_types(types: &[&Type], risk: Risk) -> Option<Type> {
    let (first, rest) = types.split_first()?;
    if rest.iter().all(|ty| same_type(first, ty)) {
        return Some(first.without_optional());
    }
    let all = types.len();
    let Count {
        map,
        list,
        set,
        object,
        tuple,
        dynamic,
    } = count(types);
    let has = |kind: usize, others: usize| kind > 0 && kind + others + dynamic == all;
    // With a type that is not known yet, it cannot be told which way this will go.
    let open = dynamic > 0;
    if has(map, 0) || has(list, 0) || has(set, 0) {
        return if open {
            Some(Type::Dynamic)
        } else {
            collections(types, risk)
        };
    }
    if has(map, object)
        && let Some(found) = structures_as_collections(types, risk)
    {
        return Some(found);
    }
    if has(list, tuple)
        && let Some(found) = structures_as_collections(types, risk)
    {
        return Some(found);
    }
    if has(object, 0) {
        return if open {
            Some(Type::Dynamic)
        } else {
            objects(types, risk)
        };
    }
    if has(tuple, 0) {
        return if open {
            Some(Type::Dynamic)
        } else {
            tuples(types, risk)
        };
    }
    if object > 0 && tuple > 0 {
        return None;
    }
    preferred(types, risk)
}

fn collections(types: &[&Type], risk: Risk) -> Option<Type> {
    let elements: Vec<&Type> = types.iter().filter_map(|ty| ty.element()).collect();
    let element = unify_types(&elements, risk)?;
    Some(match types[0] {
        Type::Map(_) => Type::map(element),
        Type::Set(_) => Type::set(element),
        _ => Type::list(element),
    })
}

/// Objects among maps are taken for maps, tuples among lists for lists.
fn structures_as_collections(types: &[&Type], risk: Risk) -> Option<Type> {
    let structures: Vec<&Type> = types
        .iter()
        .copied()
        .filter(|ty| matches!(ty, Type::Object(_) | Type::Tuple(_)))
        .collect();
    let taken = match structures[0] {
        Type::Object(_) => objects_to_map(&structures, risk)?,
        _ => tuples_to_list(&structures, risk)?,
    };
    let others = types
        .iter()
        .copied()
        .filter(|ty| !matches!(ty, Type::Object(_) | Type::Tuple(_)));
    // What has no elements fits every collection of others.
    let empty = taken.element() == Some(&Type::Dynamic) && structures.iter().all(|ty| is_empty(ty));
    let all: Vec<&Type> = match empty {
        true => others.collect(),
        false => others.chain([&taken]).collect(),
    };
    unify_types(&all, risk)
}

/// Whether it is an object or tuple of nothing.
fn is_empty(ty: &Type) -> bool {
    match ty {
        Type::Object(object) => object.attributes.is_empty(),
        Type::Tuple(elements) => elements.is_empty(),
        _ => false,
    }
}

fn objects(types: &[&Type], risk: Risk) -> Option<Type> {
    let all: Vec<&BTreeMap<String, Type>> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Object(object) => Some(&object.attributes),
            _ => None,
        })
        .collect();
    if all
        .iter()
        .any(|attributes| !attributes.keys().eq(all[0].keys()))
    {
        return objects_to_map(types, risk);
    }
    let mut attributes = BTreeMap::new();
    for name in all[0].keys() {
        let across: Vec<&Type> = all.iter().map(|attributes| &attributes[name]).collect();
        attributes.insert(name.clone(), unify_types(&across, risk)?);
    }
    Some(Type::object(attributes))
}

fn objects_to_map(types: &[&Type], risk: Risk) -> Option<Type> {
    let attributes = types.iter().filter_map(|ty| match ty {
        Type::Object(object) => Some(object.attributes.values()),
        _ => None,
    });
    let attributes: Vec<&Type> = attributes.flatten().collect();
    if attributes.is_empty() {
        return Some(Type::map(Type::Dynamic));
    }
    Some(Type::map(unify_types(&attributes, risk)?))
}

fn tuples(types: &[&Type], risk: Risk) -> Option<Type> {
    let all: Vec<&Vec<Type>> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Tuple(elements) => Some(elements),
            _ => None,
        })
        .collect();
    if all.iter().any(|elements| elements.len() != all[0].len()) {
        return tuples_to_list(types, risk);
    }
    let across = |at: usize| all.iter().map(|elements| &elements[at]).collect::<Vec<_>>();
    let elements: Option<Vec<Type>> = (0..all[0].len())
        .map(|at| unify_types(&across(at), risk))
        .collect();
    Some(Type::Tuple(elements?))
}

fn tuples_to_list(types: &[&Type], risk: Risk) -> Option<Type> {
    let elements = types.iter().filter_map(|ty| match ty {
        Type::Tuple(elements) => Some(elements),
        _ => None,
    });
    let elements: Vec<&Type> = elements.flatten().collect();
    if elements.is_empty() {
        return Some(Type::list(Type::Dynamic));
    }
    Some(Type::list(unify_types(&elements, risk)?))
}

/// The most preferable of the given types that all others can be converted to.
fn preferred(types: &[&Type], risk: Risk) -> Option<Type> {
    let mut order: Vec<&Type> = types.to_vec();
    order.sort_by(|a, b| preference(a, b));
    let fits = |want: &&&Type| types.iter().all(|ty| conversion_exists(ty, want, risk));
    order.iter().find(fits).map(|ty| ty.without_optional())
}

/// Which of two types is preferable: `Less` for `a`.
fn preference(a: &Type, b: &Type) -> Ordering {
    let rank = |ty: &Type| match ty {
        Type::String => 0,
        Type::Set(_) | Type::Map(_) => 2,
        Type::List(_) => 1,
        Type::Tuple(_) | Type::Object(_) => 3,
        Type::Bool | Type::Number => 1,
        Type::Dynamic => 9,
    };
    match (a, b) {
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => preference(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}
