use host_diag::FileId;
use serde_json::Value;

use super::{FIXERS, fix};
use crate::document::Document;

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn fixed(text: &str) -> Value {
    let mut document = Document::read(FileId(0), text).unwrap();
    fix(&mut document).unwrap();
    Value::Object(document.root)
}

/// One builder before and after.
fn check_builder(before: &str, after: &str) {
    let found = fixed(&format!(r#"{{"builders": [{before}]}}"#));
    assert_eq!(found["builders"][0], value(after), "{before}");
    // What is right stays as it is.
    let again = fixed(&format!(r#"{{"builders": [{after}]}}"#));
    assert_eq!(again["builders"][0], value(after), "{after}");
}

fn check_section(section: &str, before: &str, after: &str) {
    let found = fixed(&format!(r#"{{"{section}": [{before}]}}"#));
    assert_eq!(found[section][0], value(after), "{before}");
}

#[test]
fn checksums_are_one_option() {
    check_builder(r#"{"iso_md5": "x"}"#, r#"{"iso_checksum": "md5:x"}"#);
    check_builder(
        r#"{"iso_checksum": "x", "iso_checksum_type": "sha256"}"#,
        r#"{"iso_checksum": "sha256:x"}"#,
    );
    check_builder(
        r#"{"iso_checksum_url": "u", "iso_checksum_type": "sha256"}"#,
        r#"{"iso_checksum": "file:u"}"#,
    );
    check_builder(
        r#"{"iso_checksum_type": "none"}"#,
        r#"{"iso_checksum": "none"}"#,
    );
}

#[test]
fn template_calls_have_their_present_names() {
    check_builder(
        r#"{"ami_name": "a-{{ .CreateTime }}-{{{.CreateTime}}", "x": "{{.CreateTime}}"}"#,
        r#"{"ami_name": "a-{{timestamp}}-{{{timestamp}}", "x": "{{.CreateTime}}"}"#,
    );
    check_builder(
        r#"{"x": "{{clean_ami_name `a`}}{{clean_image_name `b`}}", "y": {"z": "clean_ami_name"}}"#,
        r#"{"x": "{{clean_resource_name `a`}}{{clean_resource_name `b`}}",
            "y": {"z": "clean_resource_name"}}"#,
    );
}

#[test]
fn virtualbox() {
    check_builder(
        r#"{"type": "virtualbox", "guest_additions_attach": true, "ssh_host_port_min": 1,
            "ssh_host_port_max": 2, "ssh_skip_nat_mapping": true, "skip_nat_mapping": false}"#,
        r#"{"type": "virtualbox-iso", "guest_additions_mode": "attach", "host_port_min": 1,
            "host_port_max": 2, "skip_nat_mapping": false}"#,
    );
    check_section(
        "provisioners",
        r#"{"type": "shell", "override": {"virtualbox": {"a": 1}}}"#,
        r#"{"type": "shell", "override": {"virtualbox-iso": {"a": 1}}}"#,
    );
}

#[test]
fn vmware_and_vsphere() {
    check_builder(
        r#"{"type": "vmware", "remote_type": "esx5"}"#,
        r#"{"type": "vmware-iso", "remote_type": "esx5", "disk_type_id": "zeroedthick",
            "skip_compaction": true}"#,
    );
    check_builder(
        r#"{"type": "vsphere-iso", "network": "n", "networkCard": "c", "disk_size": 1,
            "storage": [{"disk_size": 2}]}"#,
        r#"{"type": "vsphere-iso", "network_adapters": [{"network": "n", "network_card": "c"}],
            "storage": [{"disk_size": 1}, {"disk_size": 2}]}"#,
    );
}

#[test]
fn parallels_hyperv_and_qemu() {
    check_builder(
        r#"{"type": "parallels-iso", "headless": true, "parallels_tools_host_path": "p",
            "guest_os_distribution": "d"}"#,
        r#"{"type": "parallels-iso", "guest_os_type": "d"}"#,
    );
    check_builder(
        r#"{"type": "hyperv-iso", "vhd_temp_path": "p", "cpu": 1, "ram_size": 2}"#,
        r#"{"type": "hyperv-iso", "cpus": 1, "memory": 2}"#,
    );
    check_builder(
        r#"{"type": "hyperv-vmcx", "clone_from_vmxc_path": "p"}"#,
        r#"{"type": "hyperv-vmcx", "clone_from_vmcx_path": "p"}"#,
    );
    check_builder(
        r#"{"type": "qemu", "disk_size": 40960, "ssh_host_port_min": 1, "ssh_host_port_max": 2}"#,
        r#"{"type": "qemu", "disk_size": "40960M", "host_port_min": 1, "host_port_max": 2}"#,
    );
}

