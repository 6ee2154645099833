//! Files from web servers, resumed where an earlier attempt ended.

use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use sdk_component::{Meter, RunContext};
use tokio::io::AsyncWriteExt;

use crate::cache::{self, Note};
use crate::error::DownloadError;
use crate::netrc;
use crate::source::{Place, Source};

/// Attempts in a row that bring nothing before a source is given up.
const ATTEMPTS: u32 = 5;
/// Pause before the second attempt; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// A server that is silent for this long is given up.
const SILENCE_LIMIT: Duration = Duration::from_secs(2 * 60);
const SILENCE_VARIABLE: &str = "PACKER_GETTER_READ_TIMEOUT";
/// The largest checksum file that is read.
const TEXT_LIMIT: usize = 16 << 20;

/// A client with our limits; proxies come from the usual environment variables.
///
/// # Errors
///
/// [`DownloadError::Environment`] and [`DownloadError::Client`].
///
/// # Source
///
/// `PACKER_GETTER_READ_TIMEOUT`. Differs: it limits the server's silence, not the whole download,
/// so a slow but steady download of a large image ends well.
pub(crate) fn client() -> Result<Client, DownloadError> {
    let silence = match std::env::var(SILENCE_VARIABLE) {
        Ok(value) if !value.is_empty() => {
            sdk_config::parse_duration(&value).ok_or(DownloadError::Environment {
                name: SILENCE_VARIABLE,
                value,
            })?
        }
        _ => SILENCE_LIMIT,
    };
    Client::builder()
        .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(silence)
        .build()
        .map_err(|source| DownloadError::Client { source })
}

/// Whether the web server of `url` has the file and serves parts of it.
///
/// # Errors
///
/// When `url` is not on the web, or the server cannot be reached or does not have it.
///
/// # Source
///
/// Packer option `iso_skip_cache` of the qemu builder.
pub async fn serves_ranges(cx: &RunContext, url: &str) -> Result<bool, DownloadError> {
    let source = Source::parse(url)?;
    let Place::Web(address) = &source.place else {
        return Err(DownloadError::Url {
            url: url.to_owned(),
            problem: "it must be an http or https URL".to_owned(),
        });
    };
    let request = login(client()?.head(address.clone()), address);
    let response = sent(cx, request, &source.shown).await?;
    let ranges = response.headers().get(ACCEPT_RANGES);
    Ok(ranges.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"bytes")))
}

/// The text behind `source`, for checksum files.
///
/// # Errors
///
/// As for [`Transfer::run`]; there is one attempt more than one only for broken connections.
pub(crate) async fn text(
    cx: &RunContext,
    client: &Client,
    url: &Url,
    shown: &str,
) -> Result<String, DownloadError> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        let request = login(client.get(url.clone()), url);
        let answer = match sent(cx, request, shown).await {
            Ok(response) => short(cx, response, shown).await,
            Err(error) => Err(error),
        };
        match answer {
            Err(error) if attempt < ATTEMPTS && is_passing(&error) => {
                tracing::debug!(%error, attempt, "a request is tried again");
                wait(cx, pause).await?;
                pause *= 2;
                attempt += 1;
            }
            other => return other,
        }
    }
}

