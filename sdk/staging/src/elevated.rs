//! Commands on Windows with the rights of another user: as a scheduled task.
//!
//! A session of WinRM or SSH has no token that may install updates or reach other servers. A task
//! of the scheduler that runs as a named user has. Nobody has tried this on a Windows guest yet.

use base64::Engine;
use sdk_component::Failure;

use crate::{Guest, quote};

/// Whom a command runs as.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// Name; `SYSTEM` and other service accounts need no password.
    pub user: &'a str,
    /// Password; empty for a service account.
    pub password: &'a str,
}

impl std::fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Where the script that registers the task is put in the guest.
#[must_use]
pub fn script_path(number: u64) -> String {
    format!("C:/Windows/Temp/packer-elevated-shell-{number:016x}.ps1")
}

/// Puts a script into the guest that runs `command` as `account`, and returns the command that runs
/// the script: its output and its exit code are those of `command`. The script removes itself,
/// because it holds the password, which is kept out of all output from then on.
///
/// # Errors
///
/// When the script cannot be written into the guest.
///
/// # Source
///
/// Packer options `elevated_user` and `elevated_password`.
pub async fn prepare(
    guest: &Guest<'_>,
    account: Account<'_>,
    command: &str,
    number: u64,
) -> Result<String, Failure> {
    if !account.password.is_empty() {
        guest.cx.secret(account.password).await;
    }
    let path = script_path(number);
    let text = script(account, command, number);
    guest.upload_text(&text, &path, 0o600).await?;
    Ok(format!(
        "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File {path}"
    ))
}

/// The script. Everything that is not ours goes into it as base64, so that no character of it can
/// mean anything to PowerShell.
fn script(account: Account<'_>, command: &str, number: u64) -> String {
    let text = |value: &str| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value);
        format!(
            "[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String({}))",
            quote::powershell(&encoded)
        )
    };
    let name = format!("packer-{number:016x}");
    format!(
        r#"$ErrorActionPreference = 'Stop'
$user = {user}
$password = {password}
$command = {command}
Remove-Item -LiteralPath $PSCommandPath -Force
$log = Join-Path $env:SystemRoot 'Temp\{name}.out'
$batch = Join-Path $env:SystemRoot 'Temp\{name}.cmd'
Set-Content -LiteralPath $batch -Encoding OEM -Value "@echo off`r`n$command"
$service = New-Object -ComObject 'Schedule.Service'
$service.Connect()
$task = $service.NewTask($null)
$task.Settings.ExecutionTimeLimit = 'PT0S'
$task.Settings.DisallowStartIfOnBatteries = $false
$task.Settings.StopIfGoingOnBatteries = $false
$task.Principal.RunLevel = 1
$action = $task.Actions.Create(0)
$action.Path = 'cmd.exe'
$action.Arguments = "/c `"`"$batch`" > `"$log`" 2>&1`""
$logon = 1
if ([string]::IsNullOrEmpty($password)) {{ $password = $null; $logon = 5 }}
$folder = $service.GetFolder('\')
$registered = $folder.RegisterTaskDefinition('{name}', $task, 6, $user, $password, $logon, $null)
$code = 1
try {{
  $null = $registered.Run($null)
  $shown = 0
  do {{
    Start-Sleep -Milliseconds 200
    $now = $folder.GetTask('{name}')
    $state = $now.State
    $code = $now.LastTaskResult
    if (Test-Path -LiteralPath $log) {{
      $lines = @(Get-Content -LiteralPath $log)
      while ($shown -lt $lines.Count) {{ Write-Output $lines[$shown]; $shown++ }}
    }}
    # A task that was just started may still be ready, with a result that says "has not run".
  }} while ($state -ne 3 -or $code -eq 267011)
}} finally {{
  $folder.DeleteTask('{name}', 0)
  Remove-Item -LiteralPath $log, $batch -Force -ErrorAction SilentlyContinue
}}
exit $code
"#,
        user = text(account.user),
        password = text(account.password),
        command = text(command),
    )
}
