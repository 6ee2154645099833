//! Trees of files as streams of entries: read from and written to local folders, packed as tar.
//!
//! An entry's path is relative, `/` separated and never leads outside the tree: [`write_local`]
//! refuses anything else, because trees come from guests that may be hostile. At no time is more
//! than a few MiB of a tree in memory, however large its files are or however many it has.
//!
//! Start with [`Entry`]. Not here: which folder a trailing slash means; callers decide that.

mod archive;
mod batch;
mod entry;
mod path;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use archive::{from_tar, to_tar};
pub use batch::{Abandoned, Producer, channel};
pub use entry::{CHUNK_BYTES, Entries, Entry};
pub use path::{is_excluded, relative_path};
pub use read::{ReadOptions, Symlinks, read_local};
pub use write::write_local;
