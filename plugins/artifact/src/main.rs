//! The `artifice`, `checksum`, `compress` and `manifest` post-processors.
//!
//! Each lives in a module of its own; this file only registers them.

mod artifice;
mod checksum;
mod compress;
mod manifest;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("artifact", env!("CARGO_PKG_VERSION"))
        .post_processor("artifice", artifice::Artifice)
        .post_processor("checksum", checksum::Checksum)
        .post_processor("compress", compress::Compress)
        .post_processor("manifest", manifest::Manifest)
        .serve()
}
