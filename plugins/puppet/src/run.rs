//! A run of Puppet in a guest.

use kiln_sdk::communicator::Exit;
use kiln_sdk::staging::elevated::{self, Account};
use kiln_sdk::staging::{Guest, GuestOs, Late, quote};
use kiln_sdk::{Failure, RunContext};

use crate::command::Call;
use crate::options::PuppetOptions;

/// What Puppet ends with when it changed something and nothing failed.
const CHANGED: u32 = 2;
/// What a shell ends with that does not find the program.
const NOT_FOUND: u32 = 127;

/// Has the user's shell read its last argument without running it.
const READ: &str = r#"sh -c 'exec "${SHELL:-sh}" -n -c "$1"' sh"#;

/// The template's arguments as one text.
///
/// # Errors
///
/// When one cannot be rendered.
pub fn extra_arguments(options: &PuppetOptions, late: &Late) -> Result<String, Failure> {
    let rendered = late.render_all("extra_arguments", &options.extra_arguments)?;
    Ok(rendered.join(" "))
}

/// The command: the template's own, with `late`'s values and what every call has, or `call`'s.
///
/// # Errors
///
/// When the template's own cannot be rendered.
pub fn command(options: &PuppetOptions, late: Late, call: &Call) -> Result<String, Failure> {
    let Some(template) = &options.execute_command else {
        return Ok(call.command());
    };
    late.with("WorkingDir", call.working_directory.as_str())
        .with("FacterVars", call.facts.as_str())
        .with("Sudo", call.sudo.is_used())
        .with("PuppetBinDir", options.puppet_bin_dir.as_str())
        .with("ExtraArguments", call.extra.as_str())
        .with("Debug", false)
        .render("execute_command", template.as_str())
}

/// Runs Puppet and judges how it ended.
///
/// # Errors
///
/// When it could not be run, or failed and that counts.
pub async fn puppet(
    guest: &Guest<'_>,
    options: &PuppetOptions,
    command: &str,
) -> Result<(), Failure> {
    check_command(guest, options, command).await?;
    guest.cx.say(format!("Running Puppet: {command}")).await;
    let exit = if options.elevated_user.is_empty() {
        guest.run(command).await?
    } else {
        let account = Account {
            user: &options.elevated_user,
            password: options.elevated_password.expose(),
        };
        let elevated = elevated::prepare(guest, account, command, rand::random()).await?;
        guest.run(&elevated).await?
    };
    judge(guest.cx, options, &exit).await
}

/// Makes sure that the guest's shell gets as far as Puppet. It ends with 2 when it cannot read a
/// command or enter a folder, and from Puppet that would mean that everything went well.
async fn check_command(
    guest: &Guest<'_>,
    options: &PuppetOptions,
    command: &str,
) -> Result<(), Failure> {
    if guest.os == GuestOs::Windows {
        return Ok(());
    }
    let folder = &options.working_directory;
    let enter = guest.privileged(&format!("test -d {}", quote::posix(folder)));
    if !folder.is_empty() && !guest.succeeds(&enter).await? {
        return Err(Failure::new(format!(
            "`working_directory`: there is no folder `{folder}` in the machine; create it before \
             Puppet runs, or leave the option out to run in the staging folder"
        )));
    }
    if options.extra_arguments.is_empty() && options.execute_command.is_none() {
        return Ok(());
    }
    let read = format!("{READ} {}", quote::posix(command));
    let wrong = "the machine's shell cannot read the command of Puppet; look for an open quote or \
                 bracket in `extra_arguments` and `execute_command`";
    guest.must(wrong, &read).await
}

async fn judge(cx: &RunContext, options: &PuppetOptions, exit: &Exit) -> Result<(), Failure> {
    let seen = match exit {
        Exit::Code(0 | CHANGED) => return Ok(()),
        Exit::Code(NOT_FOUND) => {
            "there is no Puppet in the machine: install it first, or say where \
                                  it is with `puppet_bin_dir`; when there is no sudo, set \
                                  `prevent_sudo = true`"
                .to_owned()
        }
        Exit::Code(code) => format!("Puppet exited with a non-zero exit status: {code}"),
        Exit::Signal(signal) => format!("Puppet was ended by signal {signal}"),
        Exit::Disconnected(seen) => {
            return Err(Failure::new(format!(
                "the connection broke while Puppet ran: {seen}"
            )));
        }
    };
    if options.ignore_exit_codes {
        cx.say(format!("{seen}; `ignore_exit_codes` is set")).await;
        return Ok(());
    }
    Err(Failure::new(seen))
}

/// Removes the staging folder when the template wants that.
///
/// # Errors
///
/// When it cannot be removed.
pub async fn clean(
    guest: &Guest<'_>,
    options: &PuppetOptions,
    staging: &str,
) -> Result<(), Failure> {
    if options.clean_staging_directory {
        guest.cx.say("Removing staging directory...").await;
        guest.remove(staging).await?;
    }
    Ok(())
}
