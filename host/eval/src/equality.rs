//! Equality and order of values, as cty has them.

use std::cmp::Ordering;

use crate::number;
use crate::types::Type;
use crate::value::{Value, ValueKind};

/// Whether `a` and `b` are equal: an unknown bool when that cannot be told yet. The result is
/// sensitive when anything in either is.
pub(crate) fn equal(a: &Value, b: &Value) -> Value {
    let sensitive = a.contains_sensitive() || b.contains_sensitive();
    let result = match known_equal(a, b) {
        Some(equal) => Value::bool(equal),
        None => Value::unknown(Type::Bool),
    };
    result.marked_like(sensitive)
}

/// Whether `a` and `b` are equal, marks aside; `None` when that cannot be told yet.
pub(crate) fn known_equal(a: &Value, b: &Value) -> Option<bool> {
    match (a.is_unknown(), b.is_unknown()) {
        (true, true) => return None,
        (true, false) => return known_with_unknown(b, a),
        (false, true) => return known_with_unknown(a, b),
        (false, false) => {}
    }
    match (a.is_null(), b.is_null()) {
        (true, true) => return Some(true),
        (false, false) => {}
        _ => return Some(false),
    }
    if !same_type(&a.ty, &b.ty) {
        let open = may_be_same(&a.ty, &b.ty);
        return if open && (a.contains_unknown() || b.contains_unknown()) {
            None
        } else {
            Some(false)
        };
    }
    match (&a.kind, &b.kind) {
        (ValueKind::Bool(a), ValueKind::Bool(b)) => Some(a == b),
        (ValueKind::Number(a), ValueKind::Number(b)) => Some(number::compare(a, b).is_eq()),
        (ValueKind::String(a), ValueKind::String(b)) => Some(a == b),
        (ValueKind::Sequence(a), ValueKind::Sequence(b)) => {
            if a.len() != b.len() {
                return Some(false);
            }
            all_equal(a.iter().zip(b))
        }
        (ValueKind::Mapping(a), ValueKind::Mapping(b)) => {
            if !a.keys().eq(b.keys()) {
                return Some(false);
            }
            all_equal(a.values().zip(b.values()))
        }
        _ => Some(false),
    }
}

fn known_with_unknown(known: &Value, unknown: &Value) -> Option<bool> {
    let undecided = known.is_null()
        || unknown.ty.contains_dynamic()
        || known.ty.contains_dynamic()
        || same_type(&known.ty, &unknown.ty);
    if undecided { None } else { Some(false) }
}

fn all_equal<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<bool> {
    let mut result = Some(true);
    for (a, b) in pairs {
        match known_equal(a, b) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

/// Whether two types can turn out to be the same, once what is open in them is known.
fn may_be_same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => true,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => may_be_same(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| may_be_same(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            a.attributes.keys().eq(b.attributes.keys())
                && a.attributes
                    .values()
                    .zip(b.attributes.values())
                    .all(|(a, b)| may_be_same(a, b))
        }
        _ => a == b,
    }
}

/// Whether two types are the same, optional attributes aside.
pub(crate) fn same_type(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => same_type(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_type(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            a.attributes.len() == b.attributes.len()
                && a.attributes
                    .iter()
                    .zip(&b.attributes)
                    .all(|((a_name, a), (b_name, b))| a_name == b_name && same_type(a, b))
        }
        _ => a == b,
    }
}

/// The order of a set's elements: texts by their characters, numbers by size, false before true,
/// null and then unknown last. What has no natural order gets one by its parts.
pub(crate) fn set_order(a: &Value, b: &Value) -> Ordering {
    match (&a.kind, &b.kind) {
        (ValueKind::String(a), ValueKind::String(b)) => a.cmp(b),
        (ValueKind::Bool(a), ValueKind::Bool(b)) => a.cmp(b),
        (ValueKind::Number(a), ValueKind::Number(b)) => number::compare(a, b),
        (ValueKind::Sequence(a), ValueKind::Sequence(b)) => order_all(a.iter(), b.iter()),
        (ValueKind::Mapping(a), ValueKind::Mapping(b)) => a
            .keys()
            .cmp(b.keys())
            .then_with(|| order_all(a.values(), b.values())),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn order_all<'a>(
    a: impl ExactSizeIterator<Item = &'a Value>,
    b: impl ExactSizeIterator<Item = &'a Value>,
) -> Ordering {
    let lengths = a.len().cmp(&b.len());
    a.zip(b)
        .map(|(a, b)| set_order(a, b))
        .find(|order| order.is_ne())
        .unwrap_or(lengths)
}

fn rank(value: &Value) -> u8 {
    match value.kind {
        ValueKind::Bool(_) => 0,
        ValueKind::Number(_) => 1,
        ValueKind::String(_) => 2,
        ValueKind::Sequence(_) => 3,
        ValueKind::Mapping(_) => 4,
        ValueKind::Null => 5,
        ValueKind::Unknown => 6,
    }
}
