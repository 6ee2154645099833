//! The options QEMU gets when the template adds none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Options;
use crate::config::{Accelerator, QemuConfig};
use crate::driver::Version;
use crate::steps::copy_efi::Firmware;

/// How long QEMU holds back each typed key; its own default of 10 ms is made for people who watch.
pub(crate) const KEY_DELAY: Duration = Duration::from_millis(1);

/// The forwarded port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forward {
    /// On this machine.
    pub(crate) host: u16,
    /// In the guest.
    pub(crate) guest: u16,
}

/// Where the screen is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Address on this machine.
    pub(crate) address: String,
    /// Port, at least 5900.
    pub(crate) port: u16,
}

impl Screen {
    /// The number VNC clients know the port by.
    pub(crate) fn display(&self) -> u16 {
        self.port.saturating_sub(5900)
    }
}

/// Everything the command line depends on.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The options.
    pub(crate) config: &'a QemuConfig,
    /// QEMU's version.
    pub(crate) version: Version,
    /// How the guest's code runs.
    pub(crate) accelerator: Accelerator,
    /// Whether a window can be opened.
    pub(crate) windowed: bool,
    /// Image to install from; none when a disk image is started.
    pub(crate) iso: Option<PathBuf>,
    /// CD made for this build.
    pub(crate) cd: Option<PathBuf>,
    /// Floppy disk made for this build.
    pub(crate) floppy: Option<PathBuf>,
    /// Disks, the primary one first.
    pub(crate) disks: Vec<PathBuf>,
    /// UEFI volumes.
    pub(crate) efi: Option<Firmware>,
    /// Socket of the TPM emulator.
    pub(crate) tpm: Option<PathBuf>,
    /// Where the screen is served.
    pub(crate) screen: Screen,
    /// The forwarded port.
    pub(crate) forward: Option<Forward>,
    /// Where QEMU writes its process number.
    pub(crate) pidfile: &'a Path,
    /// Where the guest's first serial port is written; none leaves it to QEMU.
    pub(crate) serial: Option<PathBuf>,
}

/// The default options.
///
/// # Source
///
/// Packer's qemu plugin. Differs: `-pidfile` is added, by which a killed build is cleaned up; when
/// the template has no serial port of its own, `-serial` is added, as evidence for a failed build;
/// a screen that is typed on gets `key-delay-ms`; and the forwarded port is open on loopback only.
pub(crate) fn defaults(launch: &Launch<'_>) -> Options {
    let config = launch.config;
    let mut options = List(Options::new());
    if launch.efi.is_none() {
        options.add("-boot", if config.disk_image { "c" } else { "once=d" });
    }
    if config.wants_qmp() {
        options.add(
            "-qmp",
            format!("unix:{},server,nowait", config.qmp_socket_path),
        );
    }
    options.add("-name", &config.vm_name);
    options.add("-machine", machine(launch));
    if !config.firmware.is_empty() && !config.use_pflash {
        options.add("-bios", &config.firmware);
    }
    options.add("-netdev", network(launch));
    options.add("-vnc", screen(launch));
    options.add("-m", format!("{}M", config.memory));
    options.add("-smp", processors(config));
    if !config.cpu_model.is_empty() {
        options.add("-cpu", &config.cpu_model);
    }
    if let Some(floppy) = &launch.floppy {
        options.add("-fda", floppy.display().to_string());
    }
    if let Some(display) = display(launch) {
        options.add("-display", display);
    }
    if let Some(socket) = &launch.tpm {
        options.add(
            "-chardev",
            format!("socket,id=vtpm,path={}", socket.display()),
        );
        options.add("-tpmdev", "emulator,id=tpm0,chardev=vtpm");
    }
    if !config.vga.is_empty() {
        options.add("-vga", &config.vga);
    }
    options.0.push(("-device".to_owned(), devices(launch)));
    options.0.push(("-drive".to_owned(), drives(launch)));
    options.add("-pidfile", launch.pidfile.display().to_string());
    if let Some(serial) = &launch.serial {
        options.add("-serial", format!("file:{}", serial.display()));
    }
    options.0
}

struct List(Options);

impl List {
    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), vec![value.into()]));
    }
}

fn machine(launch: &Launch<'_>) -> String {
    let machine = &launch.config.machine_type;
    match launch.accelerator {
        Accelerator::None => format!("type={machine}"),
        accelerator => format!("type={machine},accel={}", accelerator.name()),
    }
}

fn network(launch: &Launch<'_>) -> String {
    let bridge = &launch.config.net_bridge;
    if !bridge.is_empty() {
        return format!("bridge,id=user.0,br={bridge}");
    }
    match launch.forward {
        Some(Forward { host, guest }) => {
            let address = forward_address(config_host(launch));
            format!("user,id=user.0,hostfwd=tcp:{address}:{host}-:{guest}")
        }
        None => "user,id=user.0".to_owned(),
    }
}

/// The address the template itself names for the guest; empty when it names none.
fn config_host<'a>(launch: &'a Launch<'_>) -> &'a str {
    launch.config.communicator.host()
}

/// Where the forwarded port is open: on this machine only, unless the template reaches the guest
/// through another address. Differs: Packer opens it on every address.
fn forward_address(host: &str) -> &'static str {
    match host {
        "" | "127.0.0.1" | "localhost" => "127.0.0.1",
        _ => "",
    }
}

