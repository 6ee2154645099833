//! Templates that install, provision and pack a system, which then boots again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use kiln_tests::machine::{Firmware, Machine};
use kiln_tests::{Kiln, fixture, kiln, leftovers, tools};

use crate::boxes;

/// How long a finished image may take to boot until sshd answers.
pub const BOOT_LIMIT: Duration = Duration::from_secs(300);

pub fn example(name: &str) -> String {
    kiln::project()
        .join("tests/examples/mini-debian")
        .join(name)
        .display()
        .to_string()
}

/// Builds `template` and checks everything that is left: output, archive, manifest, image.
fn install(template: &str, source: &str, kind: &str) -> Result<Option<Kiln>> {
    let Some(fixture) = fixture::mini_debian() else {
        return Ok(None);
    };
    let kiln = Kiln::new();
    let finished = kiln
        .run(&[
            "build",
            "-color=false",
            "-var",
            &format!("fixture={}", fixture.display()),
            "-var",
            "output=out",
            &example(template),
        ])?
        .success();
    for text in [
        &format!("==> {source}: Connected to SSH!"),
        &format!("==> {source}: Provisioning with shell script: "),
        &format!("Build '{source}' finished after "),
        "==> Builds finished. The artifacts of successful builds are:",
        &format!("--> {source}: compressed artifacts in: out/mini-debian.tar.gz"),
    ] {
        assert!(
            finished.stdout.contains(text),
            "the output lacks {text:?}:\n{finished}"
        );
    }
    assert_eq!(
        leftovers::of(&kiln, Duration::from_secs(5)),
        Vec::<String>::new()
    );

    let out = kiln.work().join("out");
    check_manifest(&out.join("manifest.json"), kind)?;
    let archive = out.join("mini-debian.tar.gz").display().to_string();
    let listing = tools::output("tar", &["-tzf", &archive])?;
    assert_eq!(listing.trim(), "mini-debian");
    let image = out.join("image/mini-debian");
    let machine = Machine::boot(&image, &Firmware::Bios, BOOT_LIMIT)?;
    let provisioned = machine.ssh("cat /etc/provisioned; cat build-facts; hostname")?;
    let expected =
        "hello from kiln\nuser=root\nrole=test builder=qemu\nbuilt as debian by qemu\nkiln\n";
    assert_eq!(provisioned, expected);
    assert_eq!(
        machine.ssh("ls /tmp | grep -c script || true")?.trim(),
        "0",
        "scripts are removed"
    );
    Ok(Some(kiln))
}

fn check_manifest(path: &Path, kind: &str) -> Result<()> {
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let build = &manifest["builds"][0];
    assert_eq!(build["name"], "debian");
    assert_eq!(build["builder_type"], "qemu");
    assert_eq!(build["custom_data"]["template"], kind);
    assert_eq!(build["files"][0]["name"], "mini-debian.tar.gz");
    assert_eq!(build["packer_run_uuid"], manifest["last_run_uuid"]);
    Ok(())
}

#[test]
fn an_hcl2_template_becomes_an_image_and_the_image_others() -> Result<()> {
    let Some(kiln) = install("mini.pkr.hcl", "mini.qemu.debian", "hcl2")? else {
        return Ok(());
    };
    let base = kiln.work().join("out/image/mini-debian");
    let before = std::fs::metadata(&base)?.modified()?;
    let finished = kiln
        .run(&[
            "build",
            "-color=false",
            "-var",
            &format!("base={}", base.display()),
            "-var",
            "output=second",
            &example("second.pkr.hcl"),
        ])?
        .success();
    let finished = finished.says("Build 'qemu.copy' finished after ");
    assert!(
        finished
            .stdout
            .contains("Build 'qemu.backed' finished after "),
        "{finished}"
    );
    assert_eq!(
        std::fs::metadata(&base)?.modified()?,
        before,
        "the base image stays as it is"
    );

    let backed = kiln.work().join("second/backed/backed.qcow2");
    let info = tools::output("qemu-img", &["info", &backed.display().to_string()])?;
    assert!(info.contains("backing file: "), "{info}");
    for (name, image) in [
        ("copy", kiln.work().join("second/copy/copy.qcow2")),
        ("backed", backed),
    ] {
        let machine = Machine::boot(&image, &Firmware::Bios, BOOT_LIMIT)?;
        assert_eq!(
            machine.ssh("cat second; head -n1 /etc/provisioned")?,
            format!("second-{name}\nhello from kiln\n")
        );
    }
    boxes::are_added(&kiln, &base)
}

#[test]
fn a_legacy_json_template_becomes_the_same_image() -> Result<()> {
    install("mini.json", "qemu.debian", "json").map(drop)
}

#[test]
fn an_efi_machine_is_installed_through_grub() -> Result<()> {
    let Some(fixture) = fixture::mini_debian() else {
        return Ok(());
    };
    let kiln = Kiln::new();
    let finished = kiln.run(&[
        "build",
        "-color=false",
        "-var",
        &format!("fixture={}", fixture.display()),
        "-var",
        "output=out",
        &example("efi.pkr.hcl"),
    ])?;
    drop(finished.success().says("Build 'qemu.efi' finished after "));
    let folder = kiln.work().join("out/image");
    let variables = folder.join("efivars.fd");
    assert!(
        variables.exists(),
        "the EFI variables belong to the artifact"
    );
    let copy = kiln.root().join("efivars.fd");
    std::fs::copy(&variables, &copy).context("cannot copy the EFI variables")?;
    let machine = Machine::boot(&folder.join("efi.qcow2"), &Firmware::Efi(copy), BOOT_LIMIT)?;
    assert_eq!(
        machine.ssh("cat firmware; ls -d /sys/firmware/efi")?,
        "efi\n/sys/firmware/efi\n"
    );
    Ok(())
}
