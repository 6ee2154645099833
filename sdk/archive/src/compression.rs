//! How bytes become fewer.

use std::num::NonZero;

/// More threads than this would need more memory for XZ than machines have.
const MOST_XZ_THREADS: usize = 16;

/// How bytes become fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// They do not.
    None,
    /// Gzip.
    Gzip,
    /// Blocked gzip, whose blocks can be read one by one.
    Bgzf,
    /// LZ4 frames.
    Lz4,
    /// XZ.
    Xz,
    /// Bzip2.
    Bzip2,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// How many threads it is done with on this machine.
    #[must_use]
    pub fn threads(self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        match self {
            Self::None => 1,
            Self::Xz => cores.min(MOST_XZ_THREADS),
            _ => cores,
        }
    }
}
