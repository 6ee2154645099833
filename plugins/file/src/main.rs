//! The `file` builder and the `file` provisioner.

mod builder;
mod nowhere;
mod provisioner;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("file", env!("CARGO_PKG_VERSION"))
        .builder("file", builder::FileBuilder)
        .provisioner("file", provisioner::FileProvisioner)
        .serve()
}
