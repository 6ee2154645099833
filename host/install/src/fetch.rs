//! Reading from web servers: short lists, and archives that are resumed where they broke off.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LINK, RANGE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use rustix::fs::{FlockOperation, flock};

use crate::error::InstallError;
use crate::progress::Meter;

/// Attempts in a row that bring nothing before a server is given up.
const ATTEMPTS: u32 = 4;
/// Pause before the second attempt; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// A server that is silent for this long is given up.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
/// The longest list that is read, in bytes.
const LIST_LIMIT: u64 = 16 << 20;
/// The largest archive, in bytes.
pub(crate) const ARCHIVE_LIMIT: u64 = 2 << 30;
const REDIRECT_LIMIT: usize = 10;
/// How long another process may work on the same archive.
const BUSY_LIMIT: Duration = Duration::from_secs(30 * 60);
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// A client for the web. Nothing else in kiln's installing touches the network.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    client: Client,
    token: Option<HeaderValue>,
}

/// A list and what came with it.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) bytes: Vec<u8>,
    /// The next part of the list.
    pub(crate) next: Option<Url>,
}

impl Web {
    /// A client; proxies come from the usual environment variables. `token` is for GitHub.
    pub(crate) fn new(token: Option<&str>) -> Result<Self, InstallError> {
        let token = token.filter(|token| !token.is_empty()).map(|token| {
            HeaderValue::from_str(&format!("Bearer {token}")).map(|mut value| {
                value.set_sensitive(true);
                value
            })
        });
        let client = Client::builder()
            .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(SILENCE_LIMIT)
            .redirect(reqwest::redirect::Policy::custom(follow))
            .build()
            .map_err(InstallError::Client)?;
        Ok(Self {
            client,
            token: token.transpose().map_err(|_| InstallError::Token)?,
        })
    }

    /// A list that is not long.
    pub(crate) async fn list(&self, url: &Url) -> Result<List, InstallError> {
        self.tried(url, || self.list_once(url, None)).await
    }

    /// A list of GitHub's programming interface, with the user's token where that is safe.
    pub(crate) async fn github_list(&self, url: &Url) -> Result<List, InstallError> {
        let local = url.host_str().is_some_and(is_loopback);
        let token = self.token.as_ref();
        let token = token.filter(|_| url.scheme() == "https" || local);
        self.tried(url, || self.list_once(url, token)).await
    }

    async fn tried<F>(&self, url: &Url, attempt: impl Fn() -> F) -> Result<List, InstallError>
    where
        F: Future<Output = Result<List, InstallError>>,
    {
        let mut pause = FIRST_PAUSE;
        for number in 1.. {
            match attempt().await {
                Err(error) if number < ATTEMPTS && is_passing(&error) => {
                    tracing::debug!(%url, %error, number, "a request is tried again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                other => return other,
            }
        }
        unreachable!("the last attempt returns")
    }

    async fn list_once(
        &self,
        url: &Url,
        token: Option<&HeaderValue>,
    ) -> Result<List, InstallError> {
        let mut request = self.client.get(url.clone());
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        let response = request.send().await.map_err(|error| web(url, error))?;
        if response.status() == StatusCode::UNAUTHORIZED && token.is_some() {
            return Err(InstallError::Token);
        }
        let response = successful(url, response)?;
        let next = next_page(url, response.headers());
        let mut bytes = Vec::new();
        let mut body = response.bytes_stream();
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.map_err(|error| web(url, error))?);
            if bytes.len() as u64 > LIST_LIMIT {
                return Err(InstallError::TooLong {
                    url: shown(url),
                    limit: LIST_LIMIT,
                });
            }
        }
        Ok(List { bytes, next })
    }

