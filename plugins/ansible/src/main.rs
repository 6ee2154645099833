//! The `ansible` and `ansible-local` provisioners.
//!
//! `from_here` runs Ansible on the machine kiln runs on, through `proxy`, an SSH server on loopback
//! in front of whatever connection the builder has, or straight to the guest. `on_guest` runs it in
//! the guest. What both need is in `variables` and `galaxy`.

mod from_here;
mod galaxy;
mod on_guest;
mod proxy;
mod variables;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("ansible", env!("CARGO_PKG_VERSION"))
        .provisioner("ansible", from_here::Ansible)
        .provisioner("ansible-local", on_guest::AnsibleLocal)
        .serve()
}
