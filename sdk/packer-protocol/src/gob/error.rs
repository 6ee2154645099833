//! What can be wrong with a stream.

/// A stream that cannot be read, or a value that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GobError {
    /// The bytes end too early.
    #[error("gob data ends at byte {offset}, where {wanted} is wanted")]
    Truncated {
        /// Where, in bytes from the start of the stream.
        offset: usize,
        /// What should be there.
        wanted: &'static str,
    },
    /// The bytes are no gob.
    #[error("gob data has no valid {wanted} at byte {offset}")]
    Malformed {
        /// Where, in bytes from the start of the stream.
        offset: usize,
        /// What should be there.
        wanted: &'static str,
    },
    /// A value refers to a type that the stream does not define.
    #[error("gob data uses type {id} at byte {offset}, which it does not define")]
    UnknownType {
        /// Number of the type.
        id: i64,
        /// Where, in bytes from the start of the stream.
        offset: usize,
    },
    /// Values nest too deep.
    #[error("gob data nests deeper than {limit} levels at byte {offset}")]
    TooDeep {
        /// The limit.
        limit: usize,
        /// Where, in bytes from the start of the stream.
        offset: usize,
    },
    /// There are too many values.
    #[error("gob data holds more than {limit} values")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A value is to be written as a type that it is not.
    #[error("a value cannot be written as gob type {id}: {wanted} is wanted")]
    Mismatch {
        /// Number of the type.
        id: i64,
        /// What the type wants.
        wanted: &'static str,
    },
}
