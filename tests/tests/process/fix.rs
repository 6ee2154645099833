//! Outdated templates: the same bytes as Packer's `fix`, and HCL2 that can be read again.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use kiln_tests::{Kiln, tools};

/// Small templates with outdated options, one thing each or several.
const OUTDATED: [(&str, &str); 7] = [
    (
        "checksums",
        r#"{"builders": [{"type": "qemu", "iso_md5": "abc"},
            {"type": "qemu", "name": "b", "iso_checksum": "def", "iso_checksum_type": "sha256"},
            {"type": "qemu", "name": "c", "iso_checksum_url": "http://x/SUMS", "disk_size": 5000}]}"#,
    ),
    (
        "virtualbox",
        r#"{"builders": [{"type": "virtualbox", "guest_additions_attach": false,
                          "ssh_host_port_min": 2222, "ssh_skip_nat_mapping": true}],
            "provisioners": [{"type": "shell", "inline": ["echo '<&>'"],
                              "override": {"virtualbox": {"inline": ["true"]}}}]}"#,
    ),
    (
        "other-hypervisors",
        r#"{"builders": [{"type": "vmware", "remote_type": "esx5", "ssh_wait_timeout": "5m"},
            {"type": "parallels-iso", "headless": true, "guest_os_distribution": "debian"},
            {"type": "hyperv-iso", "cpu": 2, "ram_size": 1024, "vhd_temp_path": "t"},
            {"type": "vsphere-iso", "network": "n", "network_card": "e1000", "disk_size": 1024}]}"#,
    ),
    (
        "amazon",
        r#"{"builders": [{"type": "amazon-ebs", "ami_name": "a {{.CreateTime}}",
            "ssh_private_ip": true, "enhanced_networking": false, "shutdown_behaviour": "stop",
            "temporary_security_group_source_cidr": "10.0.0.0/8", "spot_price_auto_product": "x",
            "tags": {"Name": "{{clean_ami_name `x`}}"}, "snapshot": "{{clean_image_name `x`}}"}]}"#,
    ),
    (
        "provisioners",
        r#"{"builders": [{"type": "null", "communicator": "none"}],
            "provisioners": [{"type": "powershell", "elevated_user": "a`$b",
                              "environment_vars": ["A=``b``"]},
                             {"type": "ansible-local", "galaxycommand": "g"}]}"#,
    ),
    (
        "post-processors",
        r#"{"builders": [{"type": "docker", "login_email": "e", "ssh_key_path": "k"}],
            "post-processors": ["compress", {"type": "vagrant", "aws": {"output": "o"}},
                [{"type": "docker-tag", "tag": "a", "tags": ["b", "a"]},
                 {"type": "manifest", "filename": "m.json"}]]}"#,
    ),
    (
        "nothing-to-do",
        r#"{"variables": {"b": "1", "a": null}, "description": "ä & \u2028",
            "builders": [{"type": "null", "numbers": [1.50, 1e3, 1e21, 0.0000001], "e": {}}]}"#,
    ),
];

#[test]
fn fixed_templates_are_those_of_packer() -> Result<()> {
    if !tools::installed(&["packer"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    for (name, text) in OUTDATED {
        let file = format!("{name}.json");
        kiln.write(&file, text);
        let ours = kiln.run(&["fix", "-validate=false", &file])?.success();
        let theirs = Command::new("packer")
            .args(["fix", "-validate=false", &file])
            .current_dir(kiln.work())
            .env("CHECKPOINT_DISABLE", "1")
            .env("HOME", kiln.root().join("home"))
            .output()?;
        ensure!(theirs.status.success(), "{name}: {theirs:?}");
        assert_eq!(
            ours.stdout,
            String::from_utf8_lossy(&theirs.stdout),
            "{name}"
        );
    }
    Ok(())
}

/// Runs a command; `code` is its exit code and all `texts` stand in its output.
fn check(kiln: &Kiln, words: &[&str], code: i32, texts: &[&str]) -> Result<()> {
    let finished = kiln.run(words)?;
    assert_eq!(finished.code(), code, "{words:?}: {finished}");
    for text in texts {
        assert!(
            finished.stdout.contains(text),
            "{words:?} lacks {text:?}: {finished}"
        );
    }
    Ok(())
}

#[test]
fn a_fixed_template_is_checked_unless_told_not_to() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.json",
        r#"{"builders": [{"type": "null"}],
            "post-processors": [{"type": "manifest", "only": ["b"]}]}"#,
    );
    let texts = [
        "\"only\": [\n        \"b\"\n",
        "Error! Fixed template failed to validate: 1 error occurred:\n",
        "\t* post-processor 1.1: 'only' specified builder 'b' not found\n",
    ];
    check(&kiln, &["fix", "t.json"], 1, &texts)?;
    check(&kiln, &["fix", "-validate=false", "t.json"], 0, &[])?;
    kiln.write(
        "u.json",
        r#"{"builders": [{"type": "null"}], "unknown": 1}"#,
    );
    let texts = [
        "Error! Fixed template fails to parse: 1 error occurred:\n",
        "unknown",
    ];
    check(&kiln, &["fix", "u.json"], 1, &texts)
}

