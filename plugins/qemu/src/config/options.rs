//! The options themselves.

use kiln_sdk::Config;
use kiln_sdk::boot_command::VncBootConfig;
use kiln_sdk::download::IsoConfig;
use kiln_sdk::http_server::HttpConfig;
use kiln_sdk::media::{CdConfig, FloppyConfig};
use kiln_sdk::ssh::CommunicatorConfig;
use kiln_sdk::steps::ShutdownConfig;
use kiln_sdk::{Secret, Template};

use super::{Accelerator, DiskSize};

/// Builds virtual machine images with QEMU, from an installation image or from a disk image.
///
/// # Source
///
/// Packer's qemu plugin, options and defaults of version 1.1.5; differences are noted where they
/// are.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct QemuConfig {
    #[config(flatten)]
    pub(crate) iso: IsoConfig,
    #[config(flatten)]
    pub(crate) floppy: FloppyConfig,
    #[config(flatten)]
    pub(crate) cd: CdConfig,
    #[config(flatten)]
    pub(crate) http: HttpConfig,
    #[config(flatten)]
    pub(crate) typing: VncBootConfig,
    #[config(flatten)]
    pub(crate) communicator: CommunicatorConfig,
    #[config(flatten)]
    pub(crate) shutdown: ShutdownConfig,
    /// Hands the URL of the image to QEMU instead of downloading it. The server must serve parts
    /// of files; nothing is verified.
    pub(crate) iso_skip_cache: bool,
    /// How the guest's code runs: `none`, `kvm`, `tcg`, `xen`, `hax`, `hvf` or `whpx`. Unset means
    /// the fastest one that works here.
    ///
    /// Differs: whether KVM works is tried out, not guessed from the device being there, and on
    /// macOS `hvf` is used when it works.
    pub(crate) accelerator: String,
    /// QEMU's machine type.
    #[config(default = "pc")]
    pub(crate) machine_type: String,
    /// QEMU's CPU model; unset for QEMU's default.
    pub(crate) cpu_model: String,
    /// Number of CPUs; with a topology at most the product of its numbers.
    pub(crate) cpus: i64,
    /// Number of CPU sockets.
    pub(crate) sockets: i64,
    /// Number of cores per socket.
    pub(crate) cores: i64,
    /// Number of threads per core.
    pub(crate) threads: i64,
    /// Memory in MiB; less than 10 becomes 512.
    #[config(default = 512)]
    pub(crate) memory: i64,
    /// Size of the primary disk: a number and one of `b k M G T`; a bare number counts MiB.
    #[config(default = "40960M")]
    pub(crate) disk_size: String,
    /// Sizes of further disks, as `qemu-img create` reads them: a bare number counts bytes.
    pub(crate) disk_additional_size: Vec<String>,
    /// How disks are attached: `ide`, `sata`, `scsi`, `sd`, `virtio` or `virtio-scsi`.
    #[config(default = "virtio")]
    pub(crate) disk_interface: String,
    /// Cache mode of disks: `writethrough`, `writeback`, `none`, `unsafe` or `directsync`.
    #[config(default = "writeback")]
    pub(crate) disk_cache: String,
    /// What happens to discarded blocks: `unmap` or `ignore`.
    #[config(default = "ignore")]
    pub(crate) disk_discard: String,
    /// What happens to written zeros: `unmap`, `on` or `off`.
    #[config(default = "off")]
    pub(crate) disk_detect_zeroes: String,
    /// Format of the disks: `qcow2` or `raw`.
    #[config(default = "qcow2")]
    pub(crate) format: String,
    /// Whether to leave out the compaction of the primary disk at the end.
    pub(crate) skip_compaction: bool,
    /// Whether to compress the primary disk at the end; only with `qcow2`.
    pub(crate) disk_compression: bool,
    /// Whether the image is a disk to start from instead of installation media.
    pub(crate) disk_image: bool,
    /// Whether to keep the image as the backing file of the primary disk instead of copying it;
    /// only with `disk_image` and `qcow2`.
    ///
    /// Differs: the format of the image is found out instead of taken for `qcow2`.
    pub(crate) use_backing_file: bool,
    /// Whether to keep the size of the image; only with `disk_image`.
    pub(crate) skip_resize_disk: bool,
    /// How CDs are attached; unset for QEMU's default, `virtio-scsi` for a SCSI controller.
    pub(crate) cdrom_interface: String,
    /// BIOS or, with `use_pflash`, a firmware volume.
    pub(crate) firmware: String,
    /// Whether `firmware` is attached as flash.
    pub(crate) use_pflash: bool,
    /// Whether the guest boots with UEFI.
    pub(crate) efi_boot: bool,
    /// UEFI code volume; turns on `efi_boot`.
    ///
    /// Differs: when this and `efi_firmware_vars` are unset, `/usr/share/OVMF/OVMF_CODE.fd` is
    /// used if it is there, else the place other distributions have it.
    pub(crate) efi_firmware_code: String,
    /// UEFI variables volume, which is copied; turns on `efi_boot`.
    pub(crate) efi_firmware_vars: String,
    /// Whether to leave the UEFI variables out of the artifact's files.
    pub(crate) efi_drop_efivars: bool,
    /// Whether the guest has a TPM; needs `swtpm`.
    pub(crate) vtpm: bool,
    /// Whether the TPM speaks version 1.2 instead of 2.0.
    pub(crate) use_tpm1: bool,
    /// QEMU's TPM device.
    #[config(default = "tpm-tis")]
    pub(crate) tpm_device_type: String,
    /// QEMU's network device.
    #[config(default = "virtio-net")]
    pub(crate) net_device: String,
    /// Bridge the guest's network is attached to, instead of QEMU's own network; only on Linux.
    pub(crate) net_bridge: String,
    /// Lowest port of this machine that may lead to the guest's SSH or WinRM port.
    #[config(default = 2222)]
    pub(crate) host_port_min: u16,
    /// Highest port of this machine that may lead to the guest's SSH or WinRM port.
    #[config(default = 4444)]
    pub(crate) host_port_max: u16,
    /// Old name of `host_port_min`; wins over it.
    #[config(deprecated = "use host_port_min")]
    pub(crate) ssh_host_port_min: u16,
    /// Old name of `host_port_max`; wins over it.
    #[config(deprecated = "use host_port_max")]
    pub(crate) ssh_host_port_max: u16,
    /// Whether to do without a forwarded port: the guest's own port is used.
    pub(crate) skip_nat_mapping: bool,
    /// Whether to run without a window.
    ///
    /// Differs: without a display server no window is asked for either, because QEMU would fail.
    pub(crate) headless: bool,
    /// QEMU's display; unset for `gtk`, `none` for no option at all.
    pub(crate) display: String,
    /// Whether to leave the choice of display to QEMU.
    pub(crate) use_default_display: bool,
    /// QEMU's graphics card; unset for QEMU's default.
    pub(crate) vga: String,
    /// Address the screen is served on.
    #[config(default = "127.0.0.1")]
    pub(crate) vnc_bind_address: String,
    /// Lowest port for the screen, at least 5900.
    #[config(default = 5900)]
    pub(crate) vnc_port_min: u32,
    /// Highest port for the screen.
    #[config(default = 6000)]
    pub(crate) vnc_port_max: u32,
    /// Whether the screen is protected by a password.
    pub(crate) vnc_use_password: bool,
    /// Password for the screen, at most 8 characters; random when unset.
    #[config(sensitive)]
    pub(crate) vnc_password: Secret<String>,
    /// Whether QEMU serves its control protocol.
    pub(crate) qmp_enable: bool,
    /// Socket of the control protocol; `NAME.monitor` in the output directory when unset.
    pub(crate) qmp_socket_path: String,
    /// QEMU's executable, a name looked up in `PATH` or a path.
    #[config(default = "qemu-system-x86_64")]
    pub(crate) qemu_binary: String,
    /// More options for QEMU, as rows of an option and its value. A row replaces every default of
    /// the same option. May use `HTTPIP`, `HTTPPort`, `HTTPDir`, `HTTPContent`, `OutputDir`, `Name`
    /// and `SSHHostPort`.
    pub(crate) qemuargs: Vec<Vec<Template>>,
    /// More options for `qemu-img`.
    #[config(block)]
    pub(crate) qemu_img_args: Option<ImageToolArguments>,
    /// What to type at the boot prompt, as rows of text and an optional description that is
    /// shown. Not together with `boot_command`.
    pub(crate) boot_steps: Vec<Vec<Template>>,
    /// Folder for the artifact; `output-BUILD` when unset. Must not exist, except with `-force`,
    /// which replaces it.
    pub(crate) output_directory: String,
    /// Name of the machine and of its disk file; `packer-BUILD` when unset.
    pub(crate) vm_name: String,
    /// Accepted for old templates; means nothing.
    #[expect(dead_code, reason = "templates may have it, nothing follows from it")]
    pub(crate) run_once: bool,
}

