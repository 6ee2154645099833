locals {
  arithmetic  = (1 + 2) * -3 / 4 % 5 - 6.5e-3
  logic       = !var.a && (var.b || var.c) ? "yes" : var.d == null ? "maybe" : "no"
  compare     = var.n >= 1 && var.n <= 10 || var.n != 5 && var.n < 100 || var.n > 1000
  splat       = [var.list[*].id, var.list.*.id, var.list[*].items[*].id]
  index       = { first = var.list[0], named = var.map["key"], old = var.list.0.name }
  call        = coalesce(var.a, merge({ a = 1 }, { b = 2 }, var.rest...)...)
  grouped     = { for item in var.items : item.kind => item.name... }
  multi_line  = [
    for key, value in {
      a = 1
      "b" : 2,
      (var.c) = 3
    } : key
    if value > 1
  ]
  quoted      = "tab\t quote\" unicode\u00e9 \\ ${"in ${"in"}"} %{ if var.a }x%{ else }y%{ endif }"
  repeated    = { a = 1, b = 2, a = 3 }
}
