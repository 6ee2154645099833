//! The `salt-masterless` provisioner.
//!
//! `config` has the options, `places` where things are in the guest, `formula` what is fetched from
//! Git, `bootstrap` how Salt gets there, `command` how it is called, `windows` what is different
//! there, and `provisioner` the order.

mod bootstrap;
mod command;
mod config;
mod formula;
mod places;
mod provisioner;
mod windows;

#[cfg(test)]
mod tests;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("salt", env!("CARGO_PKG_VERSION"))
        .provisioner("salt-masterless", provisioner::SaltMasterless)
        .serve()
}
