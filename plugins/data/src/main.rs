//! The data sources `http` and `null`.
//!
//! [`http`] asks a web server while a template is evaluated, [`null`] gives back what it is given.
//! This file registers them and does nothing else.

mod http;
mod null;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("data", env!("CARGO_PKG_VERSION"))
        .data_source("http", http::Http)
        .data_source("null", null::Null)
        .serve()
}
