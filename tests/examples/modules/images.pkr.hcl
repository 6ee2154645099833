# One module, and a source that stands for several: three text files are made.

variable "output" {
  type        = string
  description = "Folder for the results."
}

locals {
  systems = {
    bookworm = "Debian 12"
    trixie   = "Debian 13"
  }
}

module "base" {
  source = "./base"
  output = var.output
  title  = "base of ${length(local.systems)} systems"
}

source "file" "system" {
  for_each = local.systems
  content  = "${each.value}, on the ${module.base.title}\n"
  target   = "${var.output}/${each.key}.txt"
}

build {
  sources = ["source.file.system"]

  provisioner "shell-local" {
    count  = 2
    inline = ["echo step ${count.index + 1} of ${source.name}"]
  }

  post-processor "checksum" {
    for_each       = ["sha256", "sha512"]
    checksum_types = [each.value]
    output         = "${var.output}/${source.name}.${each.value}"
  }
}
