# One of everything that is common.
packer {
  required_version = ">= 1.7.0"
  required_plugins {
    demo = { version = "~> 1.2", source = "github.com/example/demo" }
  }
}

variable "name" {
  type        = string
  default     = "sample"
  description = "What the image is called"
  validation {
    condition     = length(var.name) > 2 && can(regex("^[a-z]+$", var.name))
    error_message = "The name is too short, or not lower case."
  }
}

variable "disks" {
  type    = list(object({ size = number, kind = optional(string) }))
  default = [{ size = 10 }, { size = 20, kind = "fast" }]
}

locals {
  stamp = formatdate("YYYYMMDD", timestamp())
  tags  = { for key, value in var.tags : key => upper(value) if value != "" }
  names = [for disk in var.disks : "${var.name}-${disk.size}"]
}

source "null" "first" { communicator = "none" }

build {
  name    = "all"
  sources = ["source.null.first", "source.null.second"]

  source "null.first" {
    name = "renamed"
  }

  provisioner "shell-local" {
    inline = [
      "echo ${build.ID}", // the identity
      "echo done",        /* and out */
    ]
    only = ["null.first"]
  }

  post-processors {
    post-processor "manifest" {}
  }
}
