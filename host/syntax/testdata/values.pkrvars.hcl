name  = "x"
disks = [{ size = 1 }]
tags  = {
  owner = "me"
  "a b" = "c"
}