#[test]
fn what_cannot_be_fixed_is_told() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", "");
    kiln.write("b.json", "{\"builders\": [}");
    check(
        &kiln,
        &["fix", "t.pkr.hcl"],
        1,
        &["only works with JSON files for now."],
    )?;
    check(
        &kiln,
        &["fix", "none.json"],
        1,
        &["Error opening template: none.json: "],
    )?;
    check(
        &kiln,
        &["fix", "b.json"],
        1,
        &["Error parsing template: b.json", "line 1"],
    )?;
    check(&kiln, &["fix"], 1, &["The template is missing."])?;
    check(&kiln, &["fix", "-h"], 0, &["  iso-md5 ", "  proxmox-type "])
}

#[test]
fn an_upgraded_template_validates_and_builds_the_same() -> Result<()> {
    let mut kiln = Kiln::new();
    kiln.env("WHO", "world");
    kiln.write(
        "t.json",
        r#"{"variables": {"greeting": "hello", "text": "{{user `greeting`}} {{packer_version}}",
                          "who": "{{env `WHO`}}"},
            "builders": [{"type": "file", "name": "first one", "target": "out",
                          "content": "{{user `text`}} {{user `who`}}"},
                         {"type": "null", "communicator": "none"}],
            "provisioners": [{"type": "shell-local", "only": ["null"],
                              "inline": ["echo ${HOME:+a home} {{user `greeting`}}"]}],
            "post-processors": [{"type": "manifest", "output": "m.json",
                                 "only": ["first one"]}]}"#,
    );
    let upgrade = [
        "hcl2_upgrade",
        "-with-annotations",
        "-output-file=new/t.pkr.hcl",
        "t.json",
    ];
    let texts = [
        "The builder `first one` is now the source `file.first_one`.",
        "Successfully created new/t.pkr.hcl. Exit 0",
    ];
    check(&kiln, &upgrade, 0, &texts)?;
    let upgraded = fs::read_to_string(kiln.work().join("new/t.pkr.hcl"))?;
    assert!(upgraded.starts_with("# kiln wrote this file"), "{upgraded}");
    check(&kiln, &["fmt", "-check", "new/t.pkr.hcl"], 0, &[])?;
    check(
        &kiln,
        &["validate", "new/t.pkr.hcl"],
        0,
        &["The configuration is valid."],
    )?;
    let out = kiln.work().join("out");
    let mut contents = Vec::new();
    for template in ["t.json", "new/t.pkr.hcl"] {
        check(
            &kiln,
            &["build", "-color=false", template],
            0,
            &["null", "a home hello"],
        )?;
        contents.push(fs::read_to_string(&out)?);
        fs::remove_file(&out)?;
        fs::remove_file(kiln.work().join("m.json"))?;
    }
    assert_eq!(contents, ["hello 1.16.0 world"; 2]);
    Ok(())
}

#[test]
fn a_bad_template_leaves_the_output_as_it_was() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.json", "{\"builders\": [");
    let old = kiln.write("t.json.pkr.hcl", "old");
    check(&kiln, &["hcl2_upgrade", "t.json"], 1, &["line 1"])?;
    assert_eq!(fs::read_to_string(&old)?, "old");
    kiln.write("t.json", r#"{"builders": [{"type": "no-such", "a": 1}]}"#);
    let texts = [
        "unknown builder type: \"no-such\"",
        "Successfully created t.json.pkr.hcl. Exit 1",
    ];
    check(&kiln, &["hcl2_upgrade", "t.json"], 1, &texts)?;
    assert!(fs::read_to_string(&old)?.contains("source \"no-such\" \"autogenerated_1\""));
    check(
        &kiln,
        &["hcl2_upgrade", "t.json.pkr.hcl"],
        1,
        &["only works with JSON templates"],
    )
}
