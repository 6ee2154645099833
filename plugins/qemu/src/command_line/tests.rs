//! Command lines as multisets of options, with the order kept within each option.

use std::path::{Path, PathBuf};

use kiln_sdk::BuildInfo;
use kiln_sdk::{Value, decode};

use super::{Forward, Launch, Options, Screen, defaults, merge, user_options};
use crate::config::{Accelerator, QemuConfig};
use crate::driver::Version;
use crate::steps::copy_efi::Firmware;

const FORWARD: Forward = Forward {
    host: 2222,
    guest: 22,
};

/// Options of a template, prepared, with what is always required.
fn config(options: &[(&str, Value)]) -> QemuConfig {
    let mut value: Value = [
        ("iso_url", "/iso/a.iso"),
        ("iso_checksum", "none"),
        ("ssh_username", "root"),
        ("vm_name", "vm"),
        ("output_directory", "/nonexistent/out"),
        ("headless", "true"),
    ]
    .into_iter()
    .collect();
    for (name, option) in options {
        value.insert(*name, option.clone());
    }
    let (mut config, _) = decode::<QemuConfig>(&value).expect("the options decode");
    let build = BuildInfo {
        source_name: "test".into(),
        ..BuildInfo::default()
    };
    let problems = config.prepare(&build);
    let errors: Vec<_> = problems
        .iter()
        .filter(|problem| problem.severity == kiln_sdk::Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    config
}

/// A launch of `config` with one disk and an installation image.
fn launch(config: &QemuConfig) -> Launch<'_> {
    Launch {
        config,
        version: Version {
            major: 7,
            text: "7.2.0".into(),
        },
        accelerator: Accelerator::Tcg,
        windowed: true,
        iso: (!config.disk_image).then(|| PathBuf::from("/iso/a.iso")),
        cd: None,
        floppy: None,
        disks: vec![PathBuf::from("out/vm")],
        efi: None,
        tpm: None,
        screen: Screen {
            address: "127.0.0.1".into(),
            port: 5905,
        },
        forward: Some(FORWARD),
        pidfile: Path::new("/run/qemu.pid"),
        serial: None,
    }
}

/// Lines of `option value`, sorted by option and in order within one.
fn lines(options: &Options) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = options.clone();
    lines.sort_by(|left, right| left.0.cmp(&right.0));
    lines
        .into_iter()
        .flat_map(|(name, values)| {
            values
                .into_iter()
                .map(move |value| format!("{name} {value}"))
        })
        .collect()
}

