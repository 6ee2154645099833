//! What is different in Windows guests: where Salt is, and the packages it knows.
//!
//! Nobody has tried this on a Windows guest yet.

use kiln_sdk::Failure;
use kiln_sdk::staging::{Guest, quote};

use crate::config::SaltConfig;
use crate::places::Places;

/// Where installers of Salt put it: since version 3004, and before that. A session that was open
/// when it was installed does not find it by name.
const PROGRAMS: [&str; 2] = [
    "C:/Program Files/Salt Project/Salt/salt-call.exe",
    "C:/salt/salt-call.bat",
];
/// Git's installer, which Salt needs to fetch descriptions of packages.
const GIT: &str = "https://github.com/git-for-windows/git/releases/download/v2.47.1.windows.1/Git-2.47.1-64-bit.exe";
/// Where that puts Git.
const GIT_FOLDER: &str = r"C:\Program Files\Git\cmd";

/// `text` as one word for `cmd.exe`.
pub fn word(text: &str) -> String {
    if text.contains(' ') {
        format!("\"{text}\"")
    } else {
        text.to_owned()
    }
}

/// Tells Salt where the files of its minion were put: newer versions look elsewhere.
pub fn configuration(config: &SaltConfig, places: &Places) -> Option<String> {
    let given = !config.minion_config.is_empty() || !config.grains_file.is_empty();
    given.then(|| format!("--config-dir={}", word(&places.configuration)))
}

/// `salt-call`, as `cmd.exe` reads it: in the template's folder, by its name, or where installers
/// put it.
///
/// # Errors
///
/// When the connection breaks.
pub async fn program(guest: &Guest<'_>, config: &SaltConfig) -> Result<String, Failure> {
    let folder = config.salt_bin_dir.trim_end_matches('/');
    if !folder.is_empty() {
        // Whether it is a .bat or an .exe, the guest finds out.
        return Ok(word(&format!("{folder}/salt-call")));
    }
    if !guest.succeeds("where.exe /q salt-call").await? {
        for path in PROGRAMS {
            if guest.exists(path).await? {
                return Ok(word(path));
            }
        }
    }
    Ok("salt-call".to_owned())
}

/// Has Salt fetch descriptions of packages, for states that install some. Git, which that needs, is
/// installed when it is not there.
///
/// # Errors
///
/// When a command fails.
///
/// # Source
///
/// Packer's order for Windows. Differs: a Git that is there already is used.
pub async fn refresh_packages(
    guest: &Guest<'_>,
    config: &SaltConfig,
    places: &Places,
    program: &str,
) -> Result<(), Failure> {
    if !guest.succeeds("where.exe /q git").await? {
        guest.cx.say("Installing Git for Windows").await;
        let install = format!(
            "[Net.ServicePointManager]::SecurityProtocol = 'Tls12'; $file = Join-Path $env:TEMP \
             'Git.exe'; Invoke-WebRequest -UseBasicParsing -Uri {GIT} -OutFile $file; $ended = \
             Start-Process -FilePath $file -ArgumentList '/VERYSILENT','/NORESTART' -Wait \
             -PassThru; Remove-Item -LiteralPath $file; exit $ended.ExitCode"
        );
        let what = "cannot install Git for Windows, which `winrepo` needs";
        guest.must(what, &powershell(&install)).await?;
    }
    for function in ["winrepo.update_git_repos", "pkg.refresh_db"] {
        let configuration = configuration(config, places).unwrap_or_default();
        let call = format!("salt-call --local {configuration} {function}");
        guest.cx.say(format!("Running {call}")).await;
        let run = format!(
            "$env:PATH += ';{GIT_FOLDER}'; & {} --local {configuration} {function}; exit $LASTEXITCODE",
            quote::powershell(program.trim_matches('"'))
        );
        let what = format!("salt-call --local {function} failed");
        guest.must(&what, &powershell(&run)).await?;
    }
    Ok(())
}

/// A command for `cmd.exe` that runs `script`, which must have no double quote.
fn powershell(script: &str) -> String {
    format!(
        "powershell.exe -NoProfile -NonInteractive -Command \"$ErrorActionPreference = 'Stop'; \
         {script}\""
    )
}
