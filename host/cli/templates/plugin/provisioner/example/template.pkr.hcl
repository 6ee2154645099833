packer {
  required_plugins {
    myplugin = {
      source  = "github.com/OWNER/myplugin"
      version = ">= 0.1.0"
    }
  }
}

source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]

  provisioner "myplugin" {
    whom = "kiln"
  }
}
