//! Repairs of outdated options.
//!
//! [`FIXERS`] is the table, in the order in which they run; a fixer lives in the file of what it is
//! about. To add one, write a function on a [`Document`] and add a line to the table.

mod amazon;
mod builder;
mod checksum;
mod hypervisor;
mod option;
mod post_processor;
mod provisioner;
mod text;
mod virtualbox;
mod vsphere;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::document::Document;
use crate::error::UpgradeError;

/// The repair of one outdated thing.
#[derive(Debug)]
pub struct Fixer {
    /// Its name, as help texts print it.
    pub name: &'static str,
    /// What it does, in a line without a period.
    pub synopsis: &'static str,
    run: fn(&mut Document) -> Result<(), UpgradeError>,
}

/// Makes an entry of the table; a fixer that cannot fail may return nothing.
macro_rules! fixer {
    ($name:literal, try $run:path, $synopsis:literal) => {
        Fixer {
            name: $name,
            synopsis: $synopsis,
            run: $run,
        }
    };
    ($name:literal, $run:path, $synopsis:literal) => {
        Fixer {
            name: $name,
            synopsis: $synopsis,
            run: |document| {
                $run(document);
                Ok(())
            },
        }
    };
}

/// All fixers, in the order in which they run.
pub const FIXERS: [Fixer; 34] = [
    fixer!(
        "iso-md5",
        checksum::iso_md5,
        "Turns `iso_md5` into `iso_checksum` of type md5"
    ),
    fixer!(
        "createtime",
        text::create_time,
        "Turns `{{.CreateTime}}` into `{{timestamp}}`"
    ),
    fixer!(
        "virtualbox-gaattach",
        virtualbox::guest_additions_attach,
        "Turns `guest_additions_attach` of virtualbox into `guest_additions_mode`"
    ),
    fixer!(
        "pp-vagrant-override",
        post_processor::vagrant_override,
        "Moves a vagrant post-processor's options per provider below `override`"
    ),
    fixer!(
        "virtualbox-rename",
        virtualbox::rename,
        "Renames virtualbox to virtualbox-iso"
    ),
    fixer!(
        "vmware-rename",
        hypervisor::vmware_rename,
        "Renames vmware to vmware-iso"
    ),
    fixer!(
        "parallels-headless",
        hypervisor::parallels_headless,
        "Removes `headless` of parallels"
    ),
    fixer!(
        "parallels-deprecations",
        hypervisor::parallels_deprecations,
        "Removes `parallels_tools_host_path`; renames `guest_os_distribution` to `guest_os_type`"
    ),
    fixer!(
        "sshkeypath",
        builder::ssh_key_path,
        "Renames `ssh_key_path` to `ssh_private_key_file`"
    ),
    fixer!(
        "sshdisableagent",
        builder::ssh_disable_agent,
        "Renames `ssh_disable_agent` to `ssh_disable_agent_forwarding`"
    ),
    fixer!(
        "scaleway-access-key",
        builder::scaleway_access_key,
        "Renames `access_key` of scaleway to `organization_id`"
    ),
    fixer!(
        "manifest-filename",
        post_processor::manifest_filename,
        "Renames `filename` of the manifest post-processor to `output`"
    ),
    fixer!(
        "amazon-shutdown_behavior",
        amazon::shutdown_behavior,
        "Renames `shutdown_behaviour` of amazon to `shutdown_behavior`"
    ),
    fixer!(
        "amazon-enhanced-networking",
        amazon::enhanced_networking,
        "Renames `enhanced_networking` of amazon to `ena_support`"
    ),
    fixer!(
        "amazon-private-ip",
        try amazon::private_ip,
        "Turns `ssh_private_ip` of amazon into `ssh_interface`"
    ),
    fixer!(
        "amazon-temp-sec-cidrs",
        amazon::temporary_cidrs,
        "Turns `temporary_security_group_source_cidr` of amazon into a list, `…_cidrs`"
    ),
    fixer!(
        "docker-email",
        post_processor::docker_email,
        "Removes `login_email`"
    ),
    fixer!(
        "docker-tag-tags",
        post_processor::docker_tags,
        "Joins `tag` of the docker-tag post-processor with `tags`"
    ),
    fixer!(
        "powershell-escapes",
        provisioner::powershell_escapes,
        "Removes backticks in powershell's variables and elevated user and password"
    ),
    fixer!(
        "vmware-compaction",
        hypervisor::vmware_compaction,
        "Sets `skip_compaction` where a remote VMware disk cannot be compacted"
    ),
    fixer!(
        "hyperv-deprecations",
        hypervisor::hyperv_deprecations,
        "Removes `vhd_temp_path`"
    ),
    fixer!(
        "hyperv-vmxc-typo",
        hypervisor::hyperv_vmcx,
        "Renames `clone_from_vmxc_path` to `clone_from_vmcx_path`"
    ),
    fixer!(
        "hyperv-cpu-and-ram",
        hypervisor::hyperv_cpus_and_memory,
        "Renames `cpu` of hyperv to `cpus` and `ram_size` to `memory`"
    ),
    fixer!(
        "clean-image-name",
        text::clean_resource_name,
        "Renames `clean_image_name` and `clean_ami_name` to `clean_resource_name`"
    ),
    fixer!(
        "spot-price-auto-product",
        amazon::spot_price_auto_product,
        "Removes `spot_price_auto_product` of amazon"
    ),
    fixer!(
        "qemu-disk-size",
        hypervisor::qemu_disk_size,
        "Gives a number in `disk_size` its unit"
    ),
    fixer!(
        "galaxy-command",
        provisioner::galaxy_command,
        "Renames `galaxycommand` of ansible-local to `galaxy_command`"
    ),
    fixer!(
        "comm-config",
        virtualbox::port_forwarding,
        "Removes `ssh_` from the port forwarding options of virtualbox"
    ),
    fixer!(
        "ssh-wait-timeout",
        builder::ssh_wait_timeout,
        "Renames `ssh_wait_timeout` to `ssh_timeout`"
    ),
    fixer!(
        "vsphere-iso-net-disk",
        vsphere::network_and_disk,
        "Moves network and disk options of vsphere-iso into `network_adapters` and `storage`"
    ),
    fixer!(
        "iso-checksum-type-and-url",
        checksum::type_and_url,
        "Moves `iso_checksum_url` and `iso_checksum_type` into `iso_checksum`"
    ),
    fixer!(
        "qemu-host-port",
        hypervisor::qemu_host_port,
        "Renames `ssh_host_port_min` and `…_max` of qemu to `host_port_min` and `…_max`"
    ),
    fixer!(
        "azure-exclude_from_latest",
        builder::azure_exclude_from_latest,
        "Renames `exlude_from_latest` of azure-chroot to `exclude_from_latest`"
    ),
    fixer!(
        "proxmox-type",
        builder::proxmox_type,
        "Renames proxmox to proxmox-iso"
    ),
];

/// Runs all fixers. Options that are right already stay as they are. A template without `builders`
/// gets `null` there, as Packer does it.
///
/// # Errors
///
/// [`UpgradeError::NotBoolean`] when a yes-or-no option has another value.
pub fn fix(document: &mut Document) -> Result<(), UpgradeError> {
    for fixer in &FIXERS {
        (fixer.run)(document)?;
    }
    document.root.entry("builders").or_insert(Value::Null);
    Ok(())
}
