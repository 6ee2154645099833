größe = 1
liste = [
  "a",
  "b"
]
