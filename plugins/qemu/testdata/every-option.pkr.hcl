source "qemu" "every" {
  # The image
  iso_checksum         = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  iso_urls             = ["https://example.com/every.iso", "https://mirror.example.com/every.iso"]
  iso_target_path      = "every.iso"
  iso_target_extension = "iso"
  iso_skip_cache       = false

  # Media for the guest
  floppy_files   = []
  floppy_dirs    = []
  floppy_content = { "answers.txt" = "yes" }
  floppy_label   = "answers"
  cd_files       = []
  cd_content     = { "user-data" = "#cloud-config", "meta-data" = "" }
  cd_label       = "cidata"

  # Files over HTTP
  http_content          = { "/preseed.cfg" = "d-i" }
  http_port_min         = 8000
  http_port_max         = 8100
  http_bind_address     = "0.0.0.0"
  http_network_protocol = "tcp"

  # Typing
  boot_wait              = "5s"
  boot_key_interval      = "20ms"
  boot_keygroup_interval = "100ms"
  boot_steps             = [["<esc><wait>", "leave the menu"], ["linux url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg<enter>"]]
  disable_vnc            = false

  # The machine
  accelerator         = "tcg"
  machine_type        = "q35"
  cpu_model           = "max"
  cpus                = 4
  sockets             = 1
  cores               = 2
  threads             = 2
  memory              = 1024
  firmware            = ""
  use_pflash          = false
  efi_boot            = true
  efi_firmware_code   = "/usr/share/OVMF/OVMF_CODE_4M.fd"
  efi_firmware_vars   = "/usr/share/OVMF/OVMF_VARS_4M.fd"
  efi_drop_efivars    = true
  vtpm                = true
  use_tpm1            = false
  tpm_device_type     = "tpm-tis"
  headless            = true
  display             = "none"
  use_default_display = false
  vga                 = "virtio"
  qemu_binary         = "qemu-system-x86_64"
  qemuargs            = [["-rtc", "base=utc"], ["-global", "ICH9-LPC.disable_s3=1"]]
  qmp_enable          = true
  qmp_socket_path     = "every.monitor"
  run_once            = false

  # Disks
  disk_size            = "10G"
  disk_additional_size = ["1G", "2G"]
  disk_interface       = "virtio-scsi"
  disk_cache           = "unsafe"
  disk_discard         = "unmap"
  disk_detect_zeroes   = "unmap"
  disk_image           = true
  use_backing_file     = false
  skip_resize_disk     = true
  skip_compaction      = false
  disk_compression     = true
  format               = "qcow2"
  cdrom_interface      = "virtio-scsi"

  qemu_img_args {
    convert = ["-W"]
    create  = ["-o", "cluster_size=64k"]
    resize  = ["--preallocation=off"]
  }

  # Network and screen
  net_device        = "virtio-net"
  net_bridge        = ""
  host_port_min     = 2222
  host_port_max     = 2322
  ssh_host_port_min = 2222
  ssh_host_port_max = 2322
  skip_nat_mapping  = false
  vnc_bind_address  = "127.0.0.1"
  vnc_port_min      = 5900
  vnc_port_max      = 5999
  vnc_use_password  = true
  vnc_password      = "secret"

  # Talking to the guest
  communicator     = "ssh"
  ssh_username     = "root"
  ssh_password     = "secret"
  ssh_timeout      = "20m"
  shutdown_command = "poweroff"
  shutdown_timeout = "10m"

  # The artifact
  output_directory = "output-every-option"
  vm_name          = "every.qcow2"
}

build {
  sources = ["source.qemu.every"]
}
