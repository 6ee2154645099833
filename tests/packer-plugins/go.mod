module kiln.example/packer-plugin

go 1.18
