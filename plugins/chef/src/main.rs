//! The `chef-solo` and `chef-client` provisioners.
//!
//! `solo` runs Chef in the guest with cookbooks of this machine, `client` against a Chef server.
//! What both have of options is in `options`, what a node is told in `attributes`, how Chef gets
//! there in `install`, how it is run in `run`, and Ruby's way of writing text in `ruby`.

mod attributes;
mod client;
mod install;
mod options;
mod ruby;
mod run;
mod solo;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("chef", env!("CARGO_PKG_VERSION"))
        .provisioner("chef-solo", solo::ChefSolo)
        .provisioner("chef-client", client::ChefClient)
        .serve()
}
