# The same installation under EFI firmware: the boot commands go to GRUB.

variable "fixture" {
  type = string
}

variable "output" {
  type    = string
  default = "output"
}

source "qemu" "efi" {
  iso_url      = "${var.fixture}/mini-debian.iso"
  iso_checksum = "none"

  accelerator  = "tcg"
  machine_type = "q35"
  efi_boot     = true
  memory       = 1024
  disk_size    = "3G"
  format       = "qcow2"
  headless     = true

  http_directory = "${var.fixture}/http"
  boot_wait      = "25s"
  boot_command = [
    "c<wait2>",
    "linux /linux console=tty0 answers=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answers.cfg<enter><wait2>",
    "initrd /initrd.gz<enter><wait5>",
    "boot<enter>",
  ]

  ssh_username     = "packer"
  ssh_password     = "mini-secret"
  ssh_timeout      = "20m"
  shutdown_command = "echo mini-secret | sudo -S systemctl poweroff"

  output_directory = "${var.output}/image"
  vm_name          = "efi.qcow2"
}

build {
  sources = ["source.qemu.efi"]

  provisioner "shell" {
    inline = ["test -d /sys/firmware/efi && echo efi > ~/firmware"]
  }
}