/// Checks the options that differ from those of a plain launch.
fn check(options: &[(&str, Value)], change: impl FnOnce(&mut Launch<'_>), expected: &[&str]) {
    let plain = lines(&defaults(&launch(&config(&[]))));
    let config = config(options);
    let mut launch = launch(&config);
    change(&mut launch);
    let found: Vec<String> = lines(&defaults(&launch))
        .into_iter()
        .filter(|line| !plain.contains(line))
        .collect();
    assert_eq!(found, expected, "{options:?}");
}

fn same(_: &mut Launch<'_>) {}

fn list(items: &[&str]) -> Value {
    Value::from(
        items
            .iter()
            .map(|item| Value::from(*item))
            .collect::<Vec<_>>(),
    )
}

#[test]
fn a_plain_machine() {
    let config = config(&[]);
    assert_eq!(
        lines(&defaults(&launch(&config))),
        [
            "-boot once=d",
            "-device virtio-net,netdev=user.0",
            "-drive file=out/vm,if=virtio,cache=writeback,discard=ignore,format=qcow2",
            "-drive file=/iso/a.iso,media=cdrom",
            "-m 512M",
            "-machine type=pc,accel=tcg",
            "-name vm",
            "-netdev user,id=user.0,hostfwd=tcp:127.0.0.1:2222-:22",
            "-pidfile /run/qemu.pid",
            "-smp 1",
            "-vnc 127.0.0.1:5",
        ]
    );
}

#[test]
fn processors_and_topology() {
    check(&[("cpus", 4_u64.into())], same, &["-smp 4"]);
    check(
        &[("sockets", 2_u64.into()), ("cores", 3_u64.into())],
        same,
        &["-smp 6,sockets=2,cores=3"],
    );
    check(
        &[
            ("cpus", 9_u64.into()),
            ("cores", 2_u64.into()),
            ("threads", 2_u64.into()),
        ],
        same,
        &["-smp 4,cores=2,threads=2"],
    );
    check(
        &[("cpus", 1_u64.into()), ("threads", 2_u64.into())],
        same,
        &["-smp 1,threads=2"],
    );
}

#[test]
fn machine_processor_memory_and_graphics() {
    check(
        &[("machine_type", "q35".into())],
        same,
        &["-machine type=q35,accel=tcg"],
    );
    check(
        &[],
        |launch| launch.accelerator = Accelerator::None,
        &["-machine type=pc"],
    );
    check(&[("cpu_model", "max".into())], same, &["-cpu max"]);
    check(&[("memory", 2048_u64.into())], same, &["-m 2048M"]);
    check(&[("memory", 9_u64.into())], same, &[]);
    check(&[("vga", "qxl".into())], same, &["-vga qxl"]);
}

#[test]
fn displays() {
    let windowed = |options: &[(&str, Value)], expected: &[&str]| {
        let mut all = vec![("headless", Value::from(false))];
        all.extend_from_slice(options);
        check(&all, same, expected);
    };
    windowed(&[], &["-display gtk"]);
    windowed(&[("display", "sdl".into())], &["-display sdl"]);
    windowed(&[("display", "none".into())], &[]);
    windowed(&[("use_default_display", true.into())], &[]);
    check(
        &[("headless", false.into())],
        |launch| launch.windowed = false,
        &[],
    );
    let old = |launch: &mut Launch<'_>| launch.version.major = 1;
    check(
        &[("headless", false.into())],
        old,
        &["-drive file=out/vm,if=virtio,cache=writeback,format=qcow2"],
    );
}

#[test]
fn networks() {
    check(
        &[("net_device", "e1000".into())],
        same,
        &["-device e1000,netdev=user.0"],
    );
    check(
        &[],
        |launch| launch.forward = None,
        &["-netdev user,id=user.0"],
    );
    check(
        &[("net_bridge", "br0".into())],
        |launch| launch.forward = None,
        &[
            "-netdev bridge,id=user.0,br=br0",
            "-qmp unix:/nonexistent/out/vm.monitor,server,nowait",
        ],
    );
}

#[test]
fn control_socket_and_screen_password() {
    check(
        &[
            ("qmp_enable", true.into()),
            ("qmp_socket_path", "/q".into()),
        ],
        same,
        &["-qmp unix:/q,server,nowait"],
    );
    check(
        &[
            ("vnc_use_password", true.into()),
            ("qmp_socket_path", "/q".into()),
        ],
        same,
        &["-qmp unix:/q,server,nowait", "-vnc 127.0.0.1:5,password"],
    );
}

#[test]
fn a_screen_that_is_typed_on_passes_keys_on_quickly() {
    check(
        &[("boot_command", list(&["<enter>"]))],
        same,
        &["-vnc 127.0.0.1:5,key-delay-ms=1"],
    );
}

#[test]
fn disks() {
    let two = |launch: &mut Launch<'_>| launch.disks = vec!["out/vm".into(), "out/vm-1".into()];
    check(
        &[
            ("disk_interface", "ide".into()),
            ("disk_cache", "unsafe".into()),
        ],
        two,
        &[
            "-drive file=out/vm,if=ide,cache=unsafe,discard=ignore,format=qcow2",
            "-drive file=out/vm-1,if=ide,cache=unsafe,discard=ignore,format=qcow2",
        ],
    );
    check(
        &[
            ("format", "raw".into()),
            ("disk_discard", "unmap".into()),
            ("disk_detect_zeroes", "unmap".into()),
        ],
        same,
        &[
            "-drive file=out/vm,if=virtio,cache=writeback,discard=unmap,format=raw,detect-zeroes=unmap",
        ],
    );
    check(
        &[("disk_interface", "virtio-scsi".into())],
        two,
        &[
            "-device virtio-scsi-pci,id=scsi0",
            "-device scsi-hd,bus=scsi0.0,drive=drive0",
            "-device scsi-hd,bus=scsi0.0,drive=drive1",
            "-drive if=none,file=out/vm,id=drive0,cache=writeback,discard=ignore,format=qcow2",
            "-drive if=none,file=out/vm-1,id=drive1,cache=writeback,discard=ignore,format=qcow2",
        ],
    );
    check(&[("disk_image", true.into())], same, &["-boot c"]);
}

#[test]
fn discs() {
    let cd = |launch: &mut Launch<'_>| launch.cd = Some("/cd.iso".into());
    check(&[], cd, &["-drive file=/cd.iso,media=cdrom"]);
    check(
        &[("cdrom_interface", "ide".into())],
        cd,
        &[
            "-drive file=/iso/a.iso,if=ide,index=0,id=cdrom0,media=cdrom",
            "-drive file=/cd.iso,if=ide,index=1,id=cdrom1,media=cdrom",
        ],
    );
    check(
        &[("cdrom_interface", "virtio".into())],
        same,
        &["-drive file=/iso/a.iso,if=virtio,index=1,id=cdrom0,media=cdrom"],
    );
    check(
        &[("cdrom_interface", "virtio-scsi".into())],
        same,
        &[
            "-device virtio-scsi-pci,id=scsi0",
            "-device virtio-scsi-device",
            "-device scsi-cd,drive=cdrom0",
            "-drive file=/iso/a.iso,if=none,index=0,id=cdrom0,media=cdrom",
        ],
    );
    check(
        &[
            ("cdrom_interface", "virtio-scsi".into()),
            ("disk_interface", "virtio-scsi".into()),
        ],
        same,
        &[
            "-device virtio-scsi-pci,id=scsi0",
            "-device scsi-hd,bus=scsi0.0,drive=drive0",
            "-device virtio-scsi-device",
            "-device scsi-cd,drive=cdrom0",
            "-drive if=none,file=out/vm,id=drive0,cache=writeback,discard=ignore,format=qcow2",
            "-drive file=/iso/a.iso,if=none,index=1,id=cdrom0,media=cdrom",
        ],
    );
    check(
        &[],
        |launch| launch.floppy = Some("/f.img".into()),
        &["-fda /f.img"],
    );
}

#[test]
fn firmware_and_tpm() {
    check(&[("firmware", "/bios".into())], same, &["-bios /bios"]);
    check(
        &[("firmware", "/fw".into()), ("use_pflash", true.into())],
        same,
        &["-drive file=/fw,if=pflash,format=raw,readonly=on"],
    );
    let efi = Firmware {
        code: "/code".into(),
        vars: "out/efivars.fd".into(),
    };
    let config = config(&[("efi_boot", true.into())]);
    let mut with_efi = launch(&config);
    with_efi.efi = Some(efi);
    let found = lines(&defaults(&with_efi));
    assert!(
        !found.iter().any(|line| line.starts_with("-boot")),
        "{found:?}"
    );
    assert!(
        found.contains(&"-drive file=/code,if=pflash,unit=0,format=raw,readonly=on".to_owned())
    );
    assert!(found.contains(&"-drive file=out/efivars.fd,if=pflash,unit=1,format=raw".to_owned()));
    check(
        &[("vtpm", true.into()), ("tpm_device_type", "tpm-crb".into())],
        |launch| launch.tpm = Some("/s".into()),
        &[
            "-chardev socket,id=vtpm,path=/s",
            "-device tpm-crb,tpmdev=tpm0",
            "-tpmdev emulator,id=tpm0,chardev=vtpm",
        ],
    );
}

/// Checks the words of a command line made of `ours` and rows of the template.
fn check_merge(ours: &[(&str, &[&str])], rows: &[&[&str]], expected: &str) {
    let ours: Options = ours
        .iter()
        .map(|(name, values)| {
            (
                (*name).to_owned(),
                values.iter().map(|value| (*value).to_owned()).collect(),
            )
        })
        .collect();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|word| (*word).to_owned()).collect())
        .collect();
    assert_eq!(
        merge(ours, user_options(&rows), "virtio-net").join(" "),
        expected,
        "{rows:?}"
    );
}

