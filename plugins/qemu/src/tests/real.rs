//! Builds with the real QEMU and guests of 512 bytes, in software emulation.

use std::path::Path;

use kiln_sdk::Value;

use super::host::Host;
use crate::driver::Installed;

/// Switches the machine off: writes 0x2000 to the ACPI control port 0x604.
const POWER_OFF: [u8; 10] = [0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF, 0xF4, 0xEB, 0xFD];

/// Reads keys up to a carriage return and writes them to the second sector of the boot disk.
const KEEP_KEYS: [u8; 34] = [
    0xFC, 0x31, 0xC0, 0x8E, 0xC0, 0x8E, 0xD8, // cld; zero ax, es, ds
    0xBF, 0x00, 0x7E, // mov di, 0x7e00
    0x31, 0xC0, 0xCD, 0x16, 0xAA, 0x3C, 0x0D, 0x75, 0xF7, // read a key, keep it, until 13
    0xB8, 0x01, 0x03, 0xBB, 0x00, 0x7E, 0xB9, 0x02, 0x00, 0xB6, 0x00, 0xCD, 0x13, // write
    0x90, 0x90,
];

fn installed(program: &str) -> bool {
    let found = which::which(program).is_ok();
    if !found {
        eprintln!("SKIPPED a build with the real QEMU: {program} is not installed");
    }
    found
}

/// Writes a bootable disk image of 1 MiB with `code` in its first sector.
fn boot_disk(path: &Path, code: &[&[u8]]) {
    let mut image = vec![0; 1 << 20];
    let code = code.concat();
    image[..code.len()].copy_from_slice(&code);
    image[510..512].copy_from_slice(&[0x55, 0xAA]);
    std::fs::write(path, image).expect("written");
}

/// Builds from a raw disk image with `code` and returns the disk of the artifact, in raw form.
async fn check(host: &Host, code: &[&[u8]], options: &[(&str, Value)]) -> Vec<u8> {
    let image = host.path("boot.img");
    boot_disk(&image, code);
    let mut all = vec![
        ("iso_url", Value::from(image.display().to_string())),
        ("disk_image", true.into()),
        ("skip_resize_disk", true.into()),
        ("memory", 64_u64.into()),
        ("shutdown_timeout", "60s".into()),
    ];
    all.extend_from_slice(options);
    let artifact = host.run(Installed, &all).await.expect("it builds");
    host.check_clean().await;
    let raw = host.path("disk.raw");
    let converted = std::process::Command::new("qemu-img")
        .args(["convert", "-O", "raw"])
        .args([&artifact.files[0], &raw])
        .status()
        .expect("it runs");
    assert!(converted.success());
    std::fs::read(raw).expect("readable")
}

#[tokio::test]
async fn a_guest_that_powers_off_is_built_into_each_format() {
    if !installed("qemu-system-x86_64") || !installed("qemu-img") {
        return;
    }
    for format in ["qcow2", "raw"] {
        let host = Host::new();
        let options = [
            ("disable_vnc", true.into()),
            ("format", Value::from(format)),
        ];
        let disk = check(&host, &[&POWER_OFF], &options).await;
        assert_eq!(
            disk,
            std::fs::read(host.path("boot.img")).expect("readable")
        );
    }
}

#[tokio::test]
async fn a_guest_with_media_firmware_and_tpm_starts() {
    if !installed("qemu-system-x86_64") || !installed("swtpm") {
        return;
    }
    let host = Host::new();
    let options = [
        ("disable_vnc", true.into()),
        ("vtpm", true.into()),
        ("machine_type", "q35".into()),
        ("disk_interface", "ide".into()),
        ("disk_additional_size", Value::from(vec![Value::from("1M")])),
        ("cd_content", [("meta-data", "")].into_iter().collect()),
        ("floppy_content", [("a.txt", "a")].into_iter().collect()),
        ("disk_compression", true.into()),
    ];
    check(&host, &[&POWER_OFF], &options).await;
}

#[tokio::test]
async fn what_is_typed_reaches_the_guest() {
    if !installed("qemu-system-x86_64") || !installed("qemu-img") {
        return;
    }
    let host = Host::new();
    let text = "Hello, {{ .Name }}! auto=true URL=http://{{ .HTTPIP }}/a_b?c#d|~";
    let options = [
        ("boot_wait", Value::from("3s")),
        (
            "boot_command",
            Value::from(vec![Value::from(text), "<enter>".into()]),
        ),
        ("vnc_use_password", true.into()),
        ("format", "raw".into()),
    ];
    let disk = check(&host, &[&KEEP_KEYS, &POWER_OFF], &options).await;
    let typed: Vec<u8> = disk[512..]
        .iter()
        .copied()
        .take_while(|byte| *byte != b'\r')
        .collect();
    assert_eq!(
        String::from_utf8_lossy(&typed),
        "Hello, vm! auto=true URL=http://10.0.2.2/a_b?c#d|~"
    );
    let said = host.said();
    assert!(
        said.iter()
            .any(|line| line == "Typing the boot commands over VNC..."),
        "{said:?}"
    );
    assert!(
        said.iter().any(|line| line == "Waiting 3s for boot..."),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_refused_option_is_told_in_the_words_of_qemu() {
    if !installed("qemu-system-x86_64") {
        return;
    }
    let host = Host::new();
    let options = [
        ("machine_type", Value::from("none-such")),
        ("disable_vnc", true.into()),
    ];
    let failure = host
        .run(Installed, &options)
        .await
        .expect_err("there is no such machine");
    assert!(
        failure.message.contains("unsupported machine type"),
        "{}",
        failure.message
    );
    assert!(!host.output().exists());
    host.check_clean().await;
}

#[tokio::test]
async fn a_missing_qemu_is_named_when_the_build_runs() {
    let host = Host::new();
    let options = [("qemu_binary", Value::from("qemu-system-nowhere"))];
    let failure = host
        .run(Installed, &options)
        .await
        .expect_err("it is missing");
    assert!(
        failure
            .message
            .contains("`qemu-system-nowhere` is not installed"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_cancelled_build_ends_its_machine() {
    if !installed("qemu-system-x86_64") {
        return;
    }
    let host = Host::new().cancel_at("Waiting 1h");
    let options = [("boot_wait", Value::from("1h")), ("memory", 64_u64.into())];
    let failure = host.run(Installed, &options).await.expect_err("cancelled");
    assert!(failure.cancelled);
    assert!(!host.output().exists());
    host.check_clean().await;
}
