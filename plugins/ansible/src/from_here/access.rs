//! How Ansible reaches the guest: through the proxy, or straight.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_sdk::ssh::{KeyPair, load_private_key};
use kiln_sdk::staging::{Late, check};
use kiln_sdk::{Communicator, Failure, RunContext, Secret, Value};
use russh::keys::ssh_key::PublicKey;
use tempfile::NamedTempFile;

use super::config::{self, AnsibleConfig};
use super::private_file;
use crate::proxy::{KeyType, Proxy, Settings};

/// What Ansible needs on this machine to log in with a password.
const PASSWORD_PROGRAM: &str = "sshpass";

/// What Ansible speaks to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SSH to the proxy.
    Proxy,
    /// SSH to the guest.
    Ssh,
    /// WinRM to the guest.
    Winrm,
}

/// A way to the guest.
pub struct Access {
    pub kind: Kind,
    pub host: String,
    pub port: u16,
    pub user: String,
    /// The private key to log in with; `None` when Ansible finds one by itself or needs none.
    pub key: Option<PathBuf>,
    /// The password to log in with; may be empty.
    pub password: Secret<String>,
    proxy: Option<Proxy>,
    /// Holds a key that was written for this run.
    written_key: Option<NamedTempFile>,
}

impl Access {
    /// Opens a way to the guest, as the options say and the builder's values allow.
    ///
    /// # Errors
    ///
    /// When a key cannot be read or made, or the proxy not be started.
    pub async fn open(
        cx: &RunContext,
        config: &AnsibleConfig,
        machine: Arc<dyn Communicator>,
        generated: &Value,
    ) -> Result<Self, Failure> {
        if config.use_proxy == Some(false) {
            match direct_kind(generated) {
                Ok(kind) => return Self::direct(cx, config, kind, generated),
                Err(why) => {
                    cx.say(format!(
                        "Warning: use_proxy is false, but {why}. Ansible uses the proxy on \
                         localhost instead."
                    ))
                    .await;
                }
            }
        }
        Self::through_proxy(cx, config, machine, generated).await
    }

    fn direct(
        cx: &RunContext,
        config: &AnsibleConfig,
        kind: Kind,
        generated: &Value,
    ) -> Result<Self, Failure> {
        let mut access = Self {
            kind,
            host: text(generated, "Host").to_owned(),
            port: port(generated),
            user: user(config, generated),
            key: None,
            password: Secret::new(text(generated, "Password").to_owned()),
            proxy: None,
            written_key: None,
        };
        if kind == Kind::Winrm {
            return Ok(access);
        }
        let (file, private) = (
            text(generated, "SSHPrivateKeyFile"),
            text(generated, "SSHPrivateKey"),
        );
        if !file.is_empty() {
            access.key = Some(absolute(&check::expand(file))?);
        } else if !private.is_empty() {
            let written = key_file(cx, private)?;
            access.key = Some(written.path().to_owned());
            access.written_key = Some(written);
        }
        Ok(access)
    }

    async fn through_proxy(
        cx: &RunContext,
        config: &AnsibleConfig,
        machine: Arc<dyn Communicator>,
        generated: &Value,
    ) -> Result<Self, Failure> {
        let kind = KeyType::parse(&config.ansible_proxy_key_type).unwrap_or_default();
        let host_key = match config.ssh_host_key_file.as_str() {
            "" => new_key(kind, "kiln proxy").await?.private_key(),
            file => load_private_key(&check::expand(file)).map_err(|error| {
                Failure::new(format!("`ssh_host_key_file`: {}", failed(&error).message))
            })?,
        };
        let (authorized, written) = match config.ssh_authorized_key_file.as_str() {
            "" => {
                let pair = new_key(kind, "kiln").await?;
                let written = key_file(cx, &pair.private_openssh())?;
                (pair.private_key().public_key().clone(), Some(written))
            }
            file => (public_key(&check::expand(file))?, None),
        };
        let late = Late::new(cx, generated);
        let settings = Settings {
            // With an inventory of its own, only the template knows the name.
            user: (!config.user.is_empty()).then(|| config.user.clone()),
            authorized: authorized.key_data().clone(),
            host_key: host_key.as_ref().clone(),
            port: config.local_port,
            sftp_command: late.render("sftp_command", &config.sftp_command)?,
            spool: cx.build().run_dir.clone(),
        };
        let proxy = Proxy::start(settings, machine).await?;
        Ok(Self {
            kind: Kind::Proxy,
            host: "127.0.0.1".to_owned(),
            port: proxy.port,
            user: user(config, generated),
            key: written.as_ref().map(|file| file.path().to_owned()),
            password: Secret::new(text(generated, "Password").to_owned()),
            proxy: Some(proxy),
            written_key: written,
        })
    }

