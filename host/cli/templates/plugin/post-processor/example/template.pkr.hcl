packer {
  required_plugins {
    myplugin = {
      source  = "github.com/OWNER/myplugin"
      version = ">= 0.1.0"
    }
  }
}

source "file" "demo" {
  target  = "image.txt"
  content = "pretend that this is an image"
}

build {
  sources = ["source.file.demo"]

  post-processor "myplugin" {
    output = "files.txt"
  }
}
