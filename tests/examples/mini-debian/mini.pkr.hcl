# Installs Debian by typing at the installer's boot prompt, provisions it over SSH and leaves a
# compressed image. The ISO and the files it fetches come from tests/fixtures/mini-debian/build.

packer {
  required_version = ">= 1.7.0"
}

variable "fixture" {
  type        = string
  description = "Folder with mini-debian.iso and http/."
}

variable "output" {
  type    = string
  default = "output"
}

variable "accelerator" {
  type    = string
  default = "tcg"
}

variable "password" {
  type      = string
  default   = "mini-secret"
  sensitive = true
}

locals {
  boot_command = [
    "install answers=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answers.cfg hostname=kiln",
    "<enter><wait>",
  ]
}

source "qemu" "debian" {
  iso_url      = "${var.fixture}/mini-debian.iso"
  iso_checksum = "none"

  accelerator    = var.accelerator
  memory         = 1024
  cpus           = 1
  disk_size      = "3G"
  format         = "qcow2"
  net_device     = "virtio-net"
  disk_interface = "virtio"
  headless       = true

  http_directory = "${var.fixture}/http"
  boot_wait      = "3s"
  boot_command   = local.boot_command

  ssh_username     = "packer"
  ssh_password     = var.password
  ssh_timeout      = "15m"
  shutdown_command = "echo '${var.password}' | sudo -S systemctl poweroff"

  output_directory = "${var.output}/image"
  vm_name          = "mini-debian"
}

build {
  name    = "mini"
  sources = ["source.qemu.debian"]

  provisioner "shell" {
    execute_command  = "echo '${var.password}' | {{ .Vars }} sudo -S -E sh -eu '{{ .Path }}'"
    environment_vars = ["GREETING=hello from kiln", "ROLE=test"]
    scripts = [
      "${path.root}/scripts/base.sh",
      "${path.root}/scripts/role.sh",
    ]
  }

  provisioner "shell" {
    only   = ["qemu.debian"]
    inline = ["echo \"built as $PACKER_BUILD_NAME by $PACKER_BUILDER_TYPE\" >> ~/build-facts"]
  }

  provisioner "shell" {
    except = ["qemu.debian"]
    inline = ["exit 1"]
  }

  post-processors {
    post-processor "compress" {
      output              = "${var.output}/mini-debian.tar.gz"
      compression_level   = 1
      keep_input_artifact = true
    }
    post-processor "manifest" {
      output     = "${var.output}/manifest.json"
      strip_path = true
      custom_data = {
        template = "hcl2"
      }
    }
  }
}
