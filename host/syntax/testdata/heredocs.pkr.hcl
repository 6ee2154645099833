locals {
  empty = <<EOT
EOT
  plain = <<EOT
  indented as written
    $${not} interpolated
EOT
  shared = <<-EOT
    hello
      %{ for name in var.names ~}
      - ${name}
      %{ endfor ~}
    bye
  EOT
  again = <<EOT
"quotes" and \ backslashes stay
EOT
  nested = join("", [<<-A
    one ${join(",", ["x", <<-B
      two
    B
    ])}
  A
  ])
}
