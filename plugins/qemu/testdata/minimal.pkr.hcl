source "qemu" "minimal" {
  iso_url      = "https://example.com/minimal.iso"
  iso_checksum = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  ssh_username = "root"
}

build {
  sources = ["source.qemu.minimal"]
}
