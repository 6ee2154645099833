//! Getting Chef into the guest.

use kiln_sdk::Failure;
use kiln_sdk::staging::{Guest, GuestOs, Late};

use crate::options::ChefOptions;

/// # Source
///
/// Chef's documentation of its install script; Packer has the same addresses.
const UNIX: &str = "curl -fsSL https://omnitruck.chef.io/install.sh | {{if .Sudo}}sudo {{end}}bash \
                    -s --{{if .Version}} -v {{.Version}}{{end}}";
const WINDOWS: &str = "powershell.exe -NoProfile -Command \". { iwr -useb \
                       https://omnitruck.chef.io/install.ps1 } | iex; Install-Project{{if .Version}} \
                       -version {{.Version}}{{end}}\"";

/// Installs Chef, unless the template says that it is there. `program` is what has to be there
/// then.
///
/// # Errors
///
/// When that fails, or the program is not there after it: the exit status of a pipe to a shell says
/// nothing about what came through it.
pub async fn run(
    guest: &Guest<'_>,
    options: &ChefOptions,
    late: &Late,
    program: &str,
) -> Result<(), Failure> {
    if options.skip_install {
        return look(
            guest,
            options,
            program,
            "install Chef first, or leave `skip_install` out",
        )
        .await;
    }
    let stock = match guest.os {
        GuestOs::Unix => UNIX,
        GuestOs::Windows => WINDOWS,
    };
    let template = options.install_command.as_ref();
    let template = template.map_or(stock, |template| template.as_str());
    let command = late
        .clone()
        .with("Sudo", guest.sudo.is_used())
        .with("Version", options.version.as_str())
        .render("install_command", template)?;
    guest.cx.say(format!("Installing Chef: {command}")).await;
    guest.must("Install script failed", &command).await?;
    let advice = "Chef was installed without an error, but the vendor's script may want a licence \
                  key by now; set `install_command`, or install Chef first and set \
                  `skip_install = true`";
    look(guest, options, program, advice).await
}

/// Makes sure that the program is there, unless the template has a command of its own.
async fn look(
    guest: &Guest<'_>,
    options: &ChefOptions,
    program: &str,
    advice: &str,
) -> Result<(), Failure> {
    let ours = guest.os == GuestOs::Unix && options.execute_command.is_none();
    if !ours || guest.has_program(program).await? {
        return Ok(());
    }
    let sudo = if guest.sudo.is_used() {
        ", or no `sudo`: then set `prevent_sudo = true`"
    } else {
        ""
    };
    Err(Failure::new(format!(
        "there is no `{program}` in the machine: {advice}{sudo}"
    )))
}
