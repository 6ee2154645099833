//! Options turned into what a connection needs: keys read, names resolved.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Certificate, PrivateKey};

use crate::algorithms;
use crate::config::{CommunicatorConfig, Tunnel, TunnelError};
use crate::key::{KeyError, expand_home, load_certificate, load_private_key};

/// What the surroundings contribute.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Folder `~` stands for.
    pub home: Option<PathBuf>,
    /// Socket of the SSH agent.
    pub agent: Option<PathBuf>,
}

impl Environment {
    /// From the variables `HOME` and `SSH_AUTH_SOCK`.
    #[must_use]
    pub fn from_process() -> Self {
        let read = |name| {
            std::env::var_os(name)
                .filter(|text| !text.is_empty())
                .map(PathBuf::from)
        };
        Self {
            home: read("HOME"),
            agent: read("SSH_AUTH_SOCK"),
        }
    }
}

/// Options cannot be turned into a connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A key file changed since the options were checked, or never fitted.
    #[error("cannot use the key of `{option}`")]
    Key {
        /// Which option names it.
        option: &'static str,
        /// Why.
        source: Box<KeyError>,
    },
    /// The agent is wanted, but there is none.
    #[error("`{option}` is set, but the environment variable SSH_AUTH_SOCK names no agent")]
    NoAgent {
        /// Which option wants it.
        option: &'static str,
    },
    /// A tunnel does not parse.
    #[error("cannot use the tunnel `{text}`")]
    Tunnel {
        /// Which option has it.
        option: &'static str,
        /// As given.
        text: String,
        /// Why.
        source: TunnelError,
    },
}

impl SettingsError {
    /// The option that is wrong.
    #[must_use]
    pub fn option(&self) -> &'static str {
        match self {
            Self::Key { option, .. } | Self::NoAgent { option } | Self::Tunnel { option, .. } => {
                option
            }
        }
    }
}

/// How to log in somewhere.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    /// Socket of the agent whose keys are tried first.
    pub(crate) agent: Option<PathBuf>,
    pub(crate) keys: Vec<LoginKey>,
    pub(crate) password: Option<String>,
    /// Whether the person answers questions that the password is no answer to.
    pub(crate) interactive: bool,
    /// The option to look at first when it is refused.
    pub(crate) option: &'static str,
    /// Options to look at when it is refused.
    pub(crate) options: &'static str,
}

/// A private key to log in with.
#[derive(Clone)]
pub(crate) struct LoginKey {
    pub(crate) key: Arc<PrivateKey>,
    pub(crate) certificate: Option<Certificate>,
}

/// A host to go through.
#[derive(Clone)]
pub(crate) struct Bastion {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Login,
}

/// A SOCKS5 proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, String)>,
}

/// How files are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransferMethod {
    Scp,
    Sftp,
}

/// Everything a connection is made with. Holds secrets, so it cannot be printed.
#[derive(Clone)]
pub struct Settings {
    pub(crate) login: Login,
    pub(crate) bastion: Option<Bastion>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) limit: Option<Duration>,
    /// Refused logins until it fails; zero for no limit.
    pub(crate) attempts: u32,
    pub(crate) pause: Duration,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) io_limit: Option<Duration>,
    pub(crate) pty: bool,
    /// Socket of the agent the guest may use.
    pub(crate) forwarded_agent: Option<PathBuf>,
    pub(crate) transfer: TransferMethod,
    pub(crate) local_tunnels: Vec<Tunnel>,
    pub(crate) remote_tunnels: Vec<Tunnel>,
    pub(crate) preferred: russh::Preferred,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("user", &self.login.user)
            .finish_non_exhaustive()
    }
}

/// Limit of connecting when nothing else gives one.
const LAST_LIMIT: Duration = Duration::from_secs(5 * 60);

impl Settings {
    /// The time `limit`, unless nothing would limit the attempts then.
    pub(crate) fn limit_or(&self, limit: Option<Duration>) -> Option<Duration> {
        match (limit, self.attempts) {
            (None, 0) => Some(LAST_LIMIT),
            (limit, _) => limit,
        }
    }

    /// How long a machine that was there is waited for: when only the attempts are limited, one that
    /// is off would never be refused and so never given up.
    pub(crate) fn way_back(&self) -> Duration {
        self.limit.unwrap_or(LAST_LIMIT)
    }

