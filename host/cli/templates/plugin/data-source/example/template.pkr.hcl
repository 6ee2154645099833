packer {
  required_plugins {
    myplugin = {
      source  = "github.com/OWNER/myplugin"
      version = ">= 0.1.0"
    }
  }
}

data "myplugin" "motd" {
  path = "${path.root}/motd.txt"
}

source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]

  provisioner "shell-local" {
    inline = ["echo ${data.myplugin.motd.lines} lines"]
  }
}
