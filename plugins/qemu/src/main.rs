//! The qemu plugin.

mod builder;
mod command_line;
mod config;
mod driver;
mod reclaim;
mod record;
mod steps;
#[cfg(test)]
mod tests;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("qemu", env!("CARGO_PKG_VERSION"))
        .builder("qemu", builder::Qemu::new(driver::Installed))
        .reclaimer(reclaim::PIDFILE, reclaim::reclaim_process)
        .serve()
}
