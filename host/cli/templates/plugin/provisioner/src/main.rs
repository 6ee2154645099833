//! The plugin `myplugin`: registers its components and does nothing else.
//!
//! [`provisioner`] has the options and what is done with them.

mod provisioner;

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_sdk::Plugin::new("myplugin", env!("CARGO_PKG_VERSION"))
        .provisioner("myplugin", provisioner::Provisioner)
        .serve()
}
