//! Builds against programs that only write down what they are asked to do.

use kiln_sdk::{Value, Verdict};

use super::host::Host;
use crate::driver::Ended;
use crate::driver::recording::Recording;

/// A machine that powers itself off.
fn powers_off() -> Recording {
    Recording {
        end: Some(Ended::Status(0)),
        ..Recording::default()
    }
}

/// Checks the calls of `qemu-img`, in which `OUT` and `ISO` stand for the output directory and the
/// image.
async fn check_disks(options: &[(&str, Value)], expected: &[&str]) {
    let (host, driver) = (Host::new(), powers_off());
    host.run(driver.clone(), options).await.expect("it builds");
    let (out, image) = (
        host.output().display().to_string(),
        host.path("image.").display().to_string(),
    );
    let calls: Vec<String> = driver
        .calls_of("qemu-img")
        .iter()
        .map(|call| call.replace(&out, "OUT").replace(&image, "ISO."))
        .collect();
    assert_eq!(calls, expected, "{options:?}");
    host.check_clean().await;
}

fn list(items: &[&str]) -> Value {
    Value::from(
        items
            .iter()
            .map(|item| Value::from(*item))
            .collect::<Vec<_>>(),
    )
}

#[tokio::test]
async fn a_build_leaves_its_disk_and_tells_about_it() {
    let host = Host::new();
    let artifact = host
        .run(powers_off(), &[("disk_size", "10G".into())])
        .await
        .expect("it builds");
    assert_eq!(
        (artifact.builder_id.as_str(), artifact.id.as_str()),
        ("transcend.qemu", "VM")
    );
    let out = host.output();
    assert_eq!(
        artifact.description,
        format!("VM files in directory: {}", out.display())
    );
    assert_eq!(artifact.files, [out.join("vm")]);
    assert_eq!(artifact.destroy, std::slice::from_ref(&out));
    let state = |key: &str| {
        artifact
            .state
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    assert_eq!(state("diskName").as_deref(), Some("vm"));
    assert_eq!(state("diskType").as_deref(), Some("qcow2"));
    assert_eq!(state("diskSize").as_deref(), Some("10G"));
    assert_eq!(state("domainType").as_deref(), Some("tcg"));
    let data = artifact.state.get("generated_data").expect("it has values");
    assert_eq!(data, &host.generated());
    assert_eq!(data.get("ConnType").and_then(Value::as_str), Some("none"));
    assert!(out.join("vm").exists());
    host.check_clean().await;
}

#[tokio::test]
async fn says_what_scripts_wait_for() {
    let host = Host::new();
    let options = [(
        "cd_content",
        [("user-data", "")].into_iter().collect::<Value>(),
    )];
    host.run(powers_off(), &options).await.expect("it builds");
    let said = host.said();
    for line in [
        "Retrieving ISO",
        "Creating CD disk...",
        "Creating required virtual machine disks",
        "Starting VM, booting from CD-ROM",
        "Converting hard drive...",
    ] {
        assert!(said.iter().any(|text| text == line), "{line}: {said:?}");
    }
    assert!(
        !said
            .iter()
            .any(|text| text.contains("Deleting output directory")),
        "{said:?}"
    );
}

#[tokio::test]
async fn empty_disks_are_created_and_the_first_one_is_compacted() {
    let compact = "convert -p -O qcow2 OUT/vm OUT/vm.convert";
    check_disks(&[], &["create -f qcow2 OUT/vm 40960M", compact]).await;
    check_disks(
        &[
            ("disk_size", 100_u64.into()),
            ("disk_additional_size", list(&["1G", "5"])),
        ],
        &[
            "create -f qcow2 OUT/vm 100M",
            "create -f qcow2 OUT/vm-1 1G",
            "create -f qcow2 OUT/vm-2 5",
            compact,
        ],
    )
    .await;
    check_disks(
        &[("skip_compaction", true.into())],
        &["create -f qcow2 OUT/vm 40960M"],
    )
    .await;
    check_disks(
        &[
            ("skip_compaction", true.into()),
            ("disk_compression", true.into()),
        ],
        &[
            "create -f qcow2 OUT/vm 40960M",
            "convert -p -c -O qcow2 OUT/vm OUT/vm.convert",
        ],
    )
    .await;
    check_disks(
        &[("format", "raw".into())],
        &["create -f raw OUT/vm 40960M"],
    )
    .await;
}

#[tokio::test]
async fn a_disk_image_is_copied_or_converted_and_resized() {
    let from_image = |name: &'static str| move |host: &Host| host.path(name).display().to_string();
    let path = from_image("image.qcow2");
    let host = Host::new();
    std::fs::write(host.path("image.qcow2"), "image").expect("written");
    let driver = powers_off();
    let options = [
        ("disk_image", true.into()),
        ("iso_url", Value::from(path(&host))),
    ];
    host.run(driver.clone(), &options).await.expect("it builds");
    let out = host.output().display().to_string();
    assert_eq!(
        driver.calls_of("qemu-img")[0],
        format!("resize -f qcow2 {out}/vm 40960M")
    );
    check_disks(
        &[
            ("disk_image", true.into()),
            ("skip_resize_disk", true.into()),
        ],
        &[
            "convert -p -O qcow2 ISO.iso OUT/vm",
            "convert -p -O qcow2 OUT/vm OUT/vm.convert",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_backing_file_keeps_its_own_format() {
    check_disks(
        &[
            ("disk_image", true.into()),
            ("use_backing_file", true.into()),
        ],
        &[
            "info --output=json ISO.iso",
            "create -f qcow2 -b ISO.iso -F qcow2 OUT/vm 40960M",
            "resize -f qcow2 OUT/vm 40960M",
        ],
    )
    .await;
}

#[tokio::test]
async fn more_options_of_the_image_tool_are_passed_on() {
    let more: Value = [
        ("create", list(&["-o", "x"])),
        ("convert", list(&["-W"])),
        ("resize", list(&["--shrink"])),
    ]
    .into_iter()
    .collect();
    check_disks(
        &[
            ("disk_image", true.into()),
            ("use_backing_file", false.into()),
            ("qemu_img_args", more.clone()),
        ],
        &[
            "convert -p -O qcow2 ISO.iso OUT/vm",
            "resize -f qcow2 --shrink OUT/vm 40960M",
            "convert -p -W -O qcow2 OUT/vm OUT/vm.convert",
        ],
    )
    .await;
    check_disks(
        &[("qemu_img_args", more)],
        &[
            "create -f qcow2 -o x OUT/vm 40960M",
            "convert -p -W -O qcow2 OUT/vm OUT/vm.convert",
        ],
    )
    .await;
}

#[tokio::test]
async fn rows_of_the_template_are_rendered_and_replace_defaults() {
    let (host, driver) = (Host::new(), powers_off());
    let rows = Value::from(vec![
        list(&["-m", "1G"]),
        list(&["-fw_cfg", "name={{ .Name }},file={{ .OutputDir }}/x"]),
    ]);
    host.run(driver.clone(), &[("qemuargs", rows)])
        .await
        .expect("it builds");
    let call = driver.calls_of("qemu-system-x86_64").remove(0);
    let out = host.output().display().to_string();
    assert!(
        call.contains(&format!("-fw_cfg name=vm,file={out}/x")),
        "{call}"
    );
    assert!(call.contains("-m 1G") && !call.contains("512M"), "{call}");
    assert!(
        call.contains("-serial file:") && call.contains("-pidfile "),
        "{call}"
    );
}

/// Runs a build that fails; returns its message. Nothing may be left.
async fn check_failure(host: &Host, driver: Recording, options: &[(&str, Value)]) -> String {
    let failure = host.run(driver, options).await.expect_err("it fails");
    assert!(!host.output().exists(), "the output directory stays");
    assert!(
        host.said()
            .iter()
            .any(|line| line == "Deleting output directory...")
    );
    host.check_clean().await;
    failure.message
}

#[tokio::test]
async fn a_failed_provisioner_removes_everything() {
    let host = Host::new().verdict(Verdict::Failed("script failed".into()));
    assert_eq!(
        check_failure(&host, Recording::default(), &[]).await,
        "script failed"
    );
}

#[tokio::test]
async fn a_cancelled_build_removes_everything() {
    let host = Host::new().cancel_at("Waiting 1h");
    let options = [("boot_wait", Value::from("1h"))];
    assert_eq!(
        check_failure(&host, Recording::default(), &options).await,
        "context canceled"
    );
}

#[tokio::test]
async fn an_end_of_qemu_is_noticed_with_its_last_words() {
    let crashed = Recording {
        end: Some(Ended::Status(1)),
        last_words: "qemu: out of luck".into(),
        ..Recording::default()
    };
    let options = [("boot_wait", Value::from("1h"))];
    assert_eq!(
        check_failure(&Host::new(), crashed, &options).await,
        "QEMU exited with status 1 while it booted:\nqemu: out of luck"
    );
}

#[tokio::test]
async fn a_machine_that_is_off_cannot_be_connected_to() {
    let options = [
        ("communicator", Value::from("ssh")),
        ("ssh_username", "root".into()),
        ("ssh_password", "secret".into()),
    ];
    assert_eq!(
        check_failure(&Host::new(), powers_off(), &options).await,
        "the virtual machine was powered off while waiting for SSH"
    );
}

#[tokio::test]
async fn a_guest_that_does_not_shut_down_fails_the_build() {
    let options = [("shutdown_timeout", Value::from("10ms"))];
    let message = check_failure(&Host::new(), Recording::default(), &options).await;
    assert!(
        message.starts_with("Timeout while waiting for machine to shut down"),
        "{message}"
    );
}

#[tokio::test]
async fn a_full_disk_is_told_by_its_place() {
    let driver = powers_off();
    let words = "qemu-img: error while writing: No space left on device";
    driver
        .failures
        .lock()
        .expect("not poisoned")
        .push(("convert".into(), words.into()));
    let message = check_failure(&Host::new(), driver, &[]).await;
    assert!(
        message.starts_with("no space left on the disk of "),
        "{message}"
    );
}

#[tokio::test]
async fn a_refused_shrink_tells_what_to_set() {
    let driver = powers_off();
    let words = "qemu-img: Use the --shrink option to perform a shrink operation.";
    driver
        .failures
        .lock()
        .expect("not poisoned")
        .push(("resize".into(), words.into()));
    let message = check_failure(&Host::new(), driver, &[("disk_image", true.into())]).await;
    assert!(message.contains("`skip_resize_disk = true`"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_locked_disk_is_tried_again() {
    let (host, driver) = (Host::new(), powers_off());
    let words = "qemu-img: Could not open: Failed to get shared \"write\" lock";
    driver
        .failures
        .lock()
        .expect("not poisoned")
        .push(("convert".into(), words.into()));
    host.run(driver.clone(), &[]).await.expect("it builds");
    let converted = |call: &&String| call.starts_with("convert");
    assert_eq!(
        driver.calls_of("qemu-img").iter().filter(converted).count(),
        2
    );
}

#[tokio::test]
async fn force_replaces_an_old_output_directory() {
    let host = Host::new().force();
    std::fs::create_dir_all(host.output()).expect("folder is made");
    std::fs::write(host.output().join("old"), "").expect("written");
    let artifact = host.run(powers_off(), &[]).await.expect("it builds");
    assert_eq!(artifact.files, [host.output().join("vm")]);
    assert!(
        host.said()
            .iter()
            .any(|line| line == "Deleting previous output directory...")
    );
}

#[tokio::test]
async fn efi_variables_are_copied_and_can_be_left_out_of_the_artifact() {
    let host = Host::new();
    let (code, vars) = (host.path("code.fd"), host.path("vars.fd"));
    std::fs::write(&code, "code").expect("written");
    std::fs::write(&vars, "vars").expect("written");
    let options = [
        ("efi_firmware_code", Value::from(code.display().to_string())),
        ("efi_firmware_vars", vars.display().to_string().into()),
        ("efi_drop_efivars", true.into()),
    ];
    let artifact = host.run(powers_off(), &options).await.expect("it builds");
    assert_eq!(artifact.files, [host.output().join("vm")]);
    let copied = std::fs::read_to_string(host.output().join("efivars.fd")).expect("readable");
    assert_eq!(copied, "vars");
    let missing = [("efi_firmware_code", Value::from("/nonexistent/code.fd"))];
    let message = check_failure(&Host::new(), powers_off(), &missing).await;
    assert!(
        message.contains("`/nonexistent/code.fd` does not exist"),
        "{message}"
    );
}
