packer {
  required_plugins {
    myplugin = {
      source  = "github.com/OWNER/myplugin"
      version = ">= 0.1.0"
    }
  }
}

source "myplugin" "demo" {
  output  = "output"
  content = "made by kiln"
}

build {
  sources = ["source.myplugin.demo"]

  provisioner "shell-local" {
    inline = ["echo the folder is ${build.Folder}"]
  }
}
