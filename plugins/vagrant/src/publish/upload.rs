//! A box on its way to a server.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use kiln_sdk::{Failure, Meter, RunContext, Secret};
use reqwest::{Body, Client};
use tokio_util::io::ReaderStream;

use super::service::answer;

/// How often it is tried.
const TRIES: u32 = 3;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 << 10;
/// A server that takes nothing for this long is given up.
const STALL_LIMIT: Duration = Duration::from_secs(2 * 60);
/// The largest box that goes to the storage directly, in bytes.
///
/// # Source
///
/// Packer's `vagrant-cloud` and `vagrant-registry`: 5 GiB.
pub(super) const DIRECT_LIMIT: u64 = 5 << 30;

/// Where a box goes.
pub(super) struct Upload<'a> {
    pub(super) client: &'a Client,
    /// May let anybody write there, so that it is a secret.
    pub(super) url: &'a Secret<String>,
    /// The key to show; empty for none.
    pub(super) token: &'a Secret<String>,
    pub(super) file: &'a Path,
    /// Time between two tries.
    pub(super) pause: Duration,
}

impl Upload<'_> {
    /// Uploads the box, more than once when that is needed.
    pub(super) async fn run(&self, cx: &RunContext) -> Result<(), Failure> {
        cx.say(format!("Uploading box: {}", self.file.display()))
            .await;
        cx.secret(self.url.expose().as_str()).await;
        let mut last = String::new();
        for attempt in 1..=TRIES {
            cx.say("Uploading box").await;
            match cx.until_cancelled(self.attempt(cx)).await? {
                Ok(()) => {
                    cx.say("Box successfully uploaded").await;
                    return Ok(());
                }
                Err(problem) => last = problem,
            }
            if attempt < TRIES {
                let seconds = self.pause.as_secs();
                cx.say(format!(
                    "Error uploading box! Will retry in {seconds} seconds. Error: {last}"
                ))
                .await;
                cx.until_cancelled(tokio::time::sleep(self.pause)).await?;
            }
        }
        Err(Failure::new(format!(
            "cannot upload `{}` in {TRIES} tries: {last}",
            self.file.display()
        )))
    }

    async fn attempt(&self, cx: &RunContext) -> Result<(), String> {
        let file = tokio::fs::File::open(self.file).await;
        let file = file.map_err(|error| error.to_string())?;
        let facts = file.metadata().await.map_err(|error| error.to_string())?;
        let total = facts.len();
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let meter = Meter::bytes(cx, format!("uploading {name}"), Some(total));
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let stream = ReaderStream::with_capacity(file, CHUNK_BYTES);
        let stream = stream.inspect_ok(move |chunk: &Bytes| {
            counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            meter.add(chunk.len() as u64);
        });
        let mut request = self
            .client
            .put(self.url.expose())
            .header("content-length", total)
            .body(Body::wrap_stream(stream));
        if !self.token.is_empty() {
            request = request
                .header("content-type", "application/json")
                .bearer_auth(self.token.expose());
        }
        tokio::select! {
            answer = answer(request) => match answer? {
                answer if answer.status == 200 => Ok(()),
                answer => Err(format!("bad HTTP status: {}", answer.status)),
            },
            () = stalled(&sent, total) => Err(format!(
                "the server took nothing for {} seconds",
                STALL_LIMIT.as_secs()
            )),
        }
    }
}

/// Waits until nothing was sent for a while though there is more to send.
async fn stalled(sent: &AtomicU64, total: u64) {
    let mut before = u64::MAX;
    loop {
        let now = sent.load(Ordering::Relaxed);
        if now == before && now < total {
            return;
        }
        before = now;
        tokio::time::sleep(STALL_LIMIT).await;
    }
}

/// Whether the box may go to the storage directly; says why when it may not.
pub(super) async fn goes_directly(cx: &RunContext, file: &Path) -> bool {
    let large = file
        .metadata()
        .is_ok_and(|facts| facts.len() > DIRECT_LIMIT);
    if large {
        cx.say(format!(
            "{} is too large to go to the storage directly, and goes through the service",
            file.display()
        ))
        .await;
    }
    !large
}
