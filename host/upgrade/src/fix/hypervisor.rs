//! Builders for VMware, Parallels, Hyper-V and QEMU.

use serde_json::Value;

use super::option::rename;
use crate::document::Document;

/// The builder `vmware` becomes `vmware-iso`.
pub(super) fn vmware_rename(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "vmware") {
        builder.insert("type".to_owned(), "vmware-iso".into());
    }
}

/// Disks on an ESX server that are not thin cannot be compacted.
pub(super) fn vmware_compaction(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "vmware-iso") {
        let text = |key| builder.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("remote_type") != "esx5" || text("disk_type_id") == "thin" {
            continue;
        }
        if text("disk_type_id").is_empty() {
            builder.insert("disk_type_id".to_owned(), "zeroedthick".into());
        }
        let skip = builder
            .entry("skip_compaction")
            .or_insert(Value::Bool(true));
        if skip.is_boolean() || skip.is_null() {
            *skip = Value::Bool(true);
        }
    }
}

/// `headless` never did anything.
pub(super) fn parallels_headless(document: &mut Document) {
    for builder in document.builders_of(is_parallels) {
        builder.remove("headless");
    }
}

/// `parallels_tools_host_path` goes; `guest_os_distribution` becomes `guest_os_type`.
pub(super) fn parallels_deprecations(document: &mut Document) {
    for builder in document.builders_of(is_parallels) {
        builder.remove("parallels_tools_host_path");
        rename(builder, "guest_os_distribution", "guest_os_type");
    }
}

fn is_parallels(kind: &str) -> bool {
    matches!(kind, "parallels-iso" | "parallels-pvm")
}

/// `vhd_temp_path` never did anything.
pub(super) fn hyperv_deprecations(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "hyperv-iso") {
        builder.remove("vhd_temp_path");
    }
}

/// A misspelt option.
pub(super) fn hyperv_vmcx(document: &mut Document) {
    let (old, new) = ("clone_from_vmxc_path", "clone_from_vmcx_path");
    for builder in document.builders_of(|kind| kind == "hyperv-vmcx") {
        rename(builder, old, new);
    }
}

/// Names that other builders have.
pub(super) fn hyperv_cpus_and_memory(document: &mut Document) {
    for builder in document.builders_of(|kind| matches!(kind, "hyperv-iso" | "hyperv-vmcx")) {
        rename(builder, "cpu", "cpus");
        rename(builder, "ram_size", "memory");
    }
}

/// A number in `disk_size` means mebibytes; it becomes text that says so.
pub(super) fn qemu_disk_size(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "qemu") {
        if let Some(Value::Number(size)) = builder.get("disk_size") {
            let mebibytes = size.as_f64().unwrap_or_default().trunc();
            builder.insert("disk_size".to_owned(), format!("{mebibytes}M").into());
        }
    }
}

/// Forwarded ports serve any communicator, so the options lose `ssh_`.
pub(super) fn qemu_host_port(document: &mut Document) {
    for builder in document.builders_of(|kind| kind == "qemu") {
        rename(builder, "ssh_host_port_min", "host_port_min");
        rename(builder, "ssh_host_port_max", "host_port_max");
    }
}
