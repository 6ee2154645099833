use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use flate2::Compression;
use flate2::write::GzEncoder;
use kiln_sdk::{Severity, Value};
use kiln_sdk_test_kit::{FakeHost, check_options};
use reqwest::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Http, HttpConfig, ask};

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

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
            "/taken",
            get(|headers: HeaderMap| async move {
                let taken = headers.get("accept-encoding");
                taken
                    .map_or("nothing", |taken| taken.to_str().unwrap())
                    .to_owned()
            }),
        )
        .route(
            "/packed",
            get(|| async { ([(CONTENT_ENCODING, "GZIP")], packed("hello")) }),
        )
        .route(
            "/packed-twice",
            get(|| async {
                (
                    [(CONTENT_ENCODING, "gzip")],
                    [packed("hel"), packed("lo")].concat(),
                )
            }),
        )
        .route(
            "/packed-nothing",
            get(|| async { ([(CONTENT_ENCODING, "gzip")], "") }),
        )
        .route(
            "/not-packed",
            get(|| async { ([(CONTENT_ENCODING, "gzip")], "hello") }),
        )
        .route(
            "/packed-long",
            get(|| async {
                (
                    [(CONTENT_ENCODING, "gzip")],
                    packed(&"x".repeat((15 << 20) + 1)),
                )
            }),
        )
        .route(
            "/broken",
            get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "no") }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
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
async fn a_packed_answer_is_unpacked() {
    let base = server().await;
    for (path, text) in [
        ("/packed", "hello"),
        ("/packed-twice", "hello"),
        ("/packed-nothing", ""),
    ] {
        let url = format!("{base}{path}");
        let value = read([("url", url.as_str())].into_iter().collect()).await;
        let value = value.expect("it reads");
        assert_eq!(value.get("body").and_then(Value::as_str), Some(text));
        let headers = value.get("request_headers").expect("there are headers");
        let told = headers.get("Content-Encoding").is_some();
        assert_eq!(told, text.is_empty(), "{path}: {headers:?}");
    }
    for (path, text) in [
        ("/not-packed", "it says that it is gzip, and is not"),
        ("/packed-long", "longer than 15 MiB"),
    ] {
        let url = format!("{base}{path}");
        let problem = read([("url", url.as_str())].into_iter().collect()).await;
        let problem = problem.expect_err("it fails");
        assert!(problem.contains(text), "{problem}");
    }
}

#[tokio::test]
async fn a_server_may_pack_unless_the_template_says_what_it_takes() {
    let url = format!("{}/taken", server().await);
    for (header, expected) in [
        ("x-token", "gzip"),
        ("Accept-Encoding", "identity"),
        ("Range", "nothing"),
    ] {
        let headers: Value = [(header, "identity")].into_iter().collect();
        let options = [
            ("url", Value::from(url.as_str())),
            ("request_headers", headers),
        ];
        let value = read(options.into_iter().collect()).await.expect("it reads");
        assert_eq!(value.get("body").and_then(Value::as_str), Some(expected));
    }
}

/// A server that answers one request with `answer` and is gone, without a farewell of TLS.
async fn rude_server(answer: &'static str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let certificate = CertificateDer::from_pem_file(format!("{folder}/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{folder}/server.key.pem")).unwrap();
    let settings = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(settings));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        let mut connection = acceptor.accept(connection).await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(connection.read_u8().await.unwrap());
        }
        connection.write_all(answer.as_bytes()).await.unwrap();
        connection.flush().await.unwrap();
    });
    format!("https://{address}/")
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection() {
    let client = Client::builder().tls_danger_accept_invalid_certs(true);
    let client = client.build().unwrap();
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\n\r\nhello", Some("hello")),
        ("HTTP/1.0 200 OK\r\n\r\nhello", Some("hello")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", None),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            None,
        ),
    ] {
        let mut config = HttpConfig {
            url: rude_server(answer).await,
            ..HttpConfig::default()
        };
        assert!(config.prepare().is_empty());
        let body = ask(&client, &config).await.map(|output| output.body);
        assert_eq!(body.as_deref().ok(), expected, "{answer:?}: {body:?}");
    }
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
        assert!(problem.contains("u:redacted@"), "{problem}");
        assert_eq!(
            problem.contains("?redacted"),
            path.contains('?'),
            "{problem}"
        );
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
    let hint = |method: &str| {
        let problems = config("https://example.org", method).prepare();
        let problem = problems.first().expect("it is none");
        problem.hint.clone()
    };
    assert_eq!(hint("get"), "Methods have capital letters: write `GET`.");
    assert!(hint("TRACE").contains("leave it out"));
    let headers = BTreeMap::from([("a b".to_owned(), "c".to_owned())]);
    let config = HttpConfig {
        request_headers: headers,
        ..config("https://example.org", "")
    };
    check(config, &["Invalid header"]);
    check_options::<HttpConfig>();
}
