//! Why a value cannot be converted.

use std::fmt;

use crate::types::Type;

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// Into the attribute of an object.
    Attribute(String),
    /// Into the element of a map.
    Key(String),
    /// Into the element of a list or tuple, counted from zero.
    Index(usize),
    /// Into an element of a set.
    Element,
}

/// A value, or the part of it that `path` leads to, cannot be converted. No text of the value is
/// in it, so it can be shown for sensitive values too.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvertError {
    /// From the outside in; empty for the value itself.
    pub path: Vec<PathStep>,
    /// What is wrong there.
    pub problem: ConvertProblem,
}

/// What keeps a value from being converted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertProblem {
    /// Its type has no way to the wanted one.
    #[error("{} required, but have {}", want.friendly_name(), have.friendly_name())]
    Mismatch {
        /// What is wanted.
        want: Box<Type>,
        /// What there is.
        have: Box<Type>,
    },
    /// The text is not a bool.
    #[error("a bool is required{}", hint.map(|word| format!("; to convert from string, use lowercase \"{word}\"")).unwrap_or_default())]
    NotBool {
        /// The word that was probably meant.
        hint: Option<&'static str>,
    },
    /// The text is not a number.
    #[error("a number is required")]
    NotNumber,
    /// An object or map lacks attributes.
    #[error("{}", missing_text(names))]
    MissingAttributes {
        /// Their names, sorted.
        names: Vec<String>,
    },
    /// A tuple has too few or too many elements.
    #[error("a tuple of {want} elements is required, but this has {have}")]
    TupleLength {
        /// How many are wanted.
        want: usize,
        /// How many there are.
        have: usize,
    },
    /// The elements cannot all become one type.
    #[error("all {collection} elements must have the same type")]
    MixedElements {
        /// `list`, `set` or `map`.
        collection: &'static str,
    },
    /// The value is the missing one where that is not allowed.
    #[error("the value must not be null")]
    Null,
}

fn missing_text(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    match quoted.split_last() {
        Some((last, [])) => format!("attribute {last} is required"),
        Some((last, rest)) => format!("attributes {} and {last} are required", rest.join(", ")),
        None => "attributes are missing".to_owned(),
    }
}

impl ConvertError {
    pub(crate) fn here(problem: ConvertProblem) -> Self {
        Self {
            path: Vec::new(),
            problem,
        }
    }

    pub(crate) fn mismatch(have: &Type, want: &Type) -> Self {
        Self::here(ConvertProblem::Mismatch {
            want: Box::new(want.clone()),
            have: Box::new(have.clone()),
        })
    }

    pub(crate) fn inside(mut self, step: PathStep) -> Self {
        self.path.insert(0, step);
        self
    }
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(f, "attribute {name:?}"),
            Self::Key(key) => write!(f, "element {key:?}"),
            Self::Index(index) => write!(f, "element {index}"),
            Self::Element => f.write_str("an element"),
        }
    }
}

/// `attribute "disks": element 0: a number is required`.
impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.path {
            write!(f, "{step}: ")?;
        }
        write!(f, "{}", self.problem)
    }
}

impl std::error::Error for ConvertError {}
