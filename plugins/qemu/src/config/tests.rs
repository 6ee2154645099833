//! Which options are refused, completed and warned about.

use kiln_sdk::BuildInfo;
use kiln_sdk::{Severity, Value, decode};

use super::QemuConfig;

fn build() -> BuildInfo {
    BuildInfo {
        source_name: "debian".into(),
        ..BuildInfo::default()
    }
}

fn value(options: &[(&str, Value)]) -> Value {
    let mut value: Value = [
        ("iso_url", "https://example.test/a.iso"),
        ("iso_checksum", "md5:900150983cd24fb0d6963f7d28e17f72"),
        ("ssh_username", "root"),
    ]
    .into_iter()
    .collect();
    for (name, option) in options {
        value.insert(*name, option.clone());
    }
    value
}

/// Prepares a template that is right except for `options`; returns the options with errors.
fn prepared(options: &[(&str, Value)], build: &BuildInfo) -> (Option<QemuConfig>, Vec<String>) {
    let (config, problems) = match decode::<QemuConfig>(&value(options)) {
        Ok((mut config, mut problems)) => {
            problems.extend(config.prepare(build));
            (Some(config), problems)
        }
        Err(problems) => (None, problems),
    };
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| problem.path.to_string())
        .collect();
    (config, errors)
}

fn check(options: &[(&str, Value)], expected: &[&str]) {
    assert_eq!(prepared(options, &build()).1, expected, "{options:?}");
}

fn good(options: &[(&str, Value)]) -> QemuConfig {
    let (config, errors) = prepared(options, &build());
    assert!(errors.is_empty(), "{options:?}: {errors:?}");
    config.expect("it decodes")
}

fn rows(rows: &[&[&str]]) -> Value {
    let row = |row: &&[&str]| {
        Value::from(
            row.iter()
                .map(|word| Value::from(*word))
                .collect::<Vec<_>>(),
        )
    };
    Value::from(rows.iter().map(row).collect::<Vec<_>>())
}

#[test]
fn unset_options_become_what_packer_makes_of_them() {
    let config = good(&[]);
    assert_eq!(config.vm_name, "packer-debian");
    assert_eq!(config.output_directory, "output-debian");
    assert_eq!(
        config.qmp_socket_path,
        "output-debian/packer-debian.monitor"
    );
    assert_eq!(config.disk_size, "40960M");
    assert_eq!((config.memory, config.cpus), (512, 0));
    assert_eq!((config.host_port_min, config.host_port_max), (2222, 4444));
    assert_eq!((config.vnc_port_min, config.vnc_port_max), (5900, 6000));
    assert_eq!(config.shutdown.shutdown_timeout.as_secs(), 300);
    assert_eq!(config.named_accelerator(), None);
    assert!(!config.skip_compaction && !config.efi_boot && !config.wants_qmp());
}

#[test]
fn sizes_and_formats_are_completed() {
    assert_eq!(good(&[("disk_size", "8192".into())]).disk_size, "8192M");
    assert_eq!(good(&[("disk_size", 8192_u64.into())]).disk_size, "8192M");
    let raw = good(&[("format", "raw".into()), ("disk_compression", true.into())]);
    assert!(raw.skip_compaction && !raw.disk_compression);
    let backing = good(&[
        ("disk_image", true.into()),
        ("use_backing_file", true.into()),
    ]);
    assert!(backing.skip_compaction);
}

#[test]
fn either_efi_volume_turns_efi_on() {
    assert!(good(&[("efi_firmware_code", "/c".into())]).efi_boot);
    assert!(good(&[("efi_firmware_vars", "/v".into())]).efi_boot);
}

#[test]
fn old_names_of_ports_win() {
    let config = good(&[
        ("ssh_host_port_min", 3000_u64.into()),
        ("ssh_host_port_max", 3001_u64.into()),
    ]);
    assert_eq!((config.host_port_min, config.host_port_max), (3000, 3001));
}

#[test]
fn values_outside_their_set_are_refused() {
    for (option, bad) in [
        ("accelerator", "vmx"),
        ("format", "vmdk"),
        ("disk_interface", "nvme"),
        ("disk_cache", "always"),
        ("disk_discard", "on"),
        ("disk_detect_zeroes", "maybe"),
        ("disk_size", "10GB"),
        ("communicator", "telnet"),
    ] {
        check(&[(option, bad.into())], &[option]);
    }
    for good_value in ["none", "kvm", "tcg", "xen", "hax", "hvf", "whpx"] {
        check(&[("accelerator", good_value.into())], &[]);
    }
}

