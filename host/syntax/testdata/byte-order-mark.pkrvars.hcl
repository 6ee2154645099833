name = "marked"
