//! The `shell` and `shell-local` provisioners and the `shell-local` post-processor.
//!
//! `remote` runs scripts in the machine, `local` on this one; what both need of options is in
//! `scripts` and `environment`.

mod environment;
mod local;
mod remote;
mod scripts;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("shell", env!("CARGO_PKG_VERSION"))
        .provisioner("shell", remote::Shell)
        .provisioner("shell-local", local::ShellLocal)
        .post_processor("shell-local", local::ShellLocalPost)
        .serve()
}
