//! What the options must keep, and what unset ones become.

use std::path::Path;

use kiln_sdk::BuildInfo;
use kiln_sdk::ssh::Prepare;
use kiln_sdk::{Diagnostic, Diagnostics, PathStep};

use super::{Accelerator, DiskSize, QemuConfig};

/// Less memory than this is taken for a mistake, MiB.
const LEAST_MEMORY: i64 = 10;
const DEFAULT_MEMORY: i64 = 512;
/// Port of VNC display 0.
const FIRST_VNC_PORT: u32 = 5900;
/// VNC authentication uses only this many characters, RFC 6143 7.2.2.
const LONGEST_VNC_PASSWORD: usize = 8;

impl QemuConfig {
    /// Checks and completes the options; reports every problem.
    pub(crate) fn prepare(&mut self, build: &BuildInfo) -> Diagnostics {
        let mut problems = Diagnostics::new();
        self.fill(build);
        if self.iso_skip_cache {
            "none".clone_into(&mut self.iso.iso_checksum);
        }
        problems.extend(self.iso.prepare());
        problems.extend(self.floppy.prepare());
        problems.extend(self.cd.prepare());
        problems.extend(self.http.prepare());
        problems.extend(self.typing.prepare());
        problems.extend(self.communicator.prepare(&Prepare::from_environment()));
        self.prepare_machine(&mut problems);
        self.prepare_disks(&mut problems);
        self.prepare_network(&mut problems);
        self.prepare_screen(&mut problems);
        self.prepare_rows(&mut problems);
        self.prepare_output(build, &mut problems);
        problems
    }

    /// Gives unset options their defaults; an empty text and a zero are unset.
    fn fill(&mut self, build: &BuildInfo) {
        for (option, default) in [
            (&mut self.machine_type, "pc"),
            (&mut self.disk_interface, "virtio"),
            (&mut self.disk_cache, "writeback"),
            (&mut self.disk_discard, "ignore"),
            (&mut self.disk_detect_zeroes, "off"),
            (&mut self.format, "qcow2"),
            (&mut self.tpm_device_type, "tpm-tis"),
            (&mut self.net_device, "virtio-net"),
            (&mut self.vnc_bind_address, "127.0.0.1"),
            (&mut self.qemu_binary, "qemu-system-x86_64"),
        ] {
            if option.is_empty() {
                default.clone_into(option);
            }
        }
        if self.vm_name.is_empty() {
            self.vm_name = format!("packer-{}", build.source_name);
        }
        if self.output_directory.is_empty() {
            self.output_directory = format!("output-{}", build.source_name);
        }
        if self.qmp_socket_path.is_empty() {
            let socket =
                Path::new(&self.output_directory).join(format!("{}.monitor", self.vm_name));
            self.qmp_socket_path = socket.display().to_string();
        }
        if self.memory < LEAST_MEMORY {
            self.memory = DEFAULT_MEMORY;
        }
        if !self.efi_firmware_code.is_empty() || !self.efi_firmware_vars.is_empty() {
            self.efi_boot = true;
        }
    }

    fn prepare_machine(&self, problems: &mut Diagnostics) {
        if !self.accelerator.is_empty() && self.named_accelerator().is_none() {
            let detail = format!(
                "`{}` is not one of them. Known are {}.",
                self.accelerator,
                Accelerator::names()
            );
            problems.push(Diagnostic::error("Unknown accelerator", detail).on("accelerator"));
        }
        for (option, value) in [
            ("cpus", self.cpus),
            ("sockets", self.sockets),
            ("cores", self.cores),
            ("threads", self.threads),
        ] {
            if value < 0 {
                let detail = format!("`{value}` is negative; a machine has no CPUs that way.");
                problems.push(Diagnostic::error("Number of CPUs is negative", detail).on(option));
            }
        }
        if self.vtpm && cfg!(windows) {
            let detail = "The TPM emulator `swtpm` does not run on Windows.";
            problems.push(Diagnostic::error("No TPM on this system", detail).on("vtpm"));
        }
    }

    fn prepare_disks(&mut self, problems: &mut Diagnostics) {
        match DiskSize::parse(&self.disk_size) {
            Some(size) => size.as_str().clone_into(&mut self.disk_size),
            None => {
                let detail = format!(
                    "`{}` is not a disk size: use digits and at most one of b, k, M, G, T.",
                    self.disk_size
                );
                problems.push(
                    Diagnostic::error("Disk size is not usable", detail)
                        .on("disk_size")
                        .hint("write for example `disk_size = \"20G\"`"),
                );
            }
        }
        one_of(problems, "format", &self.format, &["qcow2", "raw"]);
        let interfaces = ["ide", "sata", "scsi", "sd", "virtio", "virtio-scsi"];
        one_of(
            problems,
            "disk_interface",
            &self.disk_interface,
            &interfaces,
        );
        let caches = ["writethrough", "writeback", "none", "unsafe", "directsync"];
        one_of(problems, "disk_cache", &self.disk_cache, &caches);
        one_of(
            problems,
            "disk_discard",
            &self.disk_discard,
            &["unmap", "ignore"],
        );
        let zeroes = ["unmap", "on", "off"];
        one_of(
            problems,
            "disk_detect_zeroes",
            &self.disk_detect_zeroes,
            &zeroes,
        );
        if self.use_backing_file && !(self.disk_image && self.format == "qcow2") {
            let detail = "`use_backing_file` needs `disk_image = true` and `format = \"qcow2\"`.";
            problems.push(
                Diagnostic::error("Backing file is not possible", detail).on("use_backing_file"),
            );
        }
        if self.skip_resize_disk && !self.disk_image {
            let detail = "`skip_resize_disk` can only be used with `disk_image = true`.";
            problems.push(
                Diagnostic::error("There is no disk image to keep", detail).on("skip_resize_disk"),
            );
        }
        // A raw disk cannot become smaller by rewriting it, and compaction would cut the tie to
        // the backing file.
        if self.format == "raw" {
            self.disk_compression = false;
        }
        if self.format == "raw" || self.use_backing_file {
            self.skip_compaction = true;
        }
    }

