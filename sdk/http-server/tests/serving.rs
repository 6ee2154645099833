//! Talks to a real server over loopback, in plain HTTP.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use sdk_http_server::{HttpConfig, HttpServer, HttpServerError, SeenRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn loopback() -> HttpConfig {
    HttpConfig {
        http_port_min: 20000,
        http_port_max: 40000,
        http_bind_address: "127.0.0.1".to_owned(),
        http_network_protocol: "tcp".to_owned(),
        ..HttpConfig::default()
    }
}

fn directory(path: &Path) -> HttpConfig {
    HttpConfig {
        http_directory: path.to_owned(),
        ..loopback()
    }
}

async fn start(config: &HttpConfig) -> (HttpServer, tempfile::TempDir) {
    let cache = tempfile::tempdir().expect("a folder");
    let server = HttpServer::start(config, cache.path(), None)
        .await
        .expect("starts");
    (server.expect("something to serve"), cache)
}

/// The whole answer to a request line and headers.
async fn ask(server: &HttpServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address())
        .await
        .expect("connects");
    let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
    let text = format!("{line} HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).await.expect("asks");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("answers");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Status and body, and the value of `Location` when there is one.
async fn check(server: &HttpServer, request: &str, expected: &str) {
    let answer = ask(server, request).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status");
    let location = head
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    let got = format!("{status} {}", location.unwrap_or(body));
    assert_eq!(got.trim_end(), expected, "{request}");
}

#[tokio::test]
async fn folders_are_served_and_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("writes");
    std::fs::create_dir_all(folder.path().join("sub/deep")).expect("folders");
    std::fs::create_dir(folder.path().join("with")).expect("a folder");
    write("ks.cfg", "0123456789");
    write("a b&.txt", "blank");
    write("sub/x", "in sub");
    write("with/index.html", "<p>index");
    let (server, _cache) = start(&directory(folder.path())).await;
    check(&server, "GET /ks.cfg", "200 0123456789").await;
    check(&server, "GET /ks.cfg?seed=1", "200 0123456789").await;
    check(&server, "GET /a%20b&.txt", "200 blank").await;
    check(&server, "GET /ks.cfg\nRange: bytes=2-4\r\n", "206 234").await;
    check(&server, "GET /ks.cfg\nRange: bytes=99-\r\n", "416").await;
    check(&server, "HEAD /ks.cfg", "200").await;
    check(&server, "GET /sub/../ks.cfg", "200 0123456789").await;
    check(&server, "GET /nope", "404 404 page not found").await;
    check(&server, "GET /ks.cfg/x", "404 404 page not found").await;
    check(&server, "POST /ks.cfg", "405 405 only GET and HEAD").await;
    check(&server, "GET /sub", "301 /sub/").await;
    check(&server, "GET /ks.cfg/", "301 /ks.cfg").await;
    check(&server, "GET /with/", "200 <p>index").await;
    check(&server, "GET /with/index.html", "200 <p>index").await;
    let listing = ask(&server, "GET /").await;
    assert!(listing.contains("<a href=\"a%20b%26.txt\">a b&amp;.txt</a>\n<a href=\"ks.cfg\">ks.cfg</a>\n<a href=\"sub/\">sub/</a>"), "{listing}");
    let head = ask(&server, "HEAD /ks.cfg").await;
    assert!(head.contains("content-length: 10\r\n"), "{head}");
    server.stop().await;
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_served() {
    let outer = tempfile::tempdir().expect("a folder");
    let root = outer.path().join("root");
    std::fs::create_dir(&root).expect("a folder");
    std::fs::write(outer.path().join("secret"), "secret").expect("writes");
    std::fs::write(root.join("file"), "file").expect("writes");
    std::os::unix::fs::symlink(outer.path().join("secret"), root.join("out")).expect("a link");
    std::os::unix::fs::symlink(outer.path(), root.join("up")).expect("a link");
    std::os::unix::fs::symlink("file", root.join("inside")).expect("a link");
    let (server, _cache) = start(&directory(&root)).await;
    check(&server, "GET /inside", "200 file").await;
    check(
        &server,
        "GET /out",
        "403 403 this link leads out of http_directory",
    )
    .await;
    check(
        &server,
        "GET /up/secret",
        "403 403 this link leads out of http_directory",
    )
    .await;
    check(&server, "GET /../secret", "404 404 page not found").await;
    check(&server, "GET /%2e%2e/secret", "404 404 page not found").await;
    check(&server, "GET /..%2fsecret", "404 404 page not found").await;
    check(&server, "GET /%00", "400 400 malformed path").await;
    server.stop().await;
}

#[tokio::test]
async fn inline_texts_are_served_by_path() {
    let texts = [
        ("/user-data", "#cloud-config\n"),
        ("/sub/meta-data", "id: 1"),
    ];
    let content: BTreeMap<String, String> = texts
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
    let (server, _cache) = start(&HttpConfig {
        http_content: content,
        ..loopback()
    })
    .await;
    check(&server, "GET /user-data", "200 #cloud-config").await;
    check(&server, "GET //sub/./meta-data", "200 id: 1").await;
    check(&server, "HEAD /user-data", "200").await;
    check(
        &server,
        "GET /user-dat",
        "404 /user-dat not found. Did you mean \"/user-data\"?",
    )
    .await;
    check(&server, "GET /", "404 / not found.").await;
    server.stop().await;
}

#[tokio::test]
async fn requests_are_told_and_counted() {
    let content = BTreeMap::from([("/a".to_owned(), "text".to_owned())]);
    let config = HttpConfig {
        http_content: content,
        ..loopback()
    };
    let cache = tempfile::tempdir().expect("a folder");
    let told: Arc<Mutex<Vec<SeenRequest>>> = Arc::default();
    let list = Arc::clone(&told);
    let observer = Arc::new(move |request: &SeenRequest| {
        list.lock().expect("not poisoned").push(request.clone());
    });
    let server = HttpServer::start(&config, cache.path(), Some(observer))
        .await
        .expect("starts");
    let server = server.expect("something to serve");
    assert_eq!(server.requests(), 0);
    check(&server, "GET /a\nUser-Agent: installer\r\n", "200 text").await;
    check(&server, "GET /b", "404 /b not found.").await;
    server.wait_for_requests(2).await;
    let told = told.lock().expect("not poisoned").clone();
    let lines: Vec<String> = told
        .iter()
        .map(|it| format!("{} {} {} {}", it.method, it.path, it.status, it.user_agent))
        .collect();
    assert_eq!(lines, ["GET /a 200 installer", "GET /b 404 "]);
    let address = server.address();
    server.stop().await;
    TcpStream::connect(address)
        .await
        .expect_err("nobody listens any more");
}

#[tokio::test]
async fn large_files_are_streamed() {
    const LENGTH: usize = 64 << 20;
    let folder = tempfile::tempdir().expect("a folder");
    let file = std::fs::File::create(folder.path().join("large")).expect("a file");
    file.set_len(LENGTH as u64).expect("a sparse file");
    let (server, _cache) = start(&directory(folder.path())).await;
    let before = resident_kib();
    let mut stream = TcpStream::connect(server.address())
        .await
        .expect("connects");
    let request = "GET /large HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("asks");
    let (mut total, mut buffer) = (0, vec![0; 65536]);
    loop {
        match stream.read(&mut buffer).await.expect("answers") {
            0 => break,
            length => total += length,
        }
    }
    assert!(total > LENGTH, "head and body: {total}");
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 16 << 10, "memory grew by {grown} KiB");
    server.stop().await;
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok())
        .unwrap_or(0)
}

