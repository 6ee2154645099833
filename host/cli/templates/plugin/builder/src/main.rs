//! The plugin `myplugin`: registers its components and does nothing else.
//!
//! [`builder`] has the options and what is done with them.

mod builder;

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_sdk::Plugin::new("myplugin", env!("CARGO_PKG_VERSION"))
        .builder("myplugin", builder::Builder)
        .serve()
}
