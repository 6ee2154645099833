//! The null builder: connects to a machine that exists, and has it provisioned.
//!
//! The smallest honest builder, and the one to copy. [`config`] has the options and their rules,
//! [`builder`] the order of the steps, this file registers the components and does nothing else.

mod builder;
mod config;

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_sdk::Plugin::new("null", env!("CARGO_PKG_VERSION"))
        .builder("null", builder::Null)
        .serve()
}

#[cfg(test)]
mod tests;