#[test]
fn numbers_outside_their_range_are_refused() {
    let number = |text: &str| Value::from(text);
    for option in ["cpus", "sockets", "cores", "threads"] {
        check(&[(option, number("-1"))], &[option]);
    }
    check(&[("host_port_min", number("-1"))], &["host_port_min"]);
    check(&[("host_port_min", number("5000"))], &["host_port_min"]);
    check(&[("vnc_port_min", number("5899"))], &["vnc_port_min"]);
    check(&[("vnc_port_max", number("70000"))], &["vnc_port_max"]);
    check(&[("vnc_port_min", number("6001"))], &["vnc_port_min"]);
    check(&[("vnc_password", "123456789".into())], &["vnc_password"]);
    check(&[("vnc_password", "12345678".into())], &[]);
}

#[test]
fn options_that_need_others_are_refused_without_them() {
    check(&[("skip_resize_disk", true.into())], &["skip_resize_disk"]);
    check(&[("use_backing_file", true.into())], &["use_backing_file"]);
    check(
        &[
            ("use_backing_file", true.into()),
            ("disk_image", true.into()),
            ("format", "raw".into()),
        ],
        &["use_backing_file"],
    );
    check(&[("ssh_username", "".into())], &["ssh_username"]);
    check(
        &[("ssh_username", "".into()), ("communicator", "none".into())],
        &[],
    );
    check(&[("iso_url", "".into())], &["iso_url"]);
    check(&[("iso_checksum", "".into())], &["iso_checksum"]);
}

#[test]
fn a_skipped_cache_needs_no_checksum_and_warns() {
    let options = value(&[("iso_skip_cache", true.into()), ("iso_checksum", "".into())]);
    let (mut config, _) = decode::<QemuConfig>(&options).expect("it decodes");
    let problems = config.prepare(&build());
    let found: Vec<_> = problems
        .iter()
        .map(|it| (it.severity, it.path.to_string()))
        .collect();
    assert_eq!(found, [(Severity::Warning, "iso_checksum".to_owned())]);
    assert_eq!(config.iso.iso_checksum, "none");
}

#[test]
fn rows_are_checked() {
    check(
        &[(
            "qemuargs",
            rows(&[&["-m", "1G"], &["-nographic"], &["-serial", "stdio"]]),
        )],
        &[],
    );
    check(
        &[("qemuargs", rows(&[&["-m", "1G"], &[]]))],
        &["qemuargs[1]"],
    );
    check(
        &[("boot_steps", rows(&[&["<enter>", "start"], &["x"]]))],
        &[],
    );
    check(
        &[("boot_steps", rows(&[&["a", "b", "c"]]))],
        &["boot_steps[0]"],
    );
    check(
        &[
            ("boot_steps", rows(&[&["x"]])),
            ("boot_command", rows(&[&["x"]])),
        ],
        &["boot_command[0]"],
    );
    let command = Value::from(vec![Value::from("<enter>")]);
    check(
        &[
            ("boot_steps", rows(&[&["x"]])),
            ("boot_command", command.clone()),
        ],
        &["boot_steps"],
    );
    check(
        &[("disable_vnc", true.into()), ("boot_command", command)],
        &["disable_vnc"],
    );
    check(
        &[
            ("disable_vnc", true.into()),
            ("boot_steps", rows(&[&["x"]])),
        ],
        &["boot_steps"],
    );
}

#[test]
fn an_existing_output_directory_needs_force() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = [(
        "output_directory",
        Value::from(folder.path().display().to_string()),
    )];
    check(&options, &["output_directory"]);
    let forced = BuildInfo {
        force: true,
        ..build()
    };
    assert!(prepared(&options, &forced).1.is_empty());
}

#[test]
fn every_problem_is_told_at_once() {
    check(
        &[
            ("format", "x".into()),
            ("cpus", "-1".into()),
            ("disk_size", "x".into()),
        ],
        &["cpus", "disk_size", "format"],
    );
}
