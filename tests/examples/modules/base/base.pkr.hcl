# A template of its own: `kiln build -var output=out -var title=alone tests/examples/modules/base`.

variable "output" {
  type = string
}

variable "title" {
  type = string
}

source "file" "base" {
  content = "${var.title}, described in ${path.root}\n"
  target  = "${var.output}/base.txt"
}

build {
  sources = ["source.file.base"]
}

output "title" {
  description = "What others call it."
  value       = var.title
}
