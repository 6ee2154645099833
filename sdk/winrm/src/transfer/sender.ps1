# Prints a file, or all below a folder, as lines:
#   d  a folder, its path in base64     f  a file, its length and its path; its bytes follow
#   =  bytes, in base64
# In the end: the hash of all bytes that were read.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$utf8 = [Text.Encoding]::UTF8
$hash = [Security.Cryptography.SHA256]::Create()
$buffer = New-Object byte[] 196608
function Send-Line($text) { [Console]::Out.WriteLine($text) }
function Get-Name($path) {
  [Convert]::ToBase64String($utf8.GetBytes($path.Substring($root.Length).TrimStart('\')))
}
function Send-File($path) {
  $file = [IO.File]::Open($path, 'Open', 'Read', 'ReadWrite')
  $left = $file.Length
  Send-Line ('f' + $left + ' ' + (Get-Name $path))
  while ($left -gt 0) {
    $count = $file.Read($buffer, 0, [Math]::Min($left, $buffer.Length))
    if ($count -eq 0) { throw "$path became shorter while it was read" }
    [void]$hash.TransformBlock($buffer, 0, $count, $null, 0)
    Send-Line ('=' + [Convert]::ToBase64String($buffer, 0, $count))
    $left = $left - $count
  }
  $file.Dispose()
}
function Send-Folder($path) {
  foreach ($name in [IO.Directory]::GetFiles($path)) { Send-File $name }
  foreach ($name in [IO.Directory]::GetDirectories($path)) {
    # What only leads elsewhere could lead back here.
    if (-not ([IO.File]::GetAttributes($name) -band [IO.FileAttributes]::ReparsePoint)) {
      Send-Line ('d' + (Get-Name $name))
      Send-Folder $name
    }
  }
}
try {
  $root = $utf8.GetString([Convert]::FromBase64String('@PATH@'))
  while ($root -match '\$env:(\w+)') {
    $root = $root.Replace($Matches[0], [Environment]::GetEnvironmentVariable($Matches[1]))
  }
  $root = [IO.Path]::GetFullPath($root)
  if ('@KIND@' -eq 'file') {
    if ([IO.Directory]::Exists($root)) { throw "$root is a folder" }
    Send-File $root
  } else {
    Send-Folder $root
  }
  [void]$hash.TransformFinalBlock([byte[]]@(), 0, 0)
  Send-Line ('done ' + [BitConverter]::ToString($hash.Hash))
} catch {
  [Console]::Error.WriteLine($_.Exception.Message)
  exit 1
}
