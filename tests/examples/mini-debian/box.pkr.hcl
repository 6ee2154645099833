# Starts from the image that mini.pkr.hcl made and packs it as Vagrant boxes: for libvirt as it is,
# for VirtualBox as an appliance with a disk in VirtualBox's format.

variable "base" {
  type        = string
  description = "The image to start from."
}

variable "output" {
  type    = string
  default = "output"
}

source "qemu" "box" {
  disk_image   = true
  iso_url      = var.base
  iso_checksum = "none"

  accelerator      = "tcg"
  memory           = 1024
  format           = "qcow2"
  headless         = true
  skip_resize_disk = true
  boot_wait        = "-1s"
  output_directory = "${var.output}/image"
  vm_name          = "mini-debian"

  ssh_username     = "packer"
  ssh_password     = "mini-secret"
  ssh_timeout      = "15m"
  shutdown_command = "echo mini-secret | sudo -S systemctl poweroff"
}

build {
  sources = ["source.qemu.box"]

  provisioner "shell" {
    inline = ["echo boxed > ~/boxed"]
  }

  post-processor "vagrant" {
    keep_input_artifact = true
    architecture        = "amd64"
    compression_level   = 1
    output              = "${var.output}/mini-debian-{{.Provider}}.box"
  }

  post-processors {
    post-processor "shell-local" {
      inline = [
        "mkdir -p '${var.output}/appliance'",
        "qemu-img convert -O vmdk -o subformat=streamOptimized '${var.output}/image/mini-debian' '${var.output}/appliance/disk.vmdk'",
        "cp '${path.root}/box.ovf' '${var.output}/appliance/mini-debian.ovf'",
      ]
    }
    post-processor "artifice" {
      files               = ["${var.output}/appliance/*"]
      keep_input_artifact = true
    }
    post-processor "vagrant" {
      provider_override = "virtualbox"
      architecture      = "amd64"
      compression_level = 1
      output            = "${var.output}/mini-debian-{{.Provider}}.box"
    }
  }
}