#[tokio::test]
async fn refusals_name_their_option() {
    let cache = tempfile::tempdir().expect("a folder");
    let start = |config: HttpConfig| {
        let path = cache.path().to_owned();
        async move { HttpServer::start(&config, &path, None).await }
    };
    assert!(start(loopback()).await.expect("nothing to do").is_none());
    let err = start(directory(&cache.path().join("nope")))
        .await
        .expect_err("missing");
    assert!(matches!(err, HttpServerError::Directory { .. }), "{err}");
    let here = directory(cache.path());
    let six = HttpConfig {
        http_network_protocol: "tcp6".to_owned(),
        ..here.clone()
    };
    let err = start(six).await.expect_err("an IPv4 address");
    assert!(matches!(err, HttpServerError::Address { .. }), "{err}");
    let file = HttpConfig {
        http_network_protocol: "unix".to_owned(),
        ..here.clone()
    };
    let err = start(file).await.expect_err("a socket file");
    assert!(matches!(err, HttpServerError::Protocol { .. }), "{err}");
    let first = start(here.clone()).await.expect("starts").expect("serves");
    let port = first.port();
    let same = HttpConfig {
        http_port_min: port,
        http_port_max: port,
        ..here
    };
    let err = start(same).await.expect_err("the port is taken");
    assert!(matches!(err, HttpServerError::Port { .. }), "{err}");
    first.stop().await;
}
