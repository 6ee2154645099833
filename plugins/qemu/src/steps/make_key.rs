//! Makes the key pair of the build.

use kiln_sdk::ssh::{
    Environment, KeyPair, Settings, authorized_key, expand_home, load_private_key,
};
use kiln_sdk::{Failure, RunContext};
use tokio::task::JoinHandle;

use crate::config::QemuConfig;

/// The keys of a build.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    /// Line for `authorized_keys`, with line end; empty without a key.
    pub(crate) public: String,
    /// The private key as OpenSSH writes it; empty without a key.
    pub(crate) private: String,
    /// The temporary pair; none when the template has a key of its own.
    pub(crate) pair: Option<KeyPair>,
    /// Name of the temporary pair, and comment of its public key.
    pub(crate) name: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Keys that are being made beside other work, because RSA keys take their time.
#[derive(Debug)]
pub(crate) struct PendingKeys(JoinHandle<Result<Keys, Failure>>);

impl PendingKeys {
    /// The keys.
    pub(crate) async fn ready(self, cx: &RunContext) -> Result<Keys, Failure> {
        let keys = cx.until_cancelled(self.0).await?;
        let keys =
            keys.map_err(|error| Failure::new(format!("making a key pair failed: {error}")))??;
        if !keys.private.is_empty() {
            cx.secret(keys.private.clone()).await;
        }
        Ok(keys)
    }
}

/// Begins to make the keys; nothing is made for other communicators than SSH.
pub(crate) fn begin_keys(cx: &RunContext, config: &QemuConfig) -> PendingKeys {
    let options = config.communicator.clone();
    let name = match options.temporary_key_pair_name.as_str() {
        "" => format!("packer_{}", cx.build().run_uuid),
        name => name.to_owned(),
    };
    PendingKeys(tokio::spawn(async move {
        if options.communicator != "ssh" {
            return Ok(Keys::default());
        }
        if !options.ssh_private_key_file.is_empty() {
            return own_key(&options.ssh_private_key_file);
        }
        let Some(kind) = options.key_kind() else {
            return Ok(Keys::default());
        };
        let pair = KeyPair::generate(kind, &name)
            .await
            .map_err(|error| Failure::from_error(&error))?;
        Ok(Keys {
            public: pair.authorized_key(),
            private: pair.private_openssh(),
            pair: Some(pair),
            name,
        })
    }))
}

/// The template's own key.
fn own_key(file: &str) -> Result<Keys, Failure> {
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let path = expand_home(file, home.as_deref());
    let key = load_private_key(&path).map_err(|error| Failure::from_error(&error))?;
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
    Ok(Keys {
        public: authorized_key(&key, ""),
        private: text,
        ..Keys::default()
    })
}

impl Keys {
    /// How to log in. The temporary key is tried only when the guest may know it: one that lets in
    /// by password counts every key it does not know as a failed login.
    pub(crate) fn settings(&self, config: &QemuConfig) -> Result<Settings, Failure> {
        let options = &config.communicator;
        let other_ways = !options.ssh_password.expose().is_empty() || options.ssh_agent_auth;
        let told = std::iter::once(config.typing.boot.text())
            .chain(
                config
                    .boot_steps
                    .iter()
                    .flatten()
                    .map(|step| step.as_str().to_owned()),
            )
            .any(|text| text.contains("SSHPublicKey"));
        let keys: Vec<_> = self
            .pair
            .iter()
            .filter(|_| told || !other_ways)
            .map(KeyPair::private_key)
            .collect();
        Settings::new(options, &keys, &Environment::from_process())
            .map_err(|error| Failure::from_error(&error).on(error.option()))
    }
}
