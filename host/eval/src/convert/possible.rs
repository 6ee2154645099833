//! Which types can be converted to which, whatever the value.

use crate::convert::unify::unify_types;
use crate::equality::same_type;
use crate::types::{ObjectType, Type};

/// Which conversions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Risk {
    /// Those that every value survives.
    Safe,
    /// Also those that depend on the value, such as string to number.
    Unsafe,
}

/// Whether values of type `from` can be converted to `to`.
pub(crate) fn conversion_exists(from: &Type, to: &Type, risk: Risk) -> bool {
    if same_type(from, to) {
        return true;
    }
    match (from, to) {
        (_, Type::Dynamic) => true,
        (Type::Dynamic, _) => risk == Risk::Unsafe,
        (Type::Bool | Type::Number, Type::String) => true,
        (Type::String, Type::Bool | Type::Number) => risk == Risk::Unsafe,
        (Type::List(_), Type::Set(_)) if risk == Risk::Safe => false,
        (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to))
        | (Type::Map(from), Type::Map(to)) => conversion_exists(from, to, risk),
        (Type::Tuple(elements), Type::List(to) | Type::Set(to)) => {
            elements_exist(elements.iter().collect(), to, risk)
        }
        (Type::Object(object), Type::Map(to)) => {
            elements_exist(object.attributes.values().collect(), to, risk)
        }
        (Type::Map(from), Type::Object(to)) => {
            risk == Risk::Unsafe
                && to
                    .attributes
                    .values()
                    .all(|to| conversion_exists(from, to, risk))
        }
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len()
                && from
                    .iter()
                    .zip(to)
                    .all(|(from, to)| conversion_exists(from, to, risk))
        }
        (Type::Object(from), Type::Object(to)) => object_exists(from, to, risk),
        _ => false,
    }
}

fn elements_exist(from: Vec<&Type>, to: &Type, risk: Risk) -> bool {
    if *to == Type::Dynamic {
        return from.is_empty() || unify_types(&from, Risk::Unsafe).is_some();
    }
    from.iter().all(|from| conversion_exists(from, to, risk))
}

fn object_exists(from: &ObjectType, to: &ObjectType, risk: Risk) -> bool {
    to.attributes
        .iter()
        .all(|(name, to_ty)| match from.attributes.get(name) {
            Some(from_ty) => conversion_exists(from_ty, to_ty, risk),
            None => to.optional.contains_key(name),
        })
}
