//! The way to a machine: straight, through a proxy, or through a bastion.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::auth::Person;
use crate::channel::ChannelIo;
use crate::connect::Address;
use crate::connection::{ANSWER_LIMIT, Entry, Session};
use crate::dial::dial;
use crate::failure::AttemptError;
use crate::observer::ConnectObserver;
use crate::settings::{Bastion, Proxy, Settings};
use crate::socks;
use crate::stream::{Seen, Stage, Stream};

/// How long the network may take to accept a connection.
const DIAL_LIMIT: Duration = Duration::from_secs(15);
/// How long a bastion may take for everything up to the login.
const BASTION_LIMIT: Duration = Duration::from_secs(60);

/// Knows how to reach a machine; keeps the session with the bastion, when there is one, for the
/// next attempt.
pub(crate) struct Route {
    pub(crate) settings: Arc<Settings>,
    bastion: Mutex<Option<Arc<Session>>>,
}

/// A stream to the machine, and what must live as long as it.
pub(crate) struct Dialed {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) through: Option<Arc<Session>>,
}

impl Route {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            bastion: Mutex::new(None),
        }
    }

    /// Opens a stream to `address`; `seen` is told how far it got.
    pub(crate) async fn dial(
        &self,
        address: &Address,
        seen: &Seen,
    ) -> Result<Dialed, AttemptError> {
        if let Some(bastion) = &self.settings.bastion {
            return self.dial_through(bastion, address, seen).await;
        }
        let stream: Box<dyn Stream> = match &self.settings.proxy {
            Some(proxy) => {
                seen.reached(Stage::Proxy);
                Box::new(dial_proxy(proxy, address).await?)
            }
            None => Box::new(dial_tcp(&address.host, address.port).await?),
        };
        Ok(Dialed {
            stream,
            through: None,
        })
    }

    async fn dial_through(
        &self,
        bastion: &Bastion,
        address: &Address,
        seen: &Seen,
    ) -> Result<Dialed, AttemptError> {
        let host = bastion.host.as_str();
        seen.reached(Stage::Bastion);
        let session = self.bastion_session(bastion, None).await?;
        seen.reached(Stage::Dialing);
        let opening = session.handle.channel_open_direct_tcpip(
            address.host.as_str(),
            u32::from(address.port),
            "127.0.0.1",
            0,
        );
        let channel = match tokio::time::timeout(DIAL_LIMIT, opening).await {
            Ok(Ok(channel)) => channel,
            Ok(Err(error)) => {
                let text = format!("it cannot reach {address}: {}", crate::chain(&error));
                return Err(through(host, AttemptError::Unreachable(text)));
            }
            Err(_) => {
                let text = format!(
                    "no answer about {address} within {} s",
                    DIAL_LIMIT.as_secs()
                );
                return Err(through(host, AttemptError::Unreachable(text)));
            }
        };
        let stream = Box::new(ChannelIo::new(channel, &session.ended));
        Ok(Dialed {
            stream,
            through: Some(session),
        })
    }

    /// The bastion on the way, if there is one.
    pub(crate) fn bastion_host(&self) -> Option<&str> {
        let bastion = self.settings.bastion.as_ref();
        bastion.map(|bastion| bastion.host.as_str())
    }

    /// Logs in to a bastion that asks the person, and keeps the session.
    pub(crate) async fn meet_bastion(
        &self,
        observer: &dyn ConnectObserver,
    ) -> Result<(), AttemptError> {
        let Some(bastion) = self.settings.bastion.as_ref() else {
            return Ok(());
        };
        let host = &bastion.host;
        let person = Person { observer, host };
        self.bastion_session(bastion, Some(person)).await.map(drop)
    }

    async fn bastion_session(
        &self,
        bastion: &Bastion,
        person: Option<Person<'_>>,
    ) -> Result<Arc<Session>, AttemptError> {
        let host = bastion.host.as_str();
        let mut kept = self.bastion.lock().await;
        if let Some(session) = kept.as_ref().filter(|session| !session.handle.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let seen = Arc::new(Seen::default());
        let opening = async {
            let stream = Box::new(dial_tcp(&bastion.host, bastion.port).await?);
            let entry = Entry {
                login: &bastion.login,
                offers: None,
                person,
            };
            Session::open(&self.settings, entry, stream, &seen).await
        };
        let limit = match person {
            Some(_) => BASTION_LIMIT + ANSWER_LIMIT,
            None => BASTION_LIMIT,
        };
        let session = match tokio::time::timeout(limit, opening).await {
            Ok(result) => Arc::new(result.map_err(|error| through(host, error))?),
            Err(_) if seen.stage() == Stage::Talking => {
                let text = format!("it did not end within {} s", limit.as_secs());
                return Err(through(host, AttemptError::Handshake(text)));
            }
            Err(_) => return Err(through(host, AttemptError::Silent(limit))),
        };
        *kept = Some(Arc::clone(&session));
        Ok(session)
    }
}

/// What `error` is when it happened on the way through the bastion `host`.
pub(crate) fn through(host: &str, error: AttemptError) -> AttemptError {
    AttemptError::Bastion {
        host: host.to_owned(),
        error: Box::new(error),
    }
}

async fn dial_tcp(host: &str, port: u16) -> Result<TcpStream, AttemptError> {
    match tokio::time::timeout(DIAL_LIMIT, dial(host, port)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(AttemptError::Refused)
        }
        Ok(Err(error)) => Err(AttemptError::Unreachable(error.to_string())),
        Err(_) => {
            let text = format!("no answer within {} s", DIAL_LIMIT.as_secs());
            Err(AttemptError::Unreachable(text))
        }
    }
}

async fn dial_proxy(proxy: &Proxy, address: &Address) -> Result<TcpStream, AttemptError> {
    let fail = |text: String| AttemptError::Proxy(text);
    let dialed = dial_tcp(&proxy.host, proxy.port).await;
    let mut stream = dialed.map_err(|error| fail(format!("cannot reach it: {error}")))?;
    let asking = socks::connect(
        &mut stream,
        &address.host,
        address.port,
        proxy.login.as_ref(),
    );
    match tokio::time::timeout(DIAL_LIMIT, asking).await {
        Ok(Ok(())) => Ok(stream),
        Ok(Err(error)) => Err(fail(error.to_string())),
        Err(_) => Err(fail(format!("no answer within {} s", DIAL_LIMIT.as_secs()))),
    }
}