const NETWORK: (&str, &[&str]) = ("-device", &["virtio-net,netdev=user.0"]);

#[test]
fn a_row_replaces_every_default_of_its_option() {
    check_merge(
        &[("-m", &["512M"]), NETWORK],
        &[&["-m", "2048M"]],
        "-device virtio-net,netdev=user.0 -m 2048M",
    );
    check_merge(
        &[("-drive", &["file=a", "file=b"]), NETWORK],
        &[&["-drive", "file=c"]],
        "-device virtio-net,netdev=user.0 -drive file=c",
    );
}

#[test]
fn rows_of_one_option_add_up_in_order() {
    check_merge(
        &[NETWORK],
        &[
            &["-cpu", "max"],
            &["-drive", "1"],
            &["-cpu", "x"],
            &["-drive", "2"],
        ],
        "-device virtio-net,netdev=user.0 -cpu max -cpu x -drive 1 -drive 2",
    );
}

#[test]
fn words_of_a_row_are_joined_without_a_separator() {
    check_merge(
        &[NETWORK],
        &[&["-net", "a,", "b"]],
        "-device virtio-net,netdev=user.0 -net a,b",
    );
}

#[test]
fn an_option_without_a_value_stands_alone() {
    check_merge(
        &[NETWORK],
        &[&["-nographic"], &["-enable-kvm", ""]],
        "-device virtio-net,netdev=user.0 -nographic -enable-kvm",
    );
    check_merge(
        &[NETWORK],
        &[&["-s", ""], &["-s", "x"]],
        "-device virtio-net,netdev=user.0 -s x",
    );
}

#[test]
fn the_network_device_comes_back_unless_a_row_names_it() {
    check_merge(
        &[NETWORK],
        &[&["-device", "usb-tablet"]],
        "-device usb-tablet -device virtio-net,netdev=user.0",
    );
    check_merge(
        &[NETWORK],
        &[&[
            "-device",
            "virtio-net-pci,netdev=user.0,mac=52:54:00:00:00:01",
        ]],
        "-device virtio-net-pci,netdev=user.0,mac=52:54:00:00:00:01",
    );
}

#[test]
fn another_spelling_of_an_option_adds_to_it() {
    check_merge(
        &[NETWORK],
        &[&["--device", "usb-tablet"]],
        "-device virtio-net,netdev=user.0 --device usb-tablet",
    );
}
