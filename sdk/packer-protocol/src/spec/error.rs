//! What can be wrong with a description.

use crate::gob::GobError;
use crate::value::ValueError;

/// A description that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The gob data is broken.
    #[error("the description of options is broken")]
    Gob(#[from] GobError),
    /// The protobuf data is broken.
    #[error("the description of options is broken")]
    Protobuf(#[from] prost::DecodeError),
    /// A type or fixed value in it is broken.
    #[error("the description of options holds a broken type or value")]
    Value(#[from] ValueError),
    /// It is longer than any honest one.
    #[error("the description of options has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It nests too deep.
    #[error("the description of options nests deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A part says nothing, or something unknown.
    #[error("the description of options has a part `{part}` that is {found}")]
    Part {
        /// The part, as far as it has a name.
        part: String,
        /// What it is.
        found: String,
    },
    /// The encoding has no form for a part.
    #[error("{encoding} cannot describe {what}")]
    Unsupported {
        /// The encoding.
        encoding: &'static str,
        /// The part.
        what: String,
    },
}

impl SpecError {
    pub(crate) fn part(part: &str, found: impl Into<String>) -> Self {
        Self::Part {
            part: part.to_owned(),
            found: found.into(),
        }
    }
}
