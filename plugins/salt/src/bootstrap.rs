//! Getting Salt into the guest with its own bootstrap script.

use kiln_sdk::Failure;
use kiln_sdk::staging::{Guest, GuestOs, quote};

use crate::config::SaltConfig;
use crate::places::Places;

/// Where the script is.
///
/// # Source
///
/// The project's release page; the address that Packer uses has been dead since November 2024.
const UNIX: &str =
    "https://github.com/saltstack/salt-bootstrap/releases/latest/download/bootstrap-salt.sh";
const WINDOWS: &str =
    "https://github.com/saltstack/salt-bootstrap/releases/latest/download/bootstrap-salt.ps1";

/// Fetches and runs the script.
///
/// # Errors
///
/// When it cannot be fetched or fails: then Salt is not there, and everything after would only say
/// so less clearly.
pub async fn run(guest: &Guest<'_>, config: &SaltConfig, places: &Places) -> Result<(), Failure> {
    guest.cx.say("Downloading saltstack bootstrap...").await;
    let path = &places.bootstrap;
    let failed = "cannot fetch Salt's bootstrap script in the machine";
    guest.must(failed, &fetch_command(guest.os, path)).await?;
    let command = run_command(guest, path, &config.bootstrap_args);
    guest
        .cx
        .say(format!("Installing Salt with command {command}"))
        .await;
    let failed = "Salt's bootstrap script failed; install Salt in another way and set \
                  `skip_bootstrap = true`, or see `bootstrap_args`";
    guest.must(failed, &command).await?;
    guest.remove(path).await
}

fn fetch_command(os: GuestOs, path: &str) -> String {
    match os {
        GuestOs::Unix => {
            let path = quote::posix(path);
            format!("curl -fsSL {UNIX} -o {path} || wget -q -O {path} {UNIX}")
        }
        GuestOs::Windows => format!(
            "powershell.exe -NoProfile -NonInteractive -Command \"$ErrorActionPreference = 'Stop'; \
             [Net.ServicePointManager]::SecurityProtocol = 'Tls12'; \
             Invoke-WebRequest -UseBasicParsing -Uri {WINDOWS} -OutFile {}\"",
            quote::powershell(path)
        ),
    }
}

fn run_command(guest: &Guest<'_>, path: &str, arguments: &str) -> String {
    let command = match guest.os {
        GuestOs::Unix => guest.privileged(&format!(
            "sh {} {arguments}",
            quote::posix_when_needed(path)
        )),
        GuestOs::Windows => format!(
            "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File {path} {arguments}"
        ),
    };
    command.trim_end().to_owned()
}