/// More options for the commands of `qemu-img`.
#[derive(Clone, Debug, Default, PartialEq, Config)]
pub(crate) struct ImageToolArguments {
    /// For the conversion at the end.
    pub(crate) convert: Vec<String>,
    /// For the creation of disks.
    pub(crate) create: Vec<String>,
    /// For resizing.
    pub(crate) resize: Vec<String>,
}

impl QemuConfig {
    /// The accelerator the template names; `None` when it leaves the choice to us.
    pub(crate) fn named_accelerator(&self) -> Option<Accelerator> {
        Accelerator::named(&self.accelerator)
    }

    /// The size of the primary disk, in the form `qemu-img` takes.
    pub(crate) fn primary_size(&self) -> DiskSize {
        DiskSize::parse(&self.disk_size)
            .unwrap_or_else(|| DiskSize::parse("").expect("the default size is a size"))
    }

    /// Whether the control protocol is needed.
    pub(crate) fn wants_qmp(&self) -> bool {
        self.qmp_enable || self.vnc_use_password || !self.net_bridge.is_empty()
    }

    /// Whether there is anything to type.
    pub(crate) fn types(&self) -> bool {
        let has_text = !self.typing.boot.boot_command.is_empty() || !self.boot_steps.is_empty();
        has_text && !self.typing.disable_vnc
    }

    /// Whether the guest can be talked to.
    pub(crate) fn has_communicator(&self) -> bool {
        self.communicator.communicator != "none"
    }

    /// More options for `qemu-img`; empty when the template has none.
    pub(crate) fn image_tool(&self) -> ImageToolArguments {
        self.qemu_img_args.clone().unwrap_or_default()
    }
}
