source "null" "windows" {
  communicator   = "winrm"
  winrm_host     = "192.0.2.10"
  winrm_username = "Administrator"
  winrm_password = "secret"
}

build {
  sources = ["source.null.windows"]

  provisioner "powershell" {
    inline = ["Write-Output hello"]
  }
}
