//! The folder tree that plugins are installed in, as Packer lays it out.
//!
//! Here are where the tree is ([`plugin_tree`]), the names of executables in it ([`FileName`]), and
//! what there is ([`walk`]). Nothing here opens an executable; which of them can be used is judged
//! in `registry`.

mod file_name;
mod place;
mod walking;

pub use file_name::{Family, FileName, NameProblem, Platform, is_plugin_name};
pub use place::{TreeError, plugin_tree};
pub use walking::{CHECKSUM_SUFFIX, Seen, checksum_file, walk};
