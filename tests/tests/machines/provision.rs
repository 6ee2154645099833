//! What provisioners do to a real machine that was installed before.

use std::path::PathBuf;

use anyhow::Result;
use kiln_tests::machine::{Firmware, Machine};
use kiln_tests::{Kiln, fixture, tools};

use crate::install::{BOOT_LIMIT, example};

/// Installs a machine to start from; `None` when the tools for that are missing.
fn base(kiln: &Kiln) -> Result<Option<PathBuf>> {
    let Some(fixture) = fixture::mini_debian() else {
        return Ok(None);
    };
    let finished = kiln.run(&[
        "build",
        "-color=false",
        "-except=compress,manifest",
        "-var",
        &format!("fixture={}", fixture.display()),
        "-var",
        "output=base",
        &example("mini.pkr.hcl"),
    ])?;
    drop(finished.success());
    Ok(Some(kiln.work().join("base/image/mini-debian")))
}

#[test]
fn a_provisioner_reboots_the_machine_and_ansible_changes_it_after_that() -> Result<()> {
    if !tools::installed(&["ansible-playbook", "sshpass", "ssh"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let Some(base) = base(&kiln)? else {
        return Ok(());
    };
    let base = format!("base={}", base.display());
    let template = example("reboot.pkr.hcl");
    let finished = kiln
        .run(&[
            "build",
            "-color=false",
            "-var",
            &base,
            "-var",
            "output=third",
            &template,
        ])?
        .success()
        .says("Build 'qemu.rebooted' finished after ")
        .lacks("become_password=mini-secret");
    for option in [
        "Executing Ansible: ",
        "TASK [copy a file as root]",
        "unreachable=0",
    ] {
        assert_eq!(finished.stdout.matches(option).count(), 2, "{finished}");
    }
    let image = kiln.work().join("third/rebooted/rebooted.qcow2");
    let check = tools::output("qemu-img", &["check", &image.display().to_string()])?;
    assert!(check.contains("No errors were found"), "{check}");
    let machine = Machine::boot(&image, &Firmware::Bios, BOOT_LIMIT)?;
    let boots = machine.ssh("cat before after; cat /proc/sys/kernel/random/boot_id")?;
    let after = boots.lines().nth(1).unwrap_or_default().to_owned();
    let mut boots: Vec<&str> = boots.lines().collect();
    boots.sort_unstable();
    boots.dedup();
    assert_eq!(boots.len(), 3, "three boots, {boots:?}:\n{finished}");
    for way in ["proxy", "direct"] {
        let look =
            format!("f=/etc/ansible-{way}; echo mini-secret | sudo -S cat $f; stat -c '%U %a' $f");
        let seen = machine.ssh(&look)?;
        assert_eq!(seen, format!("rebooted qemu packer {after}\nroot 640\n"));
    }
    Ok(())
}
