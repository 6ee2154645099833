# Starts from the image that mini.pkr.hcl made, reboots it between two provisioners, and then has
# Ansible change it from here: through kiln's proxy, and straight over SSH.

variable "base" {
  type        = string
  description = "The image to start from."
}

variable "output" {
  type    = string
  default = "output"
}

source "qemu" "rebooted" {
  disk_image   = true
  iso_url      = var.base
  iso_checksum = "none"

  accelerator      = "tcg"
  memory           = 1024
  format           = "qcow2"
  headless         = true
  skip_resize_disk = true
  use_backing_file = true
  boot_wait        = "-1s"
  output_directory = "${var.output}/rebooted"
  vm_name          = "rebooted.qcow2"

  ssh_username     = "packer"
  ssh_password     = "mini-secret"
  ssh_timeout      = "15m"
  shutdown_command = "echo mini-secret | sudo -S systemctl poweroff"
}

build {
  sources = ["source.qemu.rebooted"]

  provisioner "shell" {
    inline = [
      "cp /proc/sys/kernel/random/boot_id before",
      "echo mini-secret | sudo -S systemctl reboot",
      "sleep 600", # the machine goes down some seconds after it was asked to
    ]
    expect_disconnect = true
  }

  provisioner "shell" {
    start_retry_timeout = "15m"
    inline = [
      "cp /proc/sys/kernel/random/boot_id after",
      "if cmp -s before after; then echo 'the machine did not reboot' >&2; exit 1; fi",
    ]
  }

  provisioner "ansible" {
    playbook_file   = "${path.root}/after-reboot.yml"
    extra_arguments = ["-e", "ansible_become_password=mini-secret", "-e", "way=proxy"]
  }

  provisioner "ansible" {
    playbook_file   = "${path.root}/after-reboot.yml"
    extra_arguments = ["-e", "ansible_become_password=mini-secret", "-e", "way=direct"]
    use_proxy       = false # needs sshpass, because the machine wants a password
  }
}