    fn prepare_network(&mut self, problems: &mut Diagnostics) {
        if self.ssh_host_port_min != 0 {
            self.host_port_min = self.ssh_host_port_min;
        }
        if self.ssh_host_port_max != 0 {
            self.host_port_max = self.ssh_host_port_max;
        }
        if self.host_port_min == 0 {
            self.host_port_min = 2222;
        }
        if self.host_port_max == 0 {
            self.host_port_max = 4444;
        }
        if self.host_port_min > self.host_port_max {
            let detail = format!(
                "`host_port_min` is {}, above `host_port_max`, which is {}.",
                self.host_port_min, self.host_port_max
            );
            problems.push(Diagnostic::error("Port range is empty", detail).on("host_port_min"));
        }
        if !self.net_bridge.is_empty() && !cfg!(target_os = "linux") {
            let detail = "`net_bridge` works only where QEMU's bridge helper does, on Linux.";
            problems.push(Diagnostic::error("No bridge on this system", detail).on("net_bridge"));
        }
    }

    fn prepare_screen(&mut self, problems: &mut Diagnostics) {
        if self.vnc_port_min == 0 {
            self.vnc_port_min = FIRST_VNC_PORT;
        }
        if self.vnc_port_max == 0 {
            self.vnc_port_max = 6000;
        }
        if self.vnc_port_min < FIRST_VNC_PORT {
            let detail =
                format!("`vnc_port_min` cannot be below {FIRST_VNC_PORT}, the first port of VNC.");
            problems.push(Diagnostic::error("Port is too low for VNC", detail).on("vnc_port_min"));
        }
        for (option, port) in [
            ("vnc_port_min", self.vnc_port_min),
            ("vnc_port_max", self.vnc_port_max),
        ] {
            if port > u32::from(u16::MAX) {
                let detail = format!("`{port}` is above 65535, the last port there is.");
                problems.push(Diagnostic::error("There is no such port", detail).on(option));
            }
        }
        if self.vnc_port_min > self.vnc_port_max {
            let detail = format!(
                "`vnc_port_min` is {}, above `vnc_port_max`, which is {}.",
                self.vnc_port_min, self.vnc_port_max
            );
            problems.push(Diagnostic::error("Port range is empty", detail).on("vnc_port_min"));
        }
        if self.vnc_password.expose().chars().count() > LONGEST_VNC_PASSWORD {
            let detail = format!(
                "VNC uses only the first {LONGEST_VNC_PASSWORD} characters of a password, and QEMU refuses longer ones."
            );
            problems
                .push(Diagnostic::error("Password is too long for VNC", detail).on("vnc_password"));
        }
    }

    fn prepare_rows(&self, problems: &mut Diagnostics) {
        for (index, row) in self.qemuargs.iter().enumerate() {
            if row.is_empty() || row.iter().all(|word| word.is_empty()) {
                let detail =
                    "A row of `qemuargs` is an option of QEMU and, if it takes one, a value.";
                problems.push(row_problem("qemuargs", index, "Row is empty", detail));
            }
        }
        if self.boot_steps.is_empty() {
            return;
        }
        if !self.typing.boot.boot_command.is_empty() {
            let detail = "`boot_command` and `boot_steps` cannot be used together.";
            problems.push(Diagnostic::error("Two boot commands", detail).on("boot_steps"));
        }
        if self.typing.disable_vnc {
            let detail = "A boot command cannot be typed when `disable_vnc` is set.";
            problems.push(Diagnostic::error("Nothing to type on", detail).on("boot_steps"));
        }
        for (index, row) in self.boot_steps.iter().enumerate() {
            if row.is_empty() || row.len() > 2 {
                let detail =
                    "A row of `boot_steps` is a boot command and, optionally, its description.";
                problems.push(row_problem(
                    "boot_steps",
                    index,
                    "Row has the wrong length",
                    detail,
                ));
            }
        }
    }

    fn prepare_output(&self, build: &BuildInfo, problems: &mut Diagnostics) {
        if build.force || !Path::new(&self.output_directory).exists() {
            return;
        }
        let detail = format!(
            "Output directory `{}` already exists. It must not exist.",
            self.output_directory
        );
        problems.push(
            Diagnostic::error("Output directory exists", detail)
                .on("output_directory")
                .hint(
                    "remove it, set another `output_directory`, or build with -force to replace it",
                ),
        );
    }
}

fn row_problem(option: &str, index: usize, summary: &str, detail: &str) -> Diagnostic {
    let path = kiln_sdk::Path::attribute(option).then(PathStep::Index(index));
    Diagnostic::error(summary, detail).at(path)
}

fn one_of(problems: &mut Diagnostics, option: &str, value: &str, known: &[&str]) {
    if known.contains(&value) {
        return;
    }
    let detail = format!(
        "`{value}` is not known for `{option}`. Use one of {}.",
        known.join(", ")
    );
    problems.push(Diagnostic::error("Unknown value", detail).on(option));
}