    /// Whether Ansible has to be told the password of the connection.
    pub fn needs_password(&self, extra_arguments: &[String]) -> bool {
        let told = extra_arguments
            .iter()
            .any(|argument| argument.contains("ansible_password"));
        let used = match self.kind {
            Kind::Proxy => false,
            // Builders make a key for every machine, also for those that only know a password.
            Kind::Ssh if self.written_key.is_some() => config::is_installed(PASSWORD_PROGRAM),
            Kind::Ssh => self.key.is_none(),
            Kind::Winrm => true,
        };
        used && !told && !self.password.is_empty()
    }

    /// Texts that must not be shown.
    pub fn secrets(&self) -> [&str; 1] {
        [self.password.expose()]
    }

    /// Ends the proxy and removes the key.
    pub async fn close(self) {
        if let Some(proxy) = self.proxy {
            proxy.stop().await;
        }
    }

    /// An access without a proxy, for tests of what is made of it.
    #[cfg(test)]
    pub fn for_test(kind: Kind, key: Option<&str>, password: &str) -> Self {
        Self {
            kind,
            host: "10.0.0.7".to_owned(),
            port: 2222,
            user: "me".to_owned(),
            key: key.map(PathBuf::from),
            password: Secret::new(password.to_owned()),
            proxy: None,
            written_key: None,
        }
    }
}

/// How Ansible can reach the guest without proxy, or why it cannot.
fn direct_kind(generated: &Value) -> Result<Kind, String> {
    let kind = match text(generated, "ConnType") {
        "ssh" => Kind::Ssh,
        "winrm" => Kind::Winrm,
        "" => return Err("the builder does not say how it connects to the machine".to_owned()),
        other => return Err(format!("Ansible cannot connect by `{other}`")),
    };
    let host = text(generated, "Host");
    if host.is_empty() || host.starts_with("ERR_") {
        return Err("the builder does not say where the machine is".to_owned());
    }
    Ok(kind)
}

/// The user Ansible logs in as.
///
/// # Source
///
/// Packer option `user`. Differs: by default it is the guest's user, not the local one, whose home
/// folder need not exist in the guest.
fn user(config: &AnsibleConfig, generated: &Value) -> String {
    let machine = text(generated, "User");
    if !config.user.is_empty() {
        return config.user.clone();
    }
    if !machine.is_empty() && !machine.starts_with("ERR_") {
        return machine.to_owned();
    }
    std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "root".to_owned())
}

fn text<'a>(generated: &'a Value, name: &str) -> &'a str {
    generated
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn port(generated: &Value) -> u16 {
    match generated.get("Port").map(|value| &value.kind) {
        Some(kiln_sdk::ValueKind::Number(text) | kiln_sdk::ValueKind::String(text)) => {
            text.parse().unwrap_or(22)
        }
        _ => 22,
    }
}

async fn new_key(kind: KeyType, comment: &str) -> Result<KeyPair, Failure> {
    KeyPair::generate(kind.kind(), comment)
        .await
        .map_err(|error| failed(&error))
}

fn key_file(cx: &RunContext, private: &str) -> Result<NamedTempFile, Failure> {
    // OpenSSH wants a line end at the end of the file.
    let text = format!("{}\n", private.trim_end());
    private_file(&cx.build().run_dir, "ansible-key", "", &text)
        .map_err(|error| Failure::new(format!("cannot write a private key: {error}")))
}

fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let wrong = |seen: String| {
        Failure::new(format!(
            "`ssh_authorized_key_file` {} holds no public key: {seen}",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    PublicKey::from_openssh(text.trim()).map_err(|error| wrong(error.to_string()))
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::new(format!("cannot find `{}`: {error}", path.display())))
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::from_error(error)
}
