//! A session with a server.

use std::time::Duration;

use kiln_sdk::{RunContext, Secret};
use reqwest::header::{COOKIE, SET_COOKIE};
use roxmltree::Node;

use super::envelope::{Argument, Reference, call, child, read};
use super::error::SoapError;

const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// A server that is silent for this long is given up.
const SILENCE_LIMIT: Duration = Duration::from_secs(2 * 60);
/// How long logging out may take.
const LOGOUT_LIMIT: Duration = Duration::from_secs(10);

/// Whether the server has to show whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its certificate must be valid.
    Verified,
    /// Any certificate will do.
    Anybody,
}

/// How to get in.
pub(crate) struct Access<'a> {
    pub(crate) host: &'a str,
    pub(crate) username: &'a str,
    pub(crate) password: &'a Secret<String>,
    pub(crate) trust: Trust,
}

/// Objects that every server has.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) folder: Reference,
    pub(super) properties: Reference,
    pub(super) search: Reference,
    sessions: Reference,
}

/// A session that is logged in.
pub(crate) struct Session {
    cx: RunContext,
    client: reqwest::Client,
    host: String,
    url: reqwest::Url,
    cookie: Secret<String>,
    pub(super) root: Root,
}

impl Session {
    /// Logs in.
    pub(crate) async fn open(cx: &RunContext, access: Access<'_>) -> Result<Self, SoapError> {
        let host = access.host.to_owned();
        let url = reqwest::Url::parse(&format!("https://{host}/sdk"));
        let url = url.map_err(|_| SoapError::Address { host: host.clone() })?;
        let client = reqwest::Client::builder()
            .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(SILENCE_LIMIT)
            .tls_danger_accept_invalid_certs(access.trust == Trust::Anybody)
            .build();
        let client = client.map_err(|source| SoapError::Transport {
            host: host.clone(),
            source,
        })?;
        let unknown = Reference::new("", "");
        let mut session = Self {
            cx: cx.clone(),
            client,
            host,
            url,
            cookie: Secret::default(),
            root: Root {
                folder: unknown.clone(),
                properties: unknown.clone(),
                search: unknown.clone(),
                sessions: unknown,
            },
        };
        session.root = session.content().await?;
        let sessions = session.root.sessions.clone();
        let credentials = [
            ("userName", Argument::Text(access.username.to_owned())),
            ("password", Argument::Text(access.password.expose().clone())),
        ];
        session.login(&sessions, &credentials).await?;
        Ok(session)
    }

    async fn content(&self) -> Result<Root, SoapError> {
        let this = Reference::new("ServiceInstance", "ServiceInstance");
        let method = "RetrieveServiceContent";
        let (text, _) = self.send(call(&this, method, &[])).await?;
        let root = read(method, &text, |answer| {
            let content = child(answer, "returnval")?;
            let object = |name| child(content, name).and_then(Reference::of);
            Some(Root {
                folder: object("rootFolder")?,
                properties: object("propertyCollector")?,
                search: object("searchIndex")?,
                sessions: object("sessionManager")?,
            })
        })?;
        root.ok_or_else(|| SoapError::Answer {
            method: method.to_owned(),
            problem: "it lacks the objects that every server has".to_owned(),
        })
    }

    async fn login(
        &mut self,
        sessions: &Reference,
        credentials: &[(&str, Argument)],
    ) -> Result<(), SoapError> {
        let (text, cookie) = self.send(call(sessions, "Login", credentials)).await?;
        read("Login", &text, |_| ())?;
        self.cx.secret(cookie.as_str()).await;
        self.cookie = Secret::new(cookie);
        Ok(())
    }

    /// Logs out. Goes on when the run is cancelled; a failure changes nothing.
    pub(crate) async fn close(&self) {
        let logout = self.post(call(&self.root.sessions, "Logout", &[]));
        match tokio::time::timeout(LOGOUT_LIMIT, logout).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "cannot log out of vSphere"),
            Err(_) => tracing::warn!("vSphere does not answer the request to log out"),
        }
    }

    /// Calls a method and hands its answer to `take`.
    pub(super) async fn call<T>(
        &self,
        this: &Reference,
        method: &str,
        arguments: &[(&str, Argument)],
        take: impl FnOnce(Node<'_, '_>) -> T,
    ) -> Result<T, SoapError> {
        tracing::debug!(method, object = this.id, "a call to vSphere");
        let (text, _) = self.send(call(this, method, arguments)).await?;
        read(method, &text, take)
    }

    /// The run this session is for.
    pub(super) fn cx(&self) -> &RunContext {
        &self.cx
    }

    async fn send(&self, body: String) -> Result<(String, String), SoapError> {
        let sent = self.cx.until_cancelled(self.post(body)).await;
        sent.unwrap_or(Err(SoapError::Cancelled))
    }

    /// The text of the answer, and the cookie it sets.
    async fn post(&self, body: String) -> Result<(String, String), SoapError> {
        let failed = |source: reqwest::Error| SoapError::Transport {
            host: self.host.clone(),
            source: source.without_url(),
        };
        let mut request = self
            .client
            .post(self.url.clone())
            .header("content-type", "text/xml; charset=utf-8")
            .header("soapaction", "urn:vim25/6.7")
            .body(body);
        if !self.cookie.is_empty() {
            request = request.header(COOKIE, self.cookie.expose());
        }
        let answer = request.send().await.map_err(failed)?;
        let cookie = answer.headers().get(SET_COOKIE);
        let cookie = cookie
            .and_then(|cookie| cookie.to_str().ok())
            .unwrap_or_default();
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        // Faults come with status 500 and are read like any answer.
        Ok((answer.text().await.map_err(failed)?, cookie))
    }
}
