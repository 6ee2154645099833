//! What can be wrong with a value.

use sdk_config::Path;

use crate::gob::GobError;

/// A value that cannot be read from the wire or written to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The gob data is broken.
    #[error(transparent)]
    Gob(#[from] GobError),
    /// The JSON text is broken.
    #[error("not valid JSON of a template value")]
    Json(#[from] serde_json::Error),
    /// The msgpack data is broken.
    #[error("msgpack data has no valid {wanted} at byte {offset}")]
    Msgpack {
        /// What should be there.
        wanted: &'static str,
        /// Where, in bytes from the start.
        offset: usize,
    },
    /// The data is well-formed but is not what its own type says.
    #[error("{} is not {wanted}", place(path))]
    Mismatch {
        /// Where in the value.
        path: Path,
        /// What the type wants.
        wanted: String,
    },
    /// The text of a type is none.
    #[error("`{text}` is no type of template values")]
    Type {
        /// The text, cut if long.
        text: String,
    },
    /// The encoding has no form for a type.
    #[error("{encoding} cannot carry a value of type `{ty}`")]
    Unsupported {
        /// The encoding.
        encoding: &'static str,
        /// The type.
        ty: String,
    },
    /// The encoding has no form for values that are not known yet.
    #[error("{encoding} cannot carry a value that is not known yet")]
    Unknown {
        /// The encoding.
        encoding: &'static str,
    },
    /// A number that is infinite, no number, or beyond what is carried.
    #[error("`{text}` is no number that can be carried")]
    Number {
        /// The number, cut if long.
        text: String,
    },
    /// Values or types nest too deep.
    #[error("values nest deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// There are too many values.
    #[error("a value holds more than {limit} values")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

impl ValueError {
    pub(crate) fn mismatch(path: &Path, wanted: impl Into<String>) -> Self {
        Self::Mismatch {
            path: path.clone(),
            wanted: wanted.into(),
        }
    }

    pub(crate) fn number(text: &str) -> Self {
        Self::Number { text: cut(text) }
    }

    pub(crate) fn ty(text: &str) -> Self {
        Self::Type { text: cut(text) }
    }
}

/// The first characters of a text that may be very long.
fn cut(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn place(path: &Path) -> String {
    if path.0.is_empty() {
        "the value".to_owned()
    } else {
        format!("`{path}`")
    }
}
