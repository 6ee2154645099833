//! Downloads from a server on the loopback interface.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use futures::StreamExt;
use sdk_component::{BuildInfo, Event, HostLink, RunContext};
use sdk_download::{ChecksumSpec, Download, Downloaded, Target};
use sha1::{Digest, Sha1};
use tokio_util::sync::CancellationToken;

const SIZE: usize = 300_000;

/// What the server was asked and how it misbehaves.
#[derive(Default)]
struct Web {
    /// `METHOD /path range` of every request.
    requests: Mutex<Vec<String>>,
    /// How many answers are cut in the middle.
    cuts: AtomicUsize,
    /// Whether ranges are ignored.
    plain: bool,
    /// Waited for before each body.
    gate: Option<tokio::sync::Semaphore>,
}

fn content() -> Vec<u8> {
    (0..SIZE).map(|index| (index % 251) as u8).collect()
}

fn checksum() -> String {
    format!("sha1:{}", hex::encode(Sha1::digest(content())))
}

async fn answer(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let range = headers
        .get("range")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("whole");
    web.requests
        .lock()
        .expect("not poisoned")
        .push(format!("{name} {range}"));
    let status = |code: StatusCode| Response::builder().status(code);
    let body = match name.as_str() {
        "missing" => {
            return status(StatusCode::NOT_FOUND)
                .body(Body::empty())
                .expect("built");
        }
        "SUMS" => format!("{}  image.iso\n", &checksum()[5..]).into_bytes(),
        _ => content(),
    };
    let start: usize = match range.strip_prefix("bytes=") {
        Some(text) if !web.plain => text.trim_end_matches('-').parse().expect("a number"),
        _ => 0,
    };
    if let Some(gate) = &web.gate {
        gate.acquire().await.expect("open").forget();
    }
    if start >= body.len() {
        return status(StatusCode::RANGE_NOT_SATISFIABLE)
            .header("content-range", format!("bytes */{}", body.len()))
            .body(Body::empty())
            .expect("built");
    }
    let code = if start > 0 {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let rest = body[start..].to_vec();
    let response = status(code)
        .header("etag", "\"one\"")
        .header("content-length", rest.len())
        .header(
            "content-range",
            format!("bytes {start}-{}/{}", body.len() - 1, body.len()),
        );
    let cut = web
        .cuts
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
    let body = if cut.is_ok() {
        let half = Bytes::copy_from_slice(&rest[..rest.len() / 2]);
        // The half has to be on its way before the connection ends.
        Body::from_stream(
            futures::stream::once(async { Ok(half) }).chain(futures::stream::once(async {
                for _ in 0..1000 {
                    tokio::task::yield_now().await;
                }
                Err(std::io::Error::other("cut"))
            })),
        )
    } else {
        Body::from(rest)
    };
    response.body(body).expect("built")
}

/// A running server and a private cache.
struct Bench {
    web: Arc<Web>,
    address: String,
    cache: tempfile::TempDir,
    said: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    async fn new(web: Web) -> Self {
        let web = Arc::new(web);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new()
            .route("/{name}", get(answer))
            .with_state(web.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let cache = tempfile::tempdir().expect("a temporary folder");
        Self {
            web,
            address,
            cache,
            said: Arc::default(),
        }
    }

    fn cx(&self) -> RunContext {
        let (link, mut events) = HostLink::new();
        let said = self.said.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Event::Ui(_, text) = event {
                    said.lock().expect("not poisoned").push(text);
                }
            }
        });
        let build = BuildInfo {
            cache_dir: self.cache.path().to_owned(),
            ..BuildInfo::default()
        };
        RunContext::new(link, CancellationToken::new(), build)
    }

    fn download(&self, names: &[&str], checksum: &str) -> Download {
        Download {
            what: "ISO".into(),
            urls: names
                .iter()
                .map(|name| {
                    if name.starts_with('/') {
                        (*name).to_owned()
                    } else {
                        format!("{}/{name}", self.address)
                    }
                })
                .collect(),
            checksum: ChecksumSpec::parse(checksum).expect("a good checksum"),
            target: Target {
                cache_dir: self.cache.path().to_owned(),
                path: PathBuf::new(),
                extension: "iso".into(),
            },
        }
    }

    async fn check(&self, names: &[&str], checksum: &str) -> Downloaded {
        let done = self
            .download(names, checksum)
            .run(&self.cx())
            .await
            .expect("it downloads");
        assert_eq!(std::fs::read(&done.path).expect("readable"), content());
        done
    }

    async fn fails(&self, names: &[&str], checksum: &str) -> String {
        let error = self
            .download(names, checksum)
            .run(&self.cx())
            .await
            .expect_err("it fails");
        sdk_component::Failure::from(error).message
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.web.requests.lock().expect("not poisoned"))
    }

    /// What lies in the cache, by the endings of the names.
    fn endings(&self) -> Vec<String> {
        let mut endings: Vec<String> = std::fs::read_dir(self.cache.path())
            .expect("readable")
            .map(|entry| {
                let name = entry
                    .expect("readable")
                    .file_name()
                    .into_string()
                    .expect("plain");
                name.split_once('.').expect("an ending").1.to_owned()
            })
            .collect();
        endings.sort();
        endings
    }
}

