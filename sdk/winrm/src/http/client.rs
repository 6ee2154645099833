//! The connections to one WinRM service.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use rustls::ClientConfig;
use sdk_ssh::{Address, AddressSource};

use super::connection::{Connection, ask};
use super::dial::{Dialled, dial};
use super::tls;
use crate::error::AttemptError;
use crate::settings::{Login, Proxies, Settings};
use crate::wsman::{Fault, fault};

/// What an answer may take beyond the time the service was given.
const GRACE: Duration = Duration::from_secs(15);

/// Makes connections and keeps those that rest.
///
/// A request has its connection for itself, so that sending input does not wait for output.
pub(crate) struct Client {
    settings: Settings,
    addresses: Arc<dyn AddressSource>,
    tls: Option<Arc<ClientConfig>>,
    proxies: Option<Matcher>,
    /// The login the guest offers, once it was asked.
    offered: Mutex<Option<Login>>,
    resting: Mutex<Vec<Connection>>,
}

impl Client {
    /// A client without connections.
    ///
    /// # Errors
    ///
    /// [`AttemptError::Tls`] when the system's certificates cannot be read.
    pub(crate) fn new(
        settings: Settings,
        addresses: Arc<dyn AddressSource>,
    ) -> Result<Self, AttemptError> {
        let tls = settings.tls.map(tls::client_config).transpose()?;
        let proxies = match settings.proxies {
            Proxies::Environment => Some(Matcher::from_env()),
            Proxies::None => None,
        };
        Ok(Self {
            settings,
            addresses,
            tls,
            proxies,
            offered: Mutex::new(None),
            resting: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn addresses(&self) -> &dyn AddressSource {
        self.addresses.as_ref()
    }

    /// Ends all connections that rest.
    pub(crate) fn disconnect(&self) {
        self.resting().clear();
    }

    fn resting(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connection(&self) -> Result<Connection, AttemptError> {
        let fresh = {
            let mut resting = self.resting();
            resting.retain(Connection::is_fresh);
            resting.pop()
        };
        if let Some(connection) = fresh {
            return Ok(connection);
        }
        let address = self.addresses.address().await;
        let address = address.map_err(|error| AttemptError::NoAddress(error.to_string()))?;
        let known = self.settings.login.or_else(|| *self.offered());
        let login = match known {
            Some(login) => login,
            None => {
                let login = ask(&self.settings, &address, self.dial(&address).await?).await?;
                *self.offered() = Some(login);
                login
            }
        };
        let dialled = self.dial(&address).await?;
        Connection::open(&self.settings, login, &address, dialled)
            .await
            .inspect_err(|error| self.doubt(error))
    }

    async fn dial(&self, address: &Address) -> Result<Dialled, AttemptError> {
        dial(address, self.tls.as_ref(), self.proxies.as_ref()).await
    }

    fn offered(&self) -> std::sync::MutexGuard<'_, Option<Login>> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A guest that refuses what it offered is asked again: it may be another one by now.
    fn doubt(&self, error: &AttemptError) {
        if let AttemptError::Login(_) = error {
            *self.offered() = None;
        }
    }

    /// Sends `envelope` and returns the answer. `limit` is the time the service was given for it.
    ///
    /// # Errors
    ///
    /// [`AttemptError`]; a fault is [`AttemptError::Fault`]. A request that failed may have been
    /// carried out, so nothing is sent twice here.
    pub(crate) async fn call(
        &self,
        envelope: &str,
        limit: Duration,
    ) -> Result<String, AttemptError> {
        // On the heap: these hold whole handshakes, and callers nest deep.
        let mut connection = Box::pin(self.connection()).await?;
        let limit = limit + GRACE;
        let answer = Box::pin(connection.call(&self.settings, envelope, limit)).await;
        let answer = answer.inspect_err(|error| self.doubt(error))?;
        self.resting().push(connection);
        match fault(&answer)? {
            Some(fault) => Err(AttemptError::Fault(fault)),
            None => Ok(answer),
        }
    }
}

impl From<Fault> for AttemptError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use sdk_config::Secret;
    use sdk_ssh::{Address, CommunicatorConfig};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_util::task::AbortOnDropHandle;

    use super::Client;
    use crate::settings::Settings;

    /// A service that offers basic logins and closes each connection after a refusal.
    async fn serve(listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.windows(4).any(|four| four == b"\r\n\r\n") {
                if !matches!(stream.read_buf(&mut request).await, Ok(count) if count > 0) {
                    break;
                }
            }
            let request = String::from_utf8_lossy(&request).to_lowercase();
            let answer: &[u8] = if request.contains("authorization: basic ") {
                b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n<s:Envelope xmlns:s=\"s\"   />"
            } else {
                b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"WSMAN\"\r\n\
                  Content-Length: 0\r\n\r\n"
            };
            drop(stream.write_all(answer).await);
        }
    }

    #[tokio::test]
    async fn a_service_that_closes_after_its_offer_is_called_on_a_new_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let _serving = AbortOnDropHandle::new(tokio::spawn(serve(listener)));
        let config = CommunicatorConfig {
            winrm_username: "me".to_owned(),
            winrm_password: Secret::new("secret".to_owned()),
            ..CommunicatorConfig::default()
        };
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port,
        };
        let client = Client::new(Settings::new(&config), Arc::new(address)).expect("plain HTTP");
        let limit = Duration::from_secs(5);
        for _ in 0..2 {
            let answer = client.call("<x/>", limit).await;
            assert!(answer.expect("it answers").contains("Envelope"));
            client.disconnect();
        }
    }
}
