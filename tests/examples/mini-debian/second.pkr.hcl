# Starts from the image that mini.pkr.hcl made: once as a copy, once on top of it as a backing file.

variable "base" {
  type        = string
  description = "The image to start from."
}

variable "output" {
  type    = string
  default = "output"
}

source "qemu" "second" {
  disk_image   = true
  iso_url      = var.base
  iso_checksum = "none"

  accelerator      = "tcg"
  memory           = 1024
  format           = "qcow2"
  headless         = true
  skip_resize_disk = true
  boot_wait        = "-1s"

  ssh_username     = "packer"
  ssh_password     = "mini-secret"
  ssh_timeout      = "15m"
  shutdown_command = "echo mini-secret | sudo -S systemctl poweroff"
}

build {
  source "qemu.second" {
    name             = "copy"
    output_directory = "${var.output}/copy"
    vm_name          = "copy.qcow2"
  }

  source "qemu.second" {
    name             = "backed"
    use_backing_file = true
    output_directory = "${var.output}/backed"
    vm_name          = "backed.qcow2"
  }

  provisioner "shell" {
    inline = ["echo second-${source.name} > ~/second"]
  }
}