    /// Downloads an archive to `part`, going on with what is there: the whole is verified
    /// afterwards, so that it does not matter where the beginning came from.
    pub(crate) async fn archive(
        &self,
        url: &Url,
        part: &mut Part,
        meter: &Meter<'_>,
    ) -> Result<(), InstallError> {
        let (mut fruitless, mut pause) = (0, FIRST_PAUSE);
        loop {
            let before = part.length()?;
            let error = match self.archive_once(url, part, meter).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if part.length()? > before {
                (fruitless, pause) = (0, FIRST_PAUSE);
            }
            fruitless += 1;
            if fruitless >= ATTEMPTS || !is_passing(&error) {
                return Err(error);
            }
            tracing::debug!(%url, %error, fruitless, "a download is tried again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn archive_once(
        &self,
        url: &Url,
        part: &mut Part,
        meter: &Meter<'_>,
    ) -> Result<(), InstallError> {
        let start = part.length()?;
        let mut request = self.client.get(url.clone());
        if start > 0 {
            request = request.header(RANGE, format!("bytes={start}-"));
        }
        let response = request.send().await.map_err(|error| web(url, error))?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if start > 0 => {}
            StatusCode::RANGE_NOT_SATISFIABLE if start > 0 => {
                // It is whole, or of no use; its checksum will tell.
                return Ok(());
            }
            _ => part.restart()?,
        }
        let response = successful(url, response)?;
        let start = part.length()?;
        let total = response.content_length().map(|length| start + length);
        let mut body = response.bytes_stream();
        let mut done = start;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| InstallError::Cut {
                url: shown(url),
                received: done,
            })?;
            done += piece.len() as u64;
            if done > ARCHIVE_LIMIT {
                return Err(InstallError::TooLong {
                    url: shown(url),
                    limit: ARCHIVE_LIMIT,
                });
            }
            part.append(&piece)?;
            meter.at(done, total);
        }
        match total {
            Some(total) if done < total => Err(InstallError::Cut {
                url: shown(url),
                received: done,
            }),
            _ => Ok(()),
        }
    }
}

/// Follows redirects, but never from a safe connection to one that everybody can read.
fn follow(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECT_LIMIT {
        return attempt.error("it leads from one address to the next without end");
    }
    let was_safe = attempt
        .previous()
        .last()
        .is_some_and(|url| url.scheme() == "https");
    match attempt.url().scheme() {
        "https" => attempt.follow(),
        "http" if !was_safe => attempt.follow(),
        _ => attempt.error("it leads to an address that is not safe"),
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn web(url: &Url, source: reqwest::Error) -> InstallError {
    InstallError::Web {
        url: shown(url),
        source: source.without_url(),
    }
}

fn successful(url: &Url, response: Response) -> Result<Response, InstallError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let left = response.headers().get("x-ratelimit-remaining");
    let none_left = left.is_some_and(|left| left.as_bytes() == b"0");
    let reset = || reset_time(response.headers());
    if none_left && matches!(status.as_u16(), 403 | 429) {
        return Err(InstallError::RateLimit { reset: reset() });
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(InstallError::TooMany {
            url: shown(url),
            reset: reset(),
        });
    }
    Err(InstallError::Status {
        url: shown(url),
        status,
    })
}

/// When a server takes requests again, as it says in one of two ways.
fn reset_time(headers: &HeaderMap) -> Option<String> {
    let number = |name: &str| -> Option<i64> { headers.get(name)?.to_str().ok()?.parse().ok() };
    let wait = number(RETRY_AFTER.as_str());
    let after = wait.and_then(|wait| jiff::Timestamp::now().as_second().checked_add(wait));
    let seconds = after.or_else(|| number("x-ratelimit-reset"))?;
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.strftime("%H:%M:%S UTC").to_string())
}

/// An address without the name and the password that may be in it.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let cleared = url.set_password(None).and_then(|()| url.set_username(""));
    if cleared.is_err() {
        tracing::debug!("an address without a server has neither name nor password");
    }
    url.to_string()
}