#[tokio::test]
async fn downloads_once_and_uses_the_cache_afterwards() {
    let bench = Bench::new(Web::default()).await;
    let first = bench.check(&["image.iso"], &checksum()).await;
    assert_eq!(bench.requests(), ["image.iso whole"]);
    assert_eq!(bench.endings(), ["iso", "iso.lock"]);
    let second = bench.check(&["image.iso"], &checksum()).await;
    assert_eq!(first.path, second.path);
    assert!(bench.requests().is_empty());
}

#[tokio::test]
async fn tells_what_it_does_in_the_known_words() {
    let bench = Bench::new(Web::default()).await;
    let done = bench.check(&["image.iso"], &checksum()).await;
    let url = format!("{}/image.iso", bench.address);
    let full = format!("{url}?checksum={}", checksum());
    let expected = [
        "Retrieving ISO".to_owned(),
        format!("Trying {url}"),
        format!("Trying {full}"),
        format!("{full} => {}", done.path.display()),
    ];
    tokio::task::yield_now().await;
    assert_eq!(*bench.said.lock().expect("not poisoned"), expected);
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_ended() {
    let bench = Bench::new(Web {
        cuts: AtomicUsize::new(2),
        ..Web::default()
    })
    .await;
    bench.check(&["image.iso"], &checksum()).await;
    let requests = bench.requests();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert_eq!(requests[0], "image.iso whole");
    assert!(requests[1].starts_with("image.iso bytes="), "{requests:?}");
}

#[tokio::test]
async fn a_part_of_an_earlier_run_is_continued_without_a_checksum_too() {
    let bench = Bench::new(Web::default()).await;
    let download = bench.download(&["image.iso"], "none");
    let target = download.target.file(&download.urls[0], None);
    let part = format!("{}.part", target.display());
    std::fs::write(&part, &content()[..100_000]).expect("written");
    let note = format!(
        r#"{{"url":"{}","validator":"\"one\"","archive":null,"unpacked":null}}"#,
        hex::encode(<sha2::Sha256 as sha2::Digest>::digest(
            download.urls[0].as_bytes()
        ))
    );
    std::fs::write(format!("{part}.note"), note).expect("written");
    bench.check(&["image.iso"], "none").await;
    assert_eq!(bench.requests(), ["image.iso bytes=100000-"]);
}

#[tokio::test]
async fn a_bad_part_of_an_earlier_run_is_started_anew() {
    let bench = Bench::new(Web::default()).await;
    let download = bench.download(&["image.iso"], &checksum());
    let sum = sdk_download::Checksum::parse(&checksum()).expect("good");
    let part = format!("{}.part", download.target.file("", Some(&sum)).display());
    std::fs::write(&part, vec![0; 100_000]).expect("written");
    std::fs::write(
        format!("{part}.note"),
        r#"{"url":"x","validator":null,"archive":null,"unpacked":null}"#,
    )
    .expect("written");
    bench.check(&["image.iso"], &checksum()).await;
    assert_eq!(
        bench.requests(),
        ["image.iso bytes=100000-", "image.iso whole"]
    );
}

#[tokio::test]
async fn a_server_without_ranges_starts_over() {
    let bench = Bench::new(Web {
        cuts: AtomicUsize::new(1),
        plain: true,
        ..Web::default()
    })
    .await;
    bench.check(&["image.iso"], &checksum()).await;
}

#[tokio::test]
async fn the_next_source_is_used_when_one_fails() {
    let bench = Bench::new(Web::default()).await;
    let done = bench.check(&["missing", "image.iso"], &checksum()).await;
    assert!(done.url.ends_with("/image.iso"));
    assert_eq!(bench.requests(), ["missing whole", "image.iso whole"]);
}

#[tokio::test]
async fn the_error_tells_of_every_source() {
    let bench = Bench::new(Web::default()).await;
    let message = bench
        .fails(&["missing", "/nonexistent/x.iso"], &checksum())
        .await;
    assert!(message.starts_with("error downloading ISO: ["), "{message}");
    assert!(message.contains("404 Not Found"), "{message}");
    assert!(
        message.contains("cannot open `/nonexistent/x.iso`"),
        "{message}"
    );
}

#[tokio::test]
async fn a_wrong_checksum_removes_the_file_and_tells_both() {
    let bench = Bench::new(Web::default()).await;
    let wrong = format!("sha1:{}", "0".repeat(40));
    let message = bench.fails(&["image.iso"], &wrong).await;
    assert!(
        message.contains(&format!("expected {wrong}, got {}", checksum())),
        "{message}"
    );
    assert_eq!(bench.endings(), ["iso.lock", "iso.part.note"]);
}

#[tokio::test]
async fn a_damaged_file_in_the_cache_is_replaced() {
    let bench = Bench::new(Web::default()).await;
    let done = bench.check(&["image.iso"], &checksum()).await;
    std::fs::write(&done.path, "damaged").expect("written");
    bench.check(&["image.iso"], &checksum()).await;
    assert_eq!(bench.requests().len(), 2);
}

#[tokio::test]
async fn without_a_checksum_an_unchanged_file_is_used_again() {
    let bench = Bench::new(Web::default()).await;
    bench.check(&["image.iso"], "none").await;
    bench.check(&["image.iso"], "none").await;
    // The second request only asks for the file's facts.
    assert_eq!(bench.requests(), ["image.iso whole", "image.iso whole"]);
}

#[tokio::test]
async fn two_builds_download_once() {
    let gate = Some(tokio::sync::Semaphore::new(0));
    let bench = Bench::new(Web {
        gate,
        ..Web::default()
    })
    .await;
    let sum = checksum();
    let first = bench.check(&["image.iso"], &sum);
    let second = bench.check(&["image.iso"], &sum);
    let opened = async {
        while !bench
            .said
            .lock()
            .expect("not poisoned")
            .iter()
            .any(|text| text.starts_with("Waiting"))
        {
            tokio::task::yield_now().await;
        }
        bench
            .web
            .gate
            .as_ref()
            .expect("there is one")
            .add_permits(2);
    };
    let (first, second, ()) = tokio::join!(first, second, opened);
    assert_eq!(first.path, second.path);
    assert_eq!(bench.requests(), ["image.iso whole"]);
}

#[tokio::test]
async fn a_cancelled_download_ends_and_keeps_its_part() {
    let gate = Some(tokio::sync::Semaphore::new(0));
    let bench = Bench::new(Web {
        gate,
        ..Web::default()
    })
    .await;
    let cx = bench.cx();
    let download = bench.download(&["image.iso"], &checksum());
    let stopped = async {
        while bench.web.requests.lock().expect("not poisoned").is_empty() {
            tokio::task::yield_now().await;
        }
        cx.cancel().cancel();
    };
    let (result, ()) = tokio::join!(download.run(&cx), stopped);
    assert!(sdk_component::Failure::from(result.expect_err("cancelled")).cancelled);
}

#[tokio::test]
async fn a_checksum_file_on_the_web_is_read() {
    let bench = Bench::new(Web::default()).await;
    bench
        .check(&["image.iso"], &format!("file:{}/SUMS", bench.address))
        .await;
    let message = bench
        .fails(&["other.iso"], &format!("file:{}/SUMS", bench.address))
        .await;
    assert!(
        message.contains("has no checksum for `other.iso`"),
        "{message}"
    );
    let message = bench
        .fails(&["image.iso"], &format!("file:{}/missing", bench.address))
        .await;
    assert!(
        message.contains("cannot read the checksum file"),
        "{message}"
    );
}

#[tokio::test]
async fn a_checksum_in_the_query_counts() {
    let bench = Bench::new(Web::default()).await;
    let wrong = format!("image.iso?checksum=sha1:{}", "0".repeat(40));
    let message = bench.fails(&[&wrong], "none").await;
    assert!(message.contains("checksums did not match"), "{message}");
    bench
        .check(&[&format!("image.iso?checksum={}", checksum())], "none")
        .await;
}

#[tokio::test]
async fn a_local_file_is_used_in_place_and_never_removed() {
    let bench = Bench::new(Web::default()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("local.iso");
    std::fs::write(&file, content()).expect("written");
    let text = file.display().to_string();
    assert_eq!(bench.check(&[&text], &checksum()).await.path, file);
    let message = bench
        .fails(&[&text], &format!("sha1:{}", "0".repeat(40)))
        .await;
    assert!(message.contains("checksums did not match"), "{message}");
    assert!(file.exists());
    assert!(bench.endings().is_empty());
}

#[tokio::test]
async fn an_archive_is_verified_packed_and_used_unpacked() {
    let bench = Bench::new(Web::default()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("local.iso.zst");
    let packed = zstd::encode_all(content().as_slice(), 1).expect("packed");
    std::fs::write(&file, &packed).expect("written");
    let sum = format!("sha1:{}", hex::encode(Sha1::digest(&packed)));
    let text = file.display().to_string();
    let first = bench.check(&[&text], &sum).await;
    let made = std::fs::metadata(&first.path)
        .expect("there")
        .modified()
        .expect("known");
    let second = bench.check(&[&text], &sum).await;
    assert_eq!(
        made,
        std::fs::metadata(second.path)
            .expect("there")
            .modified()
            .expect("known")
    );
    assert_eq!(bench.endings(), ["iso", "iso.lock", "iso.note"]);
    let message = bench
        .fails(&[&format!("{text}?archive=false")], &checksum())
        .await;
    assert!(message.contains("checksums did not match"), "{message}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_no_half_file() {
    // Writing to /dev/full fails as a full disk does.
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let bench = Bench::new(Web::default()).await;
    let download = bench.download(&["image.iso"], &checksum());
    let sum = sdk_download::Checksum::parse(&checksum()).expect("good");
    let part = format!("{}.part", download.target.file("", Some(&sum)).display());
    std::os::unix::fs::symlink("/dev/full", &part).expect("linked");
    let message = bench.fails(&["image.iso"], &checksum()).await;
    assert!(message.contains("no space left on the disk"), "{message}");
    assert_eq!(bench.endings(), ["iso.lock"]);
}