    /// From options that were prepared. `keys` are private keys the builder holds in memory, such
    /// as the temporary one; they are tried after the key file.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] when a key file or the agent is not there, or a tunnel does not parse.
    pub fn new(
        config: &CommunicatorConfig,
        keys: &[Arc<PrivateKey>],
        environment: &Environment,
    ) -> Result<Self, SettingsError> {
        let home = environment.home.as_deref();
        let read = |file: &str, certificate: &str, option: &'static str| {
            let fail = |source| SettingsError::Key {
                option,
                source: Box::new(source),
            };
            if file.is_empty() {
                return Ok(None);
            }
            let key = load_private_key(&expand_home(file, home)).map_err(fail)?;
            let certificate = (!certificate.is_empty())
                .then(|| load_certificate(&expand_home(certificate, home)))
                .transpose()
                .map_err(fail)?;
            Ok(Some(LoginKey { key, certificate }))
        };
        let agent = |wanted: bool, option: &'static str| match (wanted, &environment.agent) {
            (false, _) => Ok(None),
            (true, Some(socket)) => Ok(Some(socket.clone())),
            (true, None) => Err(SettingsError::NoAgent { option }),
        };
        let (file, certificate) = (&config.ssh_private_key_file, &config.ssh_certificate_file);
        let mut login_keys: Vec<LoginKey> = read(file, certificate, "ssh_private_key_file")?
            .into_iter()
            .collect();
        login_keys.extend(keys.iter().map(|key| LoginKey {
            key: Arc::clone(key),
            certificate: None,
        }));
        let login = Login {
            user: config.ssh_username.clone(),
            agent: agent(config.ssh_agent_auth, "ssh_agent_auth")?,
            keys: login_keys,
            password: some(config.ssh_password.expose()),
            interactive: false,
            option: "ssh_username",
            options: "ssh_username, ssh_password, ssh_private_key_file and ssh_agent_auth",
        };
        let bastion = if config.ssh_bastion_host.is_empty() {
            None
        } else {
            let (file, certificate) = (
                &config.ssh_bastion_private_key_file,
                &config.ssh_bastion_certificate_file,
            );
            let key = read(file, certificate, "ssh_bastion_private_key_file")?;
            let login = Login {
                user: config.ssh_bastion_username.clone(),
                agent: agent(config.ssh_bastion_agent_auth, "ssh_bastion_agent_auth")?,
                keys: key.into_iter().collect(),
                password: some(config.ssh_bastion_password.expose()),
                interactive: config.ssh_bastion_interactive,
                option: if !config.ssh_bastion_password.expose().is_empty() {
                    "ssh_bastion_password"
                } else if !config.ssh_bastion_username.is_empty() {
                    "ssh_bastion_username"
                } else {
                    "ssh_bastion_host"
                },
                options: "ssh_bastion_username, ssh_bastion_password and \
                          ssh_bastion_private_key_file",
            };
            let (host, port) = (config.ssh_bastion_host.clone(), config.ssh_bastion_port);
            Some(Bastion { host, port, login })
        };
        let forwarded_agent = (!config.ssh_disable_agent_forwarding)
            .then(|| environment.agent.clone())
            .flatten();
        Ok(Self {
            login,
            bastion,
            proxy: proxy(config),
            limit: config.connect_limit(),
            attempts: config.ssh_handshake_attempts,
            pause: config.pause_before_connecting,
            keep_alive: config
                .ssh_keep_alive_interval
                .to_duration()
                .filter(|time| !time.is_zero()),
            io_limit: Some(config.ssh_read_write_timeout).filter(|time| !time.is_zero()),
            pty: config.ssh_pty,
            forwarded_agent,
            transfer: match config.ssh_file_transfer_method.as_str() {
                "sftp" => TransferMethod::Sftp,
                _ => TransferMethod::Scp,
            },
            local_tunnels: tunnels(&config.ssh_local_tunnels, "ssh_local_tunnels")?,
            remote_tunnels: tunnels(&config.ssh_remote_tunnels, "ssh_remote_tunnels")?,
            preferred: algorithms::preferred(
                &config.ssh_ciphers,
                &config.ssh_key_exchange_algorithms,
            ),
        })
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn proxy(config: &CommunicatorConfig) -> Option<Proxy> {
    let host = some(&config.ssh_proxy_host)?;
    let user = some(&config.ssh_proxy_username);
    let login = user.map(|user| (user, config.ssh_proxy_password.expose().clone()));
    Some(Proxy {
        host,
        port: config.ssh_proxy_port,
        login,
    })
}

fn tunnels(texts: &[String], option: &'static str) -> Result<Vec<Tunnel>, SettingsError> {
    let parse = |text: &String| {
        Tunnel::parse(text).map_err(|source| SettingsError::Tunnel {
            option,
            text: text.clone(),
            source,
        })
    };
    texts.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CommunicatorConfig, Environment, Settings, SettingsError};

    fn settings(change: impl FnOnce(&mut CommunicatorConfig)) -> Result<Settings, SettingsError> {
        let mut config = CommunicatorConfig::default();
        change(&mut config);
        Settings::new(&config, &[], &Environment::default())
    }

    #[test]
    fn a_machine_that_was_there_is_never_waited_for_without_limit() {
        for (seconds, expected) in [(0, 300), (40, 40), (3600, 3600)] {
            let settings = settings(|config| {
                config.ssh_timeout = Duration::from_secs(seconds);
                config.ssh_handshake_attempts = 3;
            });
            let limit = settings.expect("no files").way_back();
            assert_eq!(limit, Duration::from_secs(expected));
        }
    }

    #[test]
    fn what_cannot_be_used_is_blamed_on_its_option() {
        let check = |change: fn(&mut CommunicatorConfig), option: &str| {
            let error = settings(change).expect_err("it cannot be used");
            assert_eq!(error.option(), option);
        };
        check(|config| config.ssh_agent_auth = true, "ssh_agent_auth");
        check(
            |config| config.ssh_private_key_file = "/no/such/key".to_owned(),
            "ssh_private_key_file",
        );
        check(
            |config| config.ssh_remote_tunnels = vec!["x".to_owned()],
            "ssh_remote_tunnels",
        );
    }
}
