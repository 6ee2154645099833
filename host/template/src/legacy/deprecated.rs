//! Options that Packer once had, and what took their place.

/// Old name, and the new one; empty when the option is simply gone.
const DEPRECATED: [(&str, &str); 25] = [
    ("clone_from_vmxc_path", "clone_from_vmcx_path"),
    ("cpu", "cpus"),
    ("enhanced_networking", "ena_support"),
    ("exlude_from_latest", "exclude_from_latest"),
    ("filename", "output"),
    ("galaxycommand", "galaxy_command"),
    ("guest_additions_attach", "guest_additions_mode"),
    ("guest_os_distribution", "guest_os_type"),
    ("iso_checksum_type", "iso_checksum"),
    ("iso_checksum_url", "iso_checksum"),
    ("iso_md5", "iso_checksum"),
    ("login_email", ""),
    ("parallels_tools_host_path", ""),
    ("ram_size", "memory"),
    ("shutdown_behaviour", "shutdown_behavior"),
    ("spot_price_auto_product", ""),
    ("ssh_disable_agent", "ssh_disable_agent_forwarding"),
    ("ssh_host_port_max", "host_port_max"),
    ("ssh_host_port_min", "host_port_min"),
    ("ssh_key_path", "ssh_private_key_file"),
    ("ssh_private_ip", "ssh_interface"),
    ("ssh_skip_nat_mapping", "skip_nat_mapping"),
    ("ssh_wait_timeout", "ssh_timeout"),
    (
        "temporary_security_group_source_cidr",
        "temporary_security_group_source_cidrs",
    ),
    ("vhd_temp_path", ""),
];

/// What to do about an option that does not exist any more; `None` for one that never did.
pub(crate) fn advice(name: &str) -> Option<String> {
    let (_, new) = DEPRECATED.iter().find(|(old, _)| *old == name)?;
    Some(match *new {
        "" => "Remove the option; it has no effect any more.".to_owned(),
        new => format!("Use `{new}` instead."),
    })
}
