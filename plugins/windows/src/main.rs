//! The provisioners for Windows: `powershell`, `windows-shell` and `windows-restart`.
//!
//! `powershell` and `windows_shell` run scripts, `restart` restarts; what the first two share of
//! options is in `scripts` and `environment`, and how a script is started and its end judged in
//! `run`. They use the machine's communicator, WinRM or SSH, and nothing else of it.

mod environment;
mod powershell;
mod restart;
mod run;
mod scripts;
#[cfg(test)]
mod tests;
mod windows_shell;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("windows", env!("CARGO_PKG_VERSION"))
        .provisioner("powershell", powershell::PowerShell)
        .provisioner("windows-shell", windows_shell::WindowsShell)
        .provisioner("windows-restart", restart::WindowsRestart)
        .serve()
}
