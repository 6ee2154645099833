//! The provisioners that wait: `sleep` for a time, `breakpoint` for the person.
//!
//! Each lives in a module of its own; this file only registers them.

mod breakpoint;
mod sleep;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("pause", env!("CARGO_PKG_VERSION"))
        .provisioner("sleep", sleep::Sleep)
        .provisioner("breakpoint", breakpoint::Breakpoint)
        .serve()
}
