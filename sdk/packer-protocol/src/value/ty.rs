//! Types of template values.

use std::collections::{BTreeMap, BTreeSet};

use sdk_config::{Value, ValueKind};

/// The type of a value in Packer's templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CtyType {
    /// Any type: each value says its own.
    Dynamic,
    /// Text.
    String,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// Items of one type in order.
    List(Box<CtyType>),
    /// Different items of one type without order.
    Set(Box<CtyType>),
    /// Text keys and values of one type.
    Map(Box<CtyType>),
    /// Items of a type each.
    Tuple(Vec<CtyType>),
    /// Named values of a type each.
    Object {
        /// Names and types.
        attributes: BTreeMap<String, CtyType>,
        /// Which of them may be left out.
        optional: BTreeSet<String>,
    },
}

impl CtyType {
    /// An object whose attributes are all wanted.
    #[must_use]
    pub fn object(attributes: BTreeMap<String, CtyType>) -> Self {
        Self::Object {
            attributes,
            optional: BTreeSet::new(),
        }
    }

    /// A list of `element`.
    #[must_use]
    pub fn list(element: CtyType) -> Self {
        Self::List(Box::new(element))
    }

    /// A map of `element`.
    #[must_use]
    pub fn map(element: CtyType) -> Self {
        Self::Map(Box::new(element))
    }

    /// The type that a value shows: items make a tuple, keys an object; null and unknown are of any
    /// type.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match &value.kind {
            ValueKind::Null | ValueKind::Unknown => Self::Dynamic,
            ValueKind::Bool(_) => Self::Bool,
            ValueKind::Number(_) => Self::Number,
            ValueKind::String(_) => Self::String,
            ValueKind::List(items) => Self::Tuple(items.iter().map(Self::of).collect()),
            ValueKind::Map(entries) => Self::object(
                entries
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::of(value)))
                    .collect(),
            ),
        }
    }
}

impl std::fmt::Display for CtyType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dynamic => f.write_str("any"),
            Self::String => f.write_str("string"),
            Self::Number => f.write_str("number"),
            Self::Bool => f.write_str("bool"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Set(element) => write!(f, "set({element})"),
            Self::Map(element) => write!(f, "map({element})"),
            Self::Tuple(elements) => {
                let list: Vec<String> = elements.iter().map(ToString::to_string).collect();
                write!(f, "tuple([{}])", list.join(", "))
            }
            Self::Object { attributes, .. } => {
                let list: Vec<String> = attributes
                    .iter()
                    .map(|(name, ty)| format!("{name} = {ty}"))
                    .collect();
                write!(f, "object({{{}}})", list.join(", "))
            }
        }
    }
}