async fn short(cx: &RunContext, response: Response, shown: &str) -> Result<String, DownloadError> {
    let mut stream = response.bytes_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = until_cancelled(cx, stream.next()).await? {
        bytes.extend_from_slice(&piece.map_err(|source| broken(shown, source))?);
        if bytes.len() > TEXT_LIMIT {
            return Err(DownloadError::Url {
                url: shown.to_owned(),
                problem: format!("it has more than {TEXT_LIMIT} bytes, so it is no checksum file"),
            });
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a server says about a file without sending it.
pub(crate) struct Facts {
    pub(crate) length: Option<u64>,
    pub(crate) validator: Option<String>,
}

/// Asks about `url`; nothing when the server does not answer the question.
pub(crate) async fn facts(
    cx: &RunContext,
    client: &Client,
    url: &Url,
    shown: &str,
) -> Option<Facts> {
    let response = sent(cx, login(client.head(url.clone()), url), shown)
        .await
        .ok()?;
    let length = response.headers().get(reqwest::header::CONTENT_LENGTH);
    Some(Facts {
        length: length.and_then(|value| value.to_str().ok()?.parse().ok()),
        validator: validator(response.headers()),
    })
}

/// One download into a file that survives interruption.
pub(crate) struct Transfer<'a> {
    pub(crate) client: &'a Client,
    pub(crate) url: &'a Url,
    /// The URL without a password.
    pub(crate) shown: &'a str,
    /// Where the bytes go; what is there is continued when that is safe.
    pub(crate) part: &'a Path,
    /// Whether the whole is verified afterwards, so that a part from any mirror may be continued.
    pub(crate) verified: bool,
}

impl Transfer<'_> {
    /// Downloads until the file is whole; returns what is known about it.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Status`] for an answer that will not change, [`DownloadError::Transfer`]
    /// and [`DownloadError::Cut`] after several attempts without progress,
    /// [`DownloadError::DiskFull`], [`DownloadError::Cancelled`]. Only a full disk removes what is
    /// there; after the others a later run continues.
    pub(crate) async fn run(&self, cx: &RunContext) -> Result<Note, DownloadError> {
        let meter = Meter::bytes(cx, format!("downloading {}", self.shown), None);
        let (mut fruitless, mut pause) = (0, FIRST_PAUSE);
        loop {
            let before = self.have();
            let error = match self.attempt(cx, &meter).await {
                Ok(note) => return Ok(note),
                Err(error) => error,
            };
            if matches!(error, DownloadError::DiskFull { .. }) {
                cache::remove(self.part)?;
                Note::forget(self.part)?;
            }
            if !is_passing(&error) {
                return Err(error);
            }
            if self.have() > before {
                (fruitless, pause) = (0, FIRST_PAUSE);
            }
            fruitless += 1;
            if fruitless >= ATTEMPTS {
                return Err(counted(error, fruitless));
            }
            tracing::debug!(url = self.shown, %error, attempt = fruitless, "a download is tried again");
            wait(cx, pause).await?;
            pause *= 2;
        }
    }

    async fn attempt(&self, cx: &RunContext, meter: &Meter) -> Result<Note, DownloadError> {
        let start = self.resumable();
        let mut request = login(self.client.get(self.url.clone()), self.url);
        if let Some((offset, mark)) = &start {
            request = request.header(RANGE, format!("bytes={offset}-"));
            if let Some(mark) = mark {
                request = request.header(IF_RANGE, mark);
            }
        }
        let response = until_cancelled(cx, request.send())
            .await?
            .map_err(|source| broken(self.shown, source))?;
        let offset = match (response.status(), &start) {
            (StatusCode::PARTIAL_CONTENT, Some((offset, _)))
                if range_start(response.headers()) == Some(*offset) =>
            {
                *offset
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, Some((offset, _))) => {
                if self.verified && range_total(response.headers()) == Some(*offset) {
                    return Ok(self.note(response.headers()));
                }
                // What is there is no beginning of this file, so it starts anew.
                cache::remove(self.part)?;
                return Err(DownloadError::Cut {
                    url: self.shown.to_owned(),
                    received: *offset,
                    expected: range_total(response.headers()).unwrap_or_default(),
                });
            }
            (status, _) if status.is_success() && status != StatusCode::PARTIAL_CONTENT => 0,
            (status, _) => {
                return Err(DownloadError::Status {
                    url: self.shown.to_owned(),
                    status,
                });
            }
        };
        let note = self.note(response.headers());
        note.write(self.part)?;
        self.receive(cx, response, offset, meter).await?;
        Ok(note)
    }

    /// Writes the body of `response` behind the first `offset` bytes of the part.
    async fn receive(
        &self,
        cx: &RunContext,
        response: Response,
        offset: u64,
        meter: &Meter,
    ) -> Result<(), DownloadError> {
        let total = response.content_length().map(|length| offset + length);
        let failed = |source| DownloadError::file("write", self.part, source);
        let mut file = tokio::fs::OpenOptions::new()
            .create(true)
            .append(offset > 0)
            .write(true)
            .truncate(offset == 0)
            .open(self.part)
            .await
            .map_err(failed)?;
        meter.set_total(total);
        let mut received = offset;
        let mut stream = response.bytes_stream();
        let result = loop {
            match until_cancelled(cx, stream.next()).await {
                Err(cancelled) => break Err(cancelled),
                Ok(None) => break Ok(()),
                Ok(Some(Err(source))) => break Err(broken(self.shown, source)),
                Ok(Some(Ok(piece))) => {
                    file.write_all(&piece).await.map_err(failed)?;
                    received += piece.len() as u64;
                    meter.at(received);
                }
            }
        };
        file.flush().await.map_err(failed)?;
        result?;
        match total {
            Some(expected) if received != expected => Err(DownloadError::Cut {
                url: self.shown.to_owned(),
                received,
                expected,
            }),
            _ => Ok(()),
        }
    }

    /// How far the part goes and the mark of its version, when it can be continued.
    fn resumable(&self) -> Option<(u64, Option<String>)> {
        let have = self.have();
        let note = Note::read(self.part)?;
        let same = note.url == fingerprint(self.url.as_str());
        let mark = note.validator.filter(|_| same);
        (have > 0 && (self.verified || mark.is_some())).then_some((have, mark))
    }

    fn have(&self) -> u64 {
        std::fs::metadata(self.part).map_or(0, |facts| facts.len())
    }

    fn note(&self, headers: &HeaderMap) -> Note {
        Note {
            url: fingerprint(self.url.as_str()),
            validator: validator(headers),
            ..Note::default()
        }
    }
}

/// The strong entity tag or the modification date, the two marks `If-Range` takes.
fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    text(ETAG)
        .filter(|tag| !tag.starts_with("W/"))
        .or_else(|| text(LAST_MODIFIED))
}

