//! The data source `http`: asks a web server.
//!
//! Here are the options, the one request and its answer as text; [`body`] reads what the
//! answer carries. Not here: downloads to files (those are `kiln_sdk::download`'s).

mod body;

use std::collections::BTreeMap;
use std::time::Duration;

use kiln_sdk::{
    BuildInfo, Config, DataSource, Diagnostic, Diagnostics, Failure, Prepared, RunContext, Value,
};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, Url};

use self::body::{Body, BodyError};

/// The methods a server is asked with.
///
/// # Source
///
/// Packer's `http` data source.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// A server that is silent for this long is given up.
const SILENCE_LIMIT: Duration = Duration::from_secs(2 * 60);
/// What stands in place of what may be secret in a URL. A URL may hold no other characters.
const HIDDEN: &str = "redacted";

/// Asks a web server; the answer is `data.http.NAME.body`.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct HttpConfig {
    /// What to ask for: an `http` or `https` URL.
    #[config(required)]
    pub(crate) url: String,
    /// `GET` (the default), `HEAD`, `POST`, `PUT`, `DELETE`, `OPTIONS` or `PATCH`.
    pub(crate) method: String,
    /// Headers of the request.
    pub(crate) request_headers: BTreeMap<String, String>,
    /// Body of the request.
    pub(crate) request_body: String,
}

/// What the data source returns.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct HttpOutput {
    /// The URL that was asked.
    pub(crate) url: String,
    /// The answer.
    pub(crate) body: String,
    /// Headers of the answer, in spite of the name; several of one name are joined by `, `.
    pub(crate) request_headers: BTreeMap<String, String>,
}

/// Asks a web server.
pub(crate) struct Http;

/// What can go wrong with a request.
#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error("cannot ask {url}")]
    Request { url: String, source: reqwest::Error },
    #[error("{url} answered {status}")]
    Status {
        url: String,
        status: reqwest::StatusCode,
    },
    #[error("cannot read the answer of {url}")]
    Body { url: String, source: BodyError },
    #[error("the answer of {url} is not UTF-8 text")]
    NotText { url: String },
}

impl DataSource for Http {
    type Config = HttpConfig;
    type Output = HttpOutput;

    fn prepare(&self, config: &mut HttpConfig, _build: &BuildInfo) -> Prepared {
        config.prepare().into()
    }

    async fn read(&self, cx: RunContext, config: HttpConfig) -> Result<Value, Failure> {
        let client = client().map_err(|error| Failure::from_error(&error))?;
        let answer = cx.until_cancelled(ask(&client, &config)).await?;
        let answer = answer.map_err(|error| Failure::from_error(&error))?;
        let headers: Value = answer.request_headers.into_iter().collect();
        let entries = [
            ("url", answer.url.into()),
            ("body", answer.body.into()),
            ("request_headers", headers),
        ];
        Ok(entries.into_iter().collect())
    }
}

impl HttpConfig {
    /// Checks the options and completes them. A value that is not known yet is `<unknown>` here.
    fn prepare(&mut self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        if self.method.is_empty() {
            "GET".clone_into(&mut self.method);
        }
        if !METHODS.contains(&self.method.as_str()) && self.method != "<unknown>" {
            let detail = format!("`{}` is none of {}.", self.method, METHODS.join(", "));
            let problem = Diagnostic::error("Unsupported method", detail).on("method");
            problems.push(problem.hint(self.other_method()));
        }
        let web = |url: &Url| matches!(url.scheme(), "http" | "https");
        if !self.url.contains("<unknown>") && !Url::parse(&self.url).is_ok_and(|url| web(&url)) {
            let problem = Diagnostic::error("Invalid url", "It must be an http or https URL.");
            problems.push(problem.on("url"));
        }
        for (name, value) in &self.request_headers {
            let name_fits = HeaderName::try_from(name.as_str()).is_ok();
            if !name_fits || HeaderValue::try_from(value.as_str()).is_err() {
                // The value may be a token.
                let detail = format!("`{name}` cannot be sent as a header.");
                problems.push(Diagnostic::error("Invalid header", detail).on("request_headers"));
            }
        }
        problems
    }

    /// What to write in place of a method that is none.
    fn other_method(&self) -> String {
        let upper = self.method.to_ascii_uppercase();
        match METHODS.contains(&upper.as_str()) {
            true => format!("Methods have capital letters: write `{upper}`."),
            false => "Use one of these, or leave it out for `GET`.".to_owned(),
        }
    }

    fn request(&self, client: &Client) -> RequestBuilder {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap_or(Method::GET);
        let mut request = client.request(method, self.url.as_str());
        if self.takes_gzip() {
            request = request.header(ACCEPT_ENCODING, "gzip");
        }
        for (name, value) in &self.request_headers {
            request = request.header(name, value);
        }
        match self.request_body.as_str() {
            "" => request,
            body => request.body(body.to_owned()),
        }
    }

    /// Whether the server is told that it may send gzip.
    ///
    /// # Source
    ///
    /// Go's HTTP client, which Packer asks with: unless the template says what it takes, wants a
    /// part, or no body.
    fn takes_gzip(&self) -> bool {
        let decides = |name: &&str| {
            let mut names = self.request_headers.keys();
            names.any(|given| given.eq_ignore_ascii_case(name))
        };
        self.method != "HEAD" && !["accept-encoding", "range"].iter().any(decides)
    }
}

fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(SILENCE_LIMIT)
        .build()
}

async fn ask(client: &Client, config: &HttpConfig) -> Result<HttpOutput, HttpError> {
    let url = shown(&config.url);
    let answer = config.request(client).send().await;
    let answer = answer.map_err(|source| HttpError::Request {
        url: url.clone(),
        source: source.without_url(),
    })?;
    if !answer.status().is_success() {
        let status = answer.status();
        return Err(HttpError::Status { url, status });
    }
    warn_of_kind(&answer);
    let body = Body::read(answer).await;
    let Body { bytes, headers } = body.map_err(|source| HttpError::Body {
        url: url.clone(),
        source,
    })?;
    Ok(HttpOutput {
        url: config.url.clone(),
        body: String::from_utf8(bytes).map_err(|_| HttpError::NotText { url })?,
        request_headers: joined(&headers),
    })
}

fn warn_of_kind(answer: &Response) {
    let kind = answer.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/") && !kind.starts_with("application/json") {
        tracing::warn!(
            content_type = kind,
            "the answer does not say that it is text"
        );
    }
}

/// The URL without what may be secret in it: password and query.
fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return "the URL".to_owned();
    };
    // A URL that cannot have a password has none to hide.
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return "the URL".to_owned();
    }
    if url.query().is_some() {
        url.set_query(Some(HIDDEN));
    }
    url.to_string()
}

/// Headers by name as Go spells it (`Content-Type`); several of one name are joined.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(canonical(name.as_str()))
            .and_modify(|known| {
                known.push_str(", ");
                known.push_str(&value);
            })
            .or_insert_with(|| value.to_string());
    }
    joined
}

/// `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
