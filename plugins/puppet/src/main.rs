//! The `puppet-masterless` and `puppet-server` provisioners.
//!
//! `masterless` applies manifests of this machine in the guest, `server` has the guest ask a Puppet
//! server. What both have of options is in `options`, their command line in `command`, facts in
//! `facts`, and a run of Puppet in `run`.

mod command;
mod facts;
mod masterless;
mod options;
mod run;
mod server;

#[cfg(test)]
mod tests;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("puppet", env!("CARGO_PKG_VERSION"))
        .provisioner("puppet-masterless", masterless::PuppetMasterless)
        .provisioner("puppet-server", server::PuppetServer)
        .serve()
}
