//! Downloads with checksums, resume and a shared cache.
//!
//! Here are the option group [`IsoConfig`] that builders mix into theirs, and [`Download`] behind
//! it: web and local sources tried in order, a cache keyed by checksum that concurrent builds
//! share under a lock, resume of what was cut off, archives unpacked, and every byte verified
//! before it is used. Not here: sources that need a tool or an account (git, S3, …); they are
//! refused by name.
//!
//! Start with [`IsoConfig::download`].

mod cache;
mod checksum;
mod checksum_file;
mod download;
mod error;
mod http;
mod iso_config;
mod netrc;
mod source;
mod unpack;

pub use cache::Target;
pub use checksum::{Algorithm, Checksum, ChecksumError, ChecksumSpec};
pub use download::{Download, Downloaded};
pub use error::{DownloadError, Tried};
pub use http::serves_ranges;
pub use iso_config::IsoConfig;
