//! The plugin `myplugin`: registers its components and does nothing else.
//!
//! [`post_processor`] has the options and what is done with them.

mod post_processor;

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_sdk::Plugin::new("myplugin", env!("CARGO_PKG_VERSION"))
        .post_processor("myplugin", post_processor::PostProcessor)
        .serve()
}
