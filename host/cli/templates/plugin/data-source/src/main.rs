//! The plugin `myplugin`: registers its components and does nothing else.
//!
//! [`data_source`] has the options and what is done with them.

mod data_source;

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_sdk::Plugin::new("myplugin", env!("CARGO_PKG_VERSION"))
        .data_source("myplugin", data_source::DataSource)
        .serve()
}
