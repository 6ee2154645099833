# Reads lines and does what each says by its first character:
#   d  make the folder of the path in base64     f  begin the file of that path, empty
#   o  open the file of that path                l  give the open file this length
#   @  go to this place of the open file         =  write these bytes, in base64
# In the end: the length of the last file, and the hash of all bytes that were written.
begin {
  $ErrorActionPreference = 'Stop'
  $ProgressPreference = 'SilentlyContinue'
  $utf8 = [Text.Encoding]::UTF8
  $hash = [Security.Cryptography.SHA256]::Create()
  $file = $null
}
process {
  try {
    $kind = $_.Substring(0, 1)
    $rest = $_.Substring(1)
    if ($kind -eq '=') {
      $data = [Convert]::FromBase64String($rest)
      $file.Write($data, 0, $data.Length)
      [void]$hash.TransformBlock($data, 0, $data.Length, $null, 0)
    } elseif ($kind -eq '@') {
      $file.Position = [long]$rest
    } elseif ($kind -eq 'l') {
      $file.SetLength([long]$rest)
    } else {
      $path = $utf8.GetString([Convert]::FromBase64String($rest))
      while ($path -match '\$env:(\w+)') {
        $path = $path.Replace($Matches[0], [Environment]::GetEnvironmentVariable($Matches[1]))
      }
      $path = [IO.Path]::GetFullPath($path)
      if ($kind -eq 'd') {
        [void][IO.Directory]::CreateDirectory($path)
      } else {
        if ($file) { $file.Dispose() }
        if ([IO.Directory]::Exists($path)) { throw "$path is a folder" }
        [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($path))
        $mode = 'OpenOrCreate'
        if ($kind -eq 'f') { $mode = 'Create' }
        $file = [IO.File]::Open($path, $mode, 'Write', 'ReadWrite')
      }
    }
  } catch {
    [Console]::Error.WriteLine($_.Exception.Message)
    exit 1
  }
}
end {
  try {
    $length = 0
    if ($file) {
      $file.Flush()
      $length = $file.Length
      $file.Dispose()
    }
    [void]$hash.TransformFinalBlock([byte[]]@(), 0, 0)
    [Console]::Out.WriteLine('done ' + $length + ' ' + [BitConverter]::ToString($hash.Hash))
  } catch {
    [Console]::Error.WriteLine($_.Exception.Message)
    exit 1
  }
}