fn range_start(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    text.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

fn range_total(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    text.rsplit_once('/')?.1.parse().ok()
}

async fn sent(
    cx: &RunContext,
    request: RequestBuilder,
    shown: &str,
) -> Result<Response, DownloadError> {
    let response = until_cancelled(cx, request.send())
        .await?
        .map_err(|source| broken(shown, source))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err(DownloadError::Status {
        url: shown.to_owned(),
        status,
    })
}

fn login(request: RequestBuilder, url: &Url) -> RequestBuilder {
    if !url.username().is_empty() {
        return request;
    }
    match url.host_str().and_then(netrc::login) {
        Some(login) => request.basic_auth(login.user, Some(login.password)),
        None => request,
    }
}

/// Whether trying again may help.
fn is_passing(error: &DownloadError) -> bool {
    match error {
        DownloadError::Transfer { .. } | DownloadError::Cut { .. } => true,
        DownloadError::Status { status, .. } => {
            status.is_server_error()
                || *status == StatusCode::TOO_MANY_REQUESTS
                || *status == StatusCode::REQUEST_TIMEOUT
        }
        _ => false,
    }
}

fn counted(error: DownloadError, attempts: u32) -> DownloadError {
    match error {
        DownloadError::Transfer { url, source, .. } => DownloadError::Transfer {
            url,
            attempts,
            source,
        },
        other => other,
    }
}

/// The URL is in our own message, without its password.
fn broken(shown: &str, source: reqwest::Error) -> DownloadError {
    DownloadError::Transfer {
        url: shown.to_owned(),
        attempts: 1,
        source: source.without_url(),
    }
}

async fn wait(cx: &RunContext, pause: Duration) -> Result<(), DownloadError> {
    until_cancelled(cx, tokio::time::sleep(pause)).await
}

async fn until_cancelled<T>(
    cx: &RunContext,
    work: impl Future<Output = T> + Send,
) -> Result<T, DownloadError> {
    cx.until_cancelled(work)
        .await
        .map_err(|_| DownloadError::Cancelled)
}
/// Tells one URL from another without showing it: it may hold a password.
fn fingerprint(url: &str) -> String {
    hex::encode(<sha2::Sha256 as sha2::Digest>::digest(url.as_bytes()))
}