#[test]
fn ssh_options_of_all_builders() {
    check_builder(
        r#"{"ssh_key_path": "k", "ssh_disable_agent": true, "ssh_wait_timeout": "5m"}"#,
        r#"{"ssh_private_key_file": "k", "ssh_disable_agent_forwarding": true, "ssh_timeout": "5m"}"#,
    );
}

#[test]
fn clouds() {
    check_builder(
        r#"{"type": "amazon-ebs", "shutdown_behaviour": "stop", "enhanced_networking": true,
            "ssh_private_ip": "false", "temporary_security_group_source_cidr": "c",
            "spot_price_auto_product": "x"}"#,
        r#"{"type": "amazon-ebs", "shutdown_behavior": "stop", "ena_support": true,
            "ssh_interface": "public_ip", "temporary_security_group_source_cidrs": ["c"]}"#,
    );
    check_builder(
        r#"{"type": "scaleway", "access_key": "a"}"#,
        r#"{"type": "scaleway", "organization_id": "a"}"#,
    );
    check_builder(
        r#"{"type": "azure-chroot", "shared_image_destination": {"exlude_from_latest": true}}"#,
        r#"{"type": "azure-chroot", "shared_image_destination": {"exclude_from_latest": true}}"#,
    );
    check_builder(r#"{"type": "proxmox"}"#, r#"{"type": "proxmox-iso"}"#);
    check_builder(
        r#"{"type": "docker", "login_email": "e"}"#,
        r#"{"type": "docker"}"#,
    );
}

#[test]
fn provisioners() {
    check_section(
        "provisioners",
        r#"{"type": "powershell", "elevated_user": "a`$b", "environment_vars": ["A=``x`n"]}"#,
        r#"{"type": "powershell", "elevated_user": "a$b", "environment_vars": ["A=`x`n"]}"#,
    );
    check_section(
        "provisioners",
        r#"{"type": "ansible-local", "galaxycommand": "g"}"#,
        r#"{"type": "ansible-local", "galaxy_command": "g"}"#,
    );
}

#[test]
fn post_processors_alone_and_in_chains() {
    check_section(
        "post-processors",
        r#"{"type": "vagrant", "aws": {"a": 1}, "vmware": {}, "output": "o"}"#,
        r#"{"type": "vagrant", "override": {"aws": {"a": 1}, "vmware": {}}, "output": "o"}"#,
    );
    check_section(
        "post-processors",
        r#"["compress", {"type": "manifest", "filename": "f"}]"#,
        r#"["compress", {"type": "manifest", "output": "f"}]"#,
    );
    check_section(
        "post-processors",
        r#"{"type": "docker-tag", "tag": "a,b", "tags": ["b", "c"], "login_email": "e"}"#,
        r#"{"type": "docker-tag", "tags": ["a", "b", "c"]}"#,
    );
}

#[test]
fn a_value_that_is_no_boolean_is_told() {
    let text = r#"{"builders": [{"type": "amazon-ebs", "ssh_private_ip": "maybe"}]}"#;
    let mut document = Document::read(FileId(0), text).unwrap();
    let error = fix(&mut document).unwrap_err();
    let expected = "option `ssh_private_ip` must be true or false, not `\"maybe\"`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn names_are_unique_and_synopses_fit_on_a_line() {
    for (index, fixer) in FIXERS.iter().enumerate() {
        assert!(
            FIXERS[..index].iter().all(|other| other.name != fixer.name),
            "{}",
            fixer.name
        );
        assert!(
            fixer.synopsis.len() < 100 && !fixer.synopsis.ends_with('.'),
            "{}",
            fixer.name
        );
    }
}
