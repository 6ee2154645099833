//! The data source `http`: asks a web server.
//!
//! Here are the options, the one request and its answer as text. Not here: downloads to files
//! (those are `kiln_sdk::download`'s).

use std::collections::BTreeMap;
use std::time::Duration;

use kiln_sdk::{
    BuildInfo, Config, DataSource, Diagnostic, Diagnostics, Failure, Prepared, RunContext, Value,
};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};

/// The methods a server is asked with.
///
/// # Source
///
/// Packer's `http` data source.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// A server that is silent for this long is given up.
const SILENCE_LIMIT: Duration = Duration::from_secs(2 * 60);
/// The longest answer that is read, in MiB. It becomes a value of the template, and a message to the
/// host has 16 MiB at most.
const ANSWER_LIMIT_MIB: usize = 15;

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
    #[error(
        "the answer of {url} is longer than {ANSWER_LIMIT_MIB} MiB, too long for a value of a \
         template; a provisioner can download it instead"
    )]
    TooLong { url: String },
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
        let answer = cx.until_cancelled(ask(&config)).await?;
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
            problems.push(Diagnostic::error("Unsupported method", detail).on("method"));
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
}

async fn ask(config: &HttpConfig) -> Result<HttpOutput, HttpError> {
    let url = shown(&config.url);
    let failed = |source: reqwest::Error| HttpError::Request {
        url: url.clone(),
        source: source.without_url(),
    };
    let client = Client::builder()
        .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(SILENCE_LIMIT)
        .build()
        .map_err(failed)?;
    let method = Method::from_bytes(config.method.as_bytes()).unwrap_or(Method::GET);
    let mut request = client.request(method, config.url.as_str());
    for (name, value) in &config.request_headers {
        request = request.header(name, value);
    }
    if !config.request_body.is_empty() {
        request = request.body(config.request_body.clone());
    }
    let mut answer = request.send().await.map_err(failed)?;
    if !answer.status().is_success() {
        let status = answer.status();
        return Err(HttpError::Status { url, status });
    }
    let headers = joined(answer.headers());
    let kind = answer.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/") && !kind.starts_with("application/json") {
        tracing::warn!(
            content_type = kind,
            "the answer does not say that it is text"
        );
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(failed)? {
        if body.len() + part.len() > ANSWER_LIMIT_MIB << 20 {
            return Err(HttpError::TooLong { url });
        }
        body.extend_from_slice(&part);
    }
    let body = String::from_utf8(body).map_err(|_| HttpError::NotText { url })?;
    Ok(HttpOutput {
        url: config.url.clone(),
        body,
        request_headers: headers,
    })
}

/// The URL without what may be secret in it: password and query.
fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return "the URL".to_owned();
    };
    // A URL that cannot have a password has none to hide.
    if url.password().is_some() && url.set_password(Some("…")).is_err() {
        return "the URL".to_owned();
    }
    if url.query().is_some() {
        url.set_query(Some("…"));
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
mod tests {
    use std::collections::BTreeMap;

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::{get, post};
    use kiln_sdk::{Severity, Value};
    use kiln_sdk_test_kit::{FakeHost, check_options};

    use super::{Http, HttpConfig};

    /// A server on loopback that ends with the test.
    async fn server() -> String {
        let routes = Router::new()
            .route("/text", get(|| async { ([("x-two-words", "a")], "hello") }))
            .route(
                "/echo",
                post(|headers: HeaderMap, body: String| async move {
                    format!("{}:{body}", headers["x-token"].to_str().unwrap())
                }),
            )
            .route("/binary", get(|| async { vec![0xff_u8, 0xfe] }))
            .route("/long", get(|| async { "x".repeat((15 << 20) + 1) }))
            .route(
                "/broken",
                get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "no") }),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    async fn read(options: Value) -> Result<Value, String> {
        let read = FakeHost::new().read(Http, options).await;
        read.outcome.map_err(|failure| failure.message)
    }

    #[tokio::test]
    async fn the_answer_comes_with_its_headers() {
        let url = format!("{}/text", server().await);
        let value = read([("url", url.as_str())].into_iter().collect()).await;
        let value = value.expect("it reads");
        assert_eq!(value.get("body").and_then(Value::as_str), Some("hello"));
        assert_eq!(value.get("url").and_then(Value::as_str), Some(&*url));
        let headers = value.get("request_headers").expect("there are headers");
        let header = |name| headers.get(name).and_then(Value::as_str);
        assert_eq!(header("X-Two-Words"), Some("a"));
        assert_eq!(header("Content-Type"), Some("text/plain; charset=utf-8"));
    }

    #[tokio::test]
    async fn method_headers_and_body_are_sent() {
        let headers: Value = [("X-Token", "t")].into_iter().collect();
        let options: Value = [
            ("url", Value::from(format!("{}/echo", server().await))),
            ("method", "POST".into()),
            ("request_headers", headers),
            ("request_body", "ping".into()),
        ]
        .into_iter()
        .collect();
        let value = read(options).await.expect("it reads");
        assert_eq!(value.get("body").and_then(Value::as_str), Some("t:ping"));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_named_without_the_secrets_of_the_url() {
        let base = server().await.replace("http://", "http://u:secret@");
        for (path, text) in [
            ("/broken?token=secret", "answered 500"),
            ("/missing", "answered 404"),
            ("/binary", "not UTF-8"),
            ("/long", "longer than 15 MiB"),
        ] {
            let url = format!("{base}{path}");
            let problem = read([("url", url.as_str())].into_iter().collect()).await;
            let problem = problem.expect_err("it fails");
            assert!(problem.contains(text), "{problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
        let closed = [("url", "http://127.0.0.1:1/")].into_iter().collect();
        let problem = read(closed).await.expect_err("nobody listens there");
        assert!(problem.contains("cannot ask"), "{problem}");
    }

    #[test]
    fn options_are_checked_before_anybody_is_asked() {
        let check = |mut config: HttpConfig, expected: &[&str]| {
            let problems = config.prepare();
            let errors = problems
                .iter()
                .filter(|problem| problem.severity == Severity::Error);
            let found: Vec<&str> = errors.map(|problem| problem.summary.as_str()).collect();
            assert_eq!(found, expected, "{config:?}");
        };
        let config = |url: &str, method: &str| HttpConfig {
            url: url.to_owned(),
            method: method.to_owned(),
            ..HttpConfig::default()
        };
        check(config("https://example.org", ""), &[]);
        check(config("<unknown>", "HEAD"), &[]);
        check(config("ftp://example.org", "GET"), &["Invalid url"]);
        check(
            config("https://example.org", "TRACE"),
            &["Unsupported method"],
        );
        let headers = BTreeMap::from([("a b".to_owned(), "c".to_owned())]);
        let config = HttpConfig {
            request_headers: headers,
            ..config("https://example.org", "")
        };
        check(config, &["Invalid header"]);
        check_options::<HttpConfig>();
    }
}
