//! The canonical layout of HCL2 files: what `fmt` does.
//!
//! Here are the formatter ([`format()`]), which moves blanks and nothing else, the search for the
//! files that a path stands for ([`find`]), the replacement of a file's content as one step
//! ([`replace`]), and the difference of two texts ([`unified_diff`]). Not here: the command's flags,
//! its output and its exit codes. Start with [`format()`].

mod diff;
mod error;
mod files;
mod layout;

pub use diff::unified_diff;
pub use error::FileError;
pub use files::{Found, Reach, find, read, read_from, replace};
pub use layout::format;
