//! Options turned into what a connection needs.

use std::time::Duration;

use sdk_config::Secret;
use sdk_ssh::CommunicatorConfig;

/// Which certificates are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those the system trusts, with the right name.
    System,
    /// All.
    Anything,
}

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// User and password with every request.
    Basic,
    /// NTLM, sealed when there is no TLS.
    Ntlm,
}

/// Whether the proxies of the environment are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxies {
    /// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` count.
    Environment,
    /// Connections are direct.
    None,
}

/// How long a guest that was there is waited for at most: `winrm_timeout` is for installations, which
/// take longer than restarts.
const WAY_BACK: Duration = Duration::from_secs(5 * 60);

/// Everything a connection is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) user: String,
    pub(crate) password: Secret<String>,
    /// Which certificates are accepted; `None` is plain HTTP.
    pub(crate) tls: Option<Trust>,
    /// How to log in; `None` is basic when the server offers it, else NTLM.
    pub(crate) login: Option<Login>,
    pub(crate) proxies: Proxies,
    /// How long to try to connect.
    pub(crate) limit: Duration,
    /// How long to wait after the first connection.
    pub(crate) pause: Duration,
}

impl Settings {
    /// From options that were prepared.
    ///
    /// # Source
    ///
    /// Packer's `winrm_*` options. Differs: when `winrm_use_ntlm` is not set and the guest does
    /// not offer basic authentication, NTLM is used; Packer fails.
    #[must_use]
    pub fn new(config: &CommunicatorConfig) -> Self {
        let trust = if config.winrm_insecure {
            Trust::Anything
        } else {
            Trust::System
        };
        Self {
            user: config.winrm_username.clone(),
            password: config.winrm_password.clone(),
            tls: config.winrm_use_ssl.then_some(trust),
            login: match config.winrm_use_ntlm {
                Some(true) => Some(Login::Ntlm),
                Some(false) => Some(Login::Basic),
                None => None,
            },
            proxies: if config.winrm_no_proxy {
                Proxies::None
            } else {
                Proxies::Environment
            },
            limit: config.winrm_timeout,
            pause: config.pause_before_connecting,
        }
    }

    /// How long a guest that was there is waited for.
    pub(crate) fn way_back(&self) -> Duration {
        self.limit.min(WAY_BACK)
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sdk_ssh::CommunicatorConfig;

    use super::Settings;

    #[test]
    fn a_guest_that_was_there_is_not_waited_for_as_for_an_installation() {
        for (minutes, expected) in [(30, 5), (2, 2)] {
            let config = CommunicatorConfig {
                winrm_timeout: Duration::from_secs(minutes * 60),
                ..CommunicatorConfig::default()
            };
            let limit = Settings::new(&config).way_back();
            assert_eq!(limit, Duration::from_secs(expected * 60));
        }
    }
}
