//! How Chef is run in a guest.

use kiln_sdk::Failure;
use kiln_sdk::communicator::Exit;
use kiln_sdk::staging::{Guest, GuestOs, Late, check, quote};

use crate::attributes;
use crate::options::ChefOptions;

/// Where everything for one run of Chef is in the guest.
#[derive(Clone, Debug)]
pub struct Files {
    pub configuration: String,
    pub attributes: String,
}

/// The staging folder that an option means.
pub fn staging(option: &str, os: GuestOs, name: &str) -> String {
    match (option.trim_end_matches('/'), os) {
        ("", GuestOs::Unix) => format!("/tmp/{name}"),
        ("", GuestOs::Windows) => format!("C:/Windows/Temp/{name}"),
        (folder, _) => folder.to_owned(),
    }
}

/// Where a private file goes in the guest; empty when there is none.
pub fn private_place(local: &str, staging: &str, name: &str) -> String {
    if local.is_empty() {
        String::new()
    } else {
        format!("{staging}/{name}")
    }
}

/// Where the secret of encrypted data bags goes in the guest; empty when there is none.
pub fn secret_place(options: &ChefOptions, staging: &str) -> String {
    let local = &options.encrypted_data_bag_secret_path;
    private_place(local, staging, "encrypted_data_bag_secret")
}

/// Uploads a file that only its owner shall read, if there is one.
///
/// # Errors
///
/// When it cannot be read or written.
pub async fn private_file(guest: &Guest<'_>, local: &str, remote: &str) -> Result<(), Failure> {
    if local.is_empty() {
        return Ok(());
    }
    let local = check::expand(local);
    let bytes = tokio::fs::read(&local)
        .await
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", local.display())))?;
    guest.upload_bytes(bytes, remote, 0o600).await
}

/// Chef's configuration: the template's own, rendered with `late`, or `stock`.
///
/// # Errors
///
/// When the template's own cannot be read or rendered.
pub async fn configuration(
    options: &ChefOptions,
    late: &Late,
    stock: String,
) -> Result<String, Failure> {
    if options.config_template.is_empty() {
        return Ok(stock);
    }
    let path = check::expand(&options.config_template);
    let template = tokio::fs::read_to_string(&path)
        .await
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
    late.render("config_template", &template)
}

/// Writes the node's attributes into the guest.
///
/// # Errors
///
/// When they are none, or cannot be written.
pub async fn upload_attributes(
    guest: &Guest<'_>,
    options: &ChefOptions,
    remote: &str,
) -> Result<(), Failure> {
    guest.cx.say("Creating JSON attribute file...").await;
    let text = attributes::text(&options.json, &options.json_string, &options.run_list)
        .map_err(|why| Failure::new(format!("cannot use the attributes of the node: {why}")))?;
    guest.upload_text(&text, remote, 0o644).await
}

/// The command that runs `program`.
///
/// # Errors
///
/// When the template's own cannot be rendered.
pub fn command(
    guest: &Guest<'_>,
    options: &ChefOptions,
    late: &Late,
    program: &str,
    files: &Files,
) -> Result<String, Failure> {
    if let Some(template) = &options.execute_command {
        return late
            .clone()
            .with("ConfigPath", files.configuration.as_str())
            .with("JsonPath", files.attributes.as_str())
            .with("Sudo", guest.sudo.is_used())
            .render("execute_command", template.as_str());
    }
    let word = |text: &str| match guest.os {
        GuestOs::Unix => quote::posix_when_needed(text),
        GuestOs::Windows if text.contains(' ') => format!("\"{text}\""),
        GuestOs::Windows => text.to_owned(),
    };
    let (configuration, attributes) = (word(&files.configuration), word(&files.attributes));
    Ok(match guest.os {
        GuestOs::Unix => guest.privileged(&format!(
            "{program} --no-color -c {configuration} -j {attributes}"
        )),
        GuestOs::Windows => format!(
            "c:/opscode/chef/bin/{program}.bat --no-color -c {configuration} -j {attributes}"
        ),
    })
}

/// Judges how Chef ended.
///
/// # Errors
///
/// When it was not with 0.
pub fn judge(exit: &Exit, program: &str) -> Result<(), Failure> {
    match exit {
        Exit::Code(0) => Ok(()),
        Exit::Code(127) => Err(Failure::new(format!(
            "there is no `{program}` in the machine: let it be installed, or install it first"
        ))),
        Exit::Code(code) => Err(Failure::new(format!("Chef failed: exit status {code}"))),
        Exit::Signal(signal) => Err(Failure::new(format!(
            "Chef failed: ended by signal {signal}"
        ))),
        Exit::Disconnected(seen) => Err(Failure::new(format!(
            "Chef failed: the connection broke: {seen}"
        ))),
    }
}

/// Removes secrets from the guest, whatever came before; `result` when that is a failure, because it
/// came first.
///
/// # Errors
///
/// That failure, or that of the removal.
pub async fn forget(
    guest: &Guest<'_>,
    secrets: &[&str],
    result: Result<(), Failure>,
) -> Result<(), Failure> {
    let cx = guest
        .cx
        .with_cancel(tokio_util::sync::CancellationToken::new());
    let guest = Guest { cx: &cx, ..*guest };
    let mut removed = Ok(());
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let one = tokio::time::timeout(LIMIT, guest.remove(secret)).await;
        let one =
            one.unwrap_or_else(|_| Err(Failure::new(format!("cannot remove `{secret}` in time"))));
        if let (Err(failure), true) = (&one, result.is_err()) {
            cx.error(failure.message.clone()).await;
        }
        removed = removed.and(one);
    }
    result.and(removed)
}

/// How long one removal after a failure or a cancellation may take.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
