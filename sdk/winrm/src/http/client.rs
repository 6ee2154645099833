//! The connections to one WinRM service.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use rustls::ClientConfig;
use sdk_ssh::AddressSource;

use super::connection::Connection;
use super::dial::dial;
use super::tls;
use crate::error::AttemptError;
use crate::settings::{Proxies, Settings};
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
        let dialled = dial(&address, self.tls.as_ref(), self.proxies.as_ref()).await?;
        Connection::open(&self.settings, &address, dialled).await
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
        let answer = Box::pin(connection.call(&self.settings, envelope, limit)).await?;
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
