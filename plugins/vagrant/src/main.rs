//! The `vagrant`, `vagrant-cloud` and `vagrant-registry` post-processors.
//!
//! `boxes` makes a box of an artifact, `publish` uploads one; this file only registers them.

mod boxes;
mod publish;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("vagrant", env!("CARGO_PKG_VERSION"))
        .post_processor("vagrant", boxes::Vagrant)
        .post_processor("vagrant-cloud", publish::VagrantCloud)
        .post_processor("vagrant-registry", publish::VagrantRegistry)
        .serve()
}
