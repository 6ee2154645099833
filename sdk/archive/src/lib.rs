//! Archives and compressed files, written on all cores, with progress, and gone when cancelled.
//!
//! Here are [`write()`] and what it is told: a [`Plan`] of [`Entry`]s, a [`Container`] and a
//! [`Compression`]. Not here: reading archives (`sdk-download` unpacks what it fetched) and which
//! format a file name asks for (the `compress` post-processor knows).
//!
//! Start with [`write()`].

mod blocks;
mod compression;
mod deflate;
mod encoder;
mod entry;
mod error;
mod frames;
mod job;
mod tape;
mod zip;

pub use compression::Compression;
pub use entry::{Content, Entry};
pub use error::ArchiveError;
pub use job::{Container, Plan, write};