fn screen(launch: &Launch<'_>) -> String {
    let (config, screen) = (launch.config, &launch.screen);
    let mut value = format!("{}:{}", screen.address, screen.display());
    if config.vnc_use_password {
        value.push_str(",password");
    }
    if config.types() && launch.version.major >= 3 {
        value.push_str(&format!(",key-delay-ms={}", KEY_DELAY.as_millis()));
    }
    value
}

/// The value of `-smp`: the number of CPUs and the topology the template gives.
fn processors(config: &QemuConfig) -> String {
    let topology = [
        ("sockets", config.sockets),
        ("cores", config.cores),
        ("threads", config.threads),
    ];
    let given: Vec<_> = topology
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect();
    let count = match given
        .iter()
        .map(|(_, count)| *count)
        .reduce(i64::saturating_mul)
    {
        None => config.cpus.max(1),
        Some(product) if config.cpus == 0 => product,
        Some(product) => config.cpus.min(product),
    };
    given.iter().fold(count.to_string(), |text, (name, count)| {
        format!("{text},{name}={count}")
    })
}

fn display(launch: &Launch<'_>) -> Option<String> {
    let config = launch.config;
    if config.headless || launch.version.major < 2 {
        return None;
    }
    match config.display.as_str() {
        "none" => None,
        "" if config.use_default_display || !launch.windowed => None,
        "" => Some("gtk".to_owned()),
        display => Some(display.to_owned()),
    }
}

fn devices(launch: &Launch<'_>) -> Vec<String> {
    let config = launch.config;
    let mut devices = Vec::new();
    let controller = "virtio-scsi-pci,id=scsi0".to_owned();
    let scsi_disks = config.disk_interface == "virtio-scsi" && launch.version.major >= 2;
    if scsi_disks {
        devices.push(controller.clone());
        for index in 0..launch.disks.len() {
            devices.push(format!("scsi-hd,bus=scsi0.0,drive=drive{index}"));
        }
    }
    devices.push(format!("{},netdev=user.0", config.net_device));
    if config.cdrom_interface == "virtio-scsi" {
        if !scsi_disks {
            devices.push(controller);
        }
        for index in 0..discs(launch).len() {
            devices.push("virtio-scsi-device".to_owned());
            devices.push(format!("scsi-cd,drive=cdrom{index}"));
        }
    }
    if launch.tpm.is_some() {
        devices.push(format!("{},tpmdev=tpm0", config.tpm_device_type));
    }
    devices
}

/// CDs in the order the guest sees them.
fn discs<'a>(launch: &'a Launch<'_>) -> Vec<&'a Path> {
    launch
        .iso
        .iter()
        .chain(&launch.cd)
        .map(PathBuf::as_path)
        .collect()
}

fn drives(launch: &Launch<'_>) -> Vec<String> {
    let config = launch.config;
    let mut drives = disk_drives(launch);
    let scsi_disks = if config.disk_interface == "virtio-scsi" {
        launch.disks.len()
    } else {
        0
    };
    for (index, disc) in discs(launch).iter().enumerate() {
        let file = disc.display();
        drives.push(match config.cdrom_interface.as_str() {
            "" => format!("file={file},media=cdrom"),
            "virtio-scsi" => format!(
                "file={file},if=none,index={},id=cdrom{index},media=cdrom",
                scsi_disks + index
            ),
            interface => format!(
                "file={file},if={interface},index={},id=cdrom{index},media=cdrom",
                first_free_unit(launch, interface) + index
            ),
        });
    }
    if config.use_pflash && !config.firmware.is_empty() {
        drives.push(format!(
            "file={},if=pflash,format=raw,readonly=on",
            config.firmware
        ));
    }
    if let Some(Firmware { code, vars }) = &launch.efi {
        let (code, vars) = (code.display(), vars.display());
        drives.push(format!(
            "file={code},if=pflash,unit=0,format=raw,readonly=on"
        ));
        drives.push(format!("file={vars},if=pflash,unit=1,format=raw"));
    }
    drives
}

/// The number the first CD gets on its bus.
///
/// Differs: Packer always begins at 0, which a disk on the same bus already has.
fn first_free_unit(launch: &Launch<'_>, interface: &str) -> usize {
    if launch.config.disk_interface == interface {
        launch.disks.len()
    } else {
        0
    }
}

fn disk_drives(launch: &Launch<'_>) -> Vec<String> {
    let config = launch.config;
    let zeroes = match config.disk_detect_zeroes.as_str() {
        "off" => String::new(),
        mode => format!(",detect-zeroes={mode}"),
    };
    let (interface, cache, format) = (&config.disk_interface, &config.disk_cache, &config.format);
    if launch.version.major < 2 {
        let disk = launch
            .disks
            .first()
            .map(|disk| disk.display().to_string())
            .unwrap_or_default();
        return vec![format!(
            "file={disk},if={interface},cache={cache},format={format}{zeroes}"
        )];
    }
    let discard = &config.disk_discard;
    let tail = format!("cache={cache},discard={discard},format={format}{zeroes}");
    let drive = |(index, disk): (usize, &PathBuf)| match interface.as_str() {
        "virtio-scsi" => format!("if=none,file={},id=drive{index},{tail}", disk.display()),
        interface => format!("file={},if={interface},{tail}", disk.display()),
    };
    launch.disks.iter().enumerate().map(drive).collect()
}