/// The next part of a list that comes in parts, when it is on the same server.
fn next_page(url: &Url, headers: &HeaderMap) -> Option<Url> {
    let links = headers.get(LINK)?.to_str().ok()?;
    let mut next = links.split(',').filter_map(|link| {
        let (target, rest) = link.split_once(';')?;
        let target = target.trim().strip_prefix('<')?.strip_suffix('>')?;
        rest.contains("rel=\"next\"")
            .then(|| url.join(target).ok())?
    });
    next.next().filter(|next| next.origin() == url.origin())
}

/// Whether the same request may succeed later.
fn is_passing(error: &InstallError) -> bool {
    match error {
        InstallError::Cut { .. } => true,
        InstallError::Web { source, .. } => !source.is_builder() && !source.is_redirect(),
        InstallError::Status { status, .. } => {
            status.is_server_error() || matches!(status.as_u16(), 408 | 425)
        }
        _ => false,
    }
}

/// The beginning of an archive, on disk. One process at a time has it.
#[derive(Debug)]
pub(crate) struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    /// Opens the part of the archive with this checksum; what an earlier run left of it is kept.
    pub(crate) async fn open(folder: &Path, sha256: &str) -> Result<Self, InstallError> {
        let path = folder.join(format!("{sha256}.part"));
        let failed = |error: io::Error| InstallError::file("write", &path, error);
        std::fs::create_dir_all(folder)
            .map_err(|error| InstallError::file("create folder", folder, error))?;
        let mut waited = Duration::ZERO;
        loop {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .map_err(failed)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                // Somebody may have removed it between opening and locking.
                Ok(()) if path.exists() => return Ok(Self { path, file }),
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) if waited >= BUSY_LIMIT => {
                    return Err(InstallError::Busy { path, waited });
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                    waited += BUSY_PAUSE;
                }
                Err(error) => return Err(failed(error.into())),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn length(&self) -> Result<u64, InstallError> {
        let facts = self.file.metadata();
        facts
            .map(|facts| facts.len())
            .map_err(|error| InstallError::file("read", &self.path, error))
    }

    /// Forgets what is there.
    pub(crate) fn restart(&mut self) -> Result<(), InstallError> {
        self.file
            .set_len(0)
            .map_err(|error| InstallError::file("write", &self.path, error))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), InstallError> {
        self.file.write_all(bytes).map_err(|error| {
            if error.kind() == io::ErrorKind::StorageFull {
                // What is there is of no use on a full disk.
                drop(std::fs::remove_file(&self.path));
            }
            InstallError::file("write", &self.path, error)
        })
    }

    /// Adds all of a file of this machine.
    pub(crate) fn append_all(&mut self, from: &mut File, path: &Path) -> Result<(), InstallError> {
        io::copy(from, &mut self.file)
            .map(drop)
            .map_err(|error| InstallError::file("copy", path, error))
    }

    /// Removes it: it is of no use any more.
    pub(crate) fn remove(self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "cannot remove a download");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_part_is_only_taken_from_the_same_server() {
        let url = Url::parse("https://api.example/a?page=1").unwrap();
        let check = |link: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, HeaderValue::from_str(link).unwrap());
            let next = next_page(&url, &headers);
            assert_eq!(next.as_ref().map(Url::as_str), expected, "{link}");
        };
        check(
            "<https://api.example/a?page=9>; rel=\"last\", </a?page=2>; rel=\"next\"",
            Some("https://api.example/a?page=2"),
        );
        check("<https://evil.example/a>; rel=\"next\"", None);
        check("nonsense", None);
    }

    #[test]
    fn loopback_is_this_machine() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.com", "10.0.0.1", "127.0.0.1.example.com"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[tokio::test]
    async fn a_part_is_kept_between_runs() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = Part::open(folder.path(), "abc").await.unwrap();
        part.append(b"12").unwrap();
        drop(part);
        let mut part = Part::open(folder.path(), "abc").await.unwrap();
        part.append(b"34").unwrap();
        assert_eq!(std::fs::read(part.path()).unwrap(), b"1234");
        part.restart().unwrap();
        assert_eq!(part.length().unwrap(), 0);
        part.remove();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
