//! The `vsphere` and `vsphere-template` post-processors.
//!
//! `upload` runs `ovftool`, `template` works on what is in vSphere, `soap` is the part of vSphere's
//! API that they need. This file only registers them.
//!
//! Tried with a stand-in for `ovftool`, which cannot be had here, and with `vcsim`, the simulator
//! of VMware's own Go library; not with a real vCenter or ESXi.

mod soap;
mod template;
mod upload;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("vsphere", env!("CARGO_PKG_VERSION"))
        .post_processor("vsphere", upload::Vsphere)
        .post_processor("vsphere-template", template::VsphereTemplate)
        .serve()
}
