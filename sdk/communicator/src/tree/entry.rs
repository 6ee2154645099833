//! What a tree is made of.

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::CommunicatorError;

/// How much of a file one [`Entry::Data`] holds at most when this crate makes it, in bytes.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// One event of a tree that is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder; its content follows.
    Directory {
        /// Relative path.
        path: String,
        /// Permission bits.
        mode: u32,
    },
    /// A file; its content follows as [`Entry::Data`], `size` bytes in all.
    File {
        /// Relative path.
        path: String,
        /// Permission bits.
        mode: u32,
        /// Bytes.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// Relative path.
        path: String,
        /// As stored, not resolved.
        target: String,
    },
    /// A piece of the file that came last.
    Data(Bytes),
}

/// A tree, parents first.
pub type Entries = BoxStream<'static, Result<Entry, CommunicatorError>>;
