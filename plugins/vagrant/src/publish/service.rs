//! Calls of a web API that answers with JSON.

use std::time::Duration;

use kiln_sdk::{Failure, RunContext, Secret};
use reqwest::{Client, Method, Url};
use serde_json::Value as Json;

const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// A server that is silent for this long is given up.
const SILENCE_LIMIT: Duration = Duration::from_secs(2 * 60);
/// The longest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 8 << 20;

/// Whether the server has to show whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Its certificate must be valid.
    Verified,
    /// Any certificate will do.
    Anybody,
}

/// A client as this plugin's calls need it.
pub(super) fn client(trust: Trust) -> Result<Client, Failure> {
    Client::builder()
        .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(SILENCE_LIMIT)
        .tls_danger_accept_invalid_certs(trust == Trust::Anybody)
        .build()
        .map_err(|error| Failure::from_error(&error))
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Null when it was no JSON.
    pub(super) body: Json,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The text at `key`; empty when there is none.
    pub(super) fn text(&self, key: &str) -> &str {
        self.body[key].as_str().unwrap_or_default()
    }

    /// What the server says is wrong: `errors` of Vagrant Cloud, `message` of HCP, else the status.
    pub(super) fn complaint(&self) -> String {
        let listed = |error: &Json| match error {
            Json::String(text) => text.clone(),
            Json::Object(entries) => entries
                .iter()
                .map(|(name, text)| match text {
                    Json::String(text) => format!("{name} {text}"),
                    other => format!("{name} {other}"),
                })
                .collect::<Vec<_>>()
                .join(". "),
            other => other.to_string(),
        };
        let errors = self.body["errors"].as_array();
        let errors: Vec<String> = errors.into_iter().flatten().map(listed).collect();
        match (errors.is_empty(), self.text("message")) {
            (false, _) => errors.join(". "),
            (true, "") => format!("the server answered with status {}", self.status),
            (true, message) => message.to_owned(),
        }
    }
}

/// A server with an address and a key.
pub(super) struct Service {
    pub(super) client: Client,
    base: Url,
}

impl Service {
    /// The service at `base`, which may have a path.
    pub(super) fn new(base: &str, trust: Trust) -> Result<Self, Failure> {
        let base = Url::parse(base)
            .ok()
            .filter(|url| !url.cannot_be_a_base())
            .ok_or_else(|| Failure::new(format!("`{base}` is not the URL of a service")))?;
        Ok(Self {
            client: client(trust)?,
            base,
        })
    }

    /// The URL below the service's, each part escaped as needed.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Calls `path`; `body` is sent as JSON.
    ///
    /// # Errors
    ///
    /// When there is no answer, or when the run is cancelled. An answer that says no is no error.
    pub(super) async fn call(
        &self,
        cx: &RunContext,
        token: &Secret<String>,
        method: Method,
        path: &[&str],
        body: Option<Json>,
    ) -> Result<Answer, Failure> {
        self.send(cx, token, method, self.url(path), body).await
    }

    /// Reads `path` with a query.
    ///
    /// # Errors
    ///
    /// As [`Service::call`].
    pub(super) async fn query(
        &self,
        cx: &RunContext,
        token: &Secret<String>,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        self.send(cx, token, Method::GET, url, None).await
    }

    async fn send(
        &self,
        cx: &RunContext,
        token: &Secret<String>,
        method: Method,
        url: Url,
        body: Option<Json>,
    ) -> Result<Answer, Failure> {
        let mut request = self
            .client
            .request(method.clone(), url.clone())
            .header("content-type", "application/json");
        if !token.is_empty() {
            request = request.bearer_auth(token.expose());
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = cx.until_cancelled(answer(request)).await?;
        // A query may let anybody do what it asks for.
        let mut shown = url;
        shown.set_query(None);
        let answer = answer
            .map_err(|problem| Failure::new(format!("cannot ask {method} {shown}: {problem}")))?;
        tracing::debug!(%method, url = %shown, status = answer.status, "a service answered");
        Ok(answer)
    }
}

/// Sends a request and reads the answer.
pub(super) async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    let failed = |error: reqwest::Error| Failure::from_error(&error.without_url()).message;
    let mut response = request.send().await.map_err(failed)?;
    let mut text = Vec::new();
    while let Some(part) = response.chunk().await.map_err(failed)? {
        if text.len() + part.len() > ANSWER_LIMIT {
            return Err(format!("the answer is longer than {ANSWER_LIMIT} bytes"));
        }
        text.extend_from_slice(&part);
    }
    Ok(Answer {
        status: response.status().as_u16(),
        body: serde_json::from_slice(&text).unwrap_or_default(),
    })
}
