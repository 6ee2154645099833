//! The types of the template language.

use std::collections::BTreeMap;
use std::fmt;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Not known yet, or `any`.
    Dynamic,
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `list(T)`.
    List(Box<Type>),
    /// `set(T)`.
    Set(Box<Type>),
    /// `map(T)`.
    Map(Box<Type>),
    /// `tuple([T, …])`.
    Tuple(Vec<Type>),
    /// `object({name = T, …})`.
    Object(ObjectType),
}

/// The attributes of an object type.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ObjectType {
    /// By name.
    pub attributes: BTreeMap<String, Type>,
    /// Those that may be left out, with the default that is used then.
    pub optional: BTreeMap<String, Option<crate::Value>>,
}

impl Type {
    /// `list(element)`.
    #[must_use]
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// `set(element)`.
    #[must_use]
    pub fn set(element: Type) -> Self {
        Self::Set(Box::new(element))
    }

    /// `map(element)`.
    #[must_use]
    pub fn map(element: Type) -> Self {
        Self::Map(Box::new(element))
    }

    /// An object type without optional attributes.
    #[must_use]
    pub fn object(attributes: BTreeMap<String, Type>) -> Self {
        Self::Object(ObjectType {
            attributes,
            optional: BTreeMap::new(),
        })
    }

    /// Whether it is string, number or bool.
    #[must_use]
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// Whether it is a list, set or tuple.
    #[must_use]
    pub fn is_sequence(&self) -> bool {
        matches!(self, Self::List(_) | Self::Set(_) | Self::Tuple(_))
    }

    /// Whether it is a map or object.
    #[must_use]
    pub fn is_mapping(&self) -> bool {
        matches!(self, Self::Map(_) | Self::Object(_))
    }

    /// The type of each element of a list, set or map.
    #[must_use]
    pub fn element(&self) -> Option<&Type> {
        match self {
            Self::List(element) | Self::Set(element) | Self::Map(element) => Some(element),
            _ => None,
        }
    }

    /// Whether it or a part of it is not known yet.
    #[must_use]
    pub fn contains_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => {
                element.contains_dynamic()
            }
            Self::Tuple(elements) => elements.iter().any(Type::contains_dynamic),
            Self::Object(object) => object.attributes.values().any(Type::contains_dynamic),
        }
    }

    /// The type of values that were converted to it: optional attributes are plain ones then.
    #[must_use]
    pub fn without_optional(&self) -> Type {
        match self {
            Self::List(element) => Self::list(element.without_optional()),
            Self::Set(element) => Self::set(element.without_optional()),
            Self::Map(element) => Self::map(element.without_optional()),
            Self::Tuple(elements) => {
                Self::Tuple(elements.iter().map(Type::without_optional).collect())
            }
            Self::Object(object) => {
                let attributes = object.attributes.iter();
                Self::object(
                    attributes
                        .map(|(k, ty)| (k.clone(), ty.without_optional()))
                        .collect(),
                )
            }
            _ => self.clone(),
        }
    }

    /// As people say it: `list of string`, `object`, `any type`.
    #[must_use]
    pub fn friendly_name(&self) -> String {
        match self {
            Self::Dynamic => "any type".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Number => "number".to_owned(),
            Self::String => "string".to_owned(),
            Self::List(element) => format!("list of {}", element.friendly_name()),
            Self::Set(element) => format!("set of {}", element.friendly_name()),
            Self::Map(element) => format!("map of {}", element.friendly_name()),
            Self::Tuple(_) => "tuple".to_owned(),
            Self::Object(_) => "object".to_owned(),
        }
    }
}

/// As a type constraint is written: `list(object({name = string}))`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Set(element) => write!(f, "set({element})"),
            Self::Map(element) => write!(f, "map({element})"),
            Self::Tuple(elements) => {
                let elements: Vec<String> = elements.iter().map(Type::to_string).collect();
                write!(f, "tuple([{}])", elements.join(", "))
            }
            Self::Object(object) => {
                let attribute =
                    |(name, ty): (&String, &Type)| match object.optional.contains_key(name) {
                        true => format!("{name} = optional({ty})"),
                        false => format!("{name} = {ty}"),
                    };
                let attributes: Vec<String> = object.attributes.iter().map(attribute).collect();
                write!(f, "object({{{}}})", attributes.join(", "))
            }
        }
    }
}
