//! One PowerShell in the guest that takes lines and says in the end what it got.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sdk_communicator::{CommunicatorError, Exit, Output};
use sha2::{Digest, Sha256};

use crate::error::AttemptError;
use crate::exec::watch;
use crate::shell::Shell;
use crate::wsman::{End, Input};

/// How long a guest that takes no more input may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// The most that is kept of what a script says, in bytes.
const KEPT_BYTES: usize = 64 * 1024;

/// Why lines stopped.
pub(super) enum FeedError {
    /// What is sent cannot be read.
    Local(CommunicatorError),
    /// The guest or the connection.
    Remote(AttemptError),
}

impl From<AttemptError> for FeedError {
    fn from(error: AttemptError) -> Self {
        Self::Remote(error)
    }
}

impl From<CommunicatorError> for FeedError {
    fn from(error: CommunicatorError) -> Self {
        Self::Local(error)
    }
}

/// Lines on their way to the guest, joined until an envelope is full.
pub(super) struct Lines<'a> {
    shell: &'a Shell,
    waiting: Vec<u8>,
    room: usize,
    hash: Sha256,
}

impl Lines<'_> {
    /// The most bytes of a file that one line may hold, so that it fits into an envelope.
    pub(super) fn data_bytes(room: usize) -> usize {
        // Its own base64, and room for the line about the place.
        room.saturating_sub(256) / 4 * 3
    }

    /// Adds a line that begins with `kind` and goes on with `text`.
    pub(super) async fn add(&mut self, kind: char, text: &str) -> Result<(), AttemptError> {
        self.line(kind, text.as_bytes()).await
    }

    /// Adds a line with a path.
    pub(super) async fn path(&mut self, kind: char, path: &str) -> Result<(), AttemptError> {
        self.line(kind, STANDARD.encode(path).as_bytes()).await
    }

    /// Adds bytes of the file; at most [`Lines::data_bytes`].
    pub(super) async fn data(&mut self, data: &[u8]) -> Result<(), AttemptError> {
        self.hash.update(data);
        self.line('=', STANDARD.encode(data).as_bytes()).await
    }

    async fn line(&mut self, kind: char, text: &[u8]) -> Result<(), AttemptError> {
        if self.waiting.len() + text.len() + 3 > self.room {
            self.shell.send(&self.waiting, End::No).await?;
            self.waiting.clear();
        }
        let mut start = [0; 4];
        self.waiting
            .extend_from_slice(kind.encode_utf8(&mut start).as_bytes());
        self.waiting.extend_from_slice(text);
        self.waiting.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Sends what waits and ends the input; returns the hash of all data.
    async fn end(self) -> Result<String, AttemptError> {
        self.shell.send(&self.waiting, End::Yes).await?;
        Ok(hex::encode(self.hash.finalize()))
    }
}

/// How much text fits into one envelope of `envelope` bytes: it is encoded in base64, and the
/// envelope's other parts and the seal need room too.
pub(super) fn room(envelope: u32) -> usize {
    let envelope = usize::try_from(envelope).unwrap_or(usize::MAX);
    (envelope / 10 * 9).saturating_sub(4096) / 4 * 3
}

/// Starts `line`, has `feed` send lines to it, and checks what the guest says it got. Returns the
/// length of the last file.
pub(super) async fn send<F>(
    mut shell: Shell,
    line: &str,
    room: usize,
    operation: &str,
    feed: F,
) -> Result<u64, CommunicatorError>
where
    F: AsyncFnOnce(&mut Lines<'_>) -> Result<(), FeedError>,
{
    let refused = |message: String| CommunicatorError::Refused {
        operation: operation.to_owned(),
        message,
    };
    shell
        .start(line, Input::Pipe)
        .await
        .map_err(|error| refused(error.to_string()))?;
    let mut said = Said::default();
    let ended = {
        let feed = async {
            let mut lines = Lines {
                shell: &shell,
                waiting: Vec::with_capacity(room),
                room,
                hash: Sha256::new(),
            };
            feed(&mut lines).await?;
            lines.end().await.map_err(FeedError::from)
        };
        let watch = watch(&shell, |output| {
            said.keep(output);
            std::future::ready(())
        });
        both(feed, watch, operation).await?
    };
    if !matches!(ended.exit, Exit::Disconnected(_)) {
        shell.ended();
    }
    shell.close().await;
    said.judge(&ended.exit, operation)?;
    let Some(hash) = ended.hash else {
        return Err(refused("the guest stopped reading".to_owned()));
    };
    let (length, arrived) = said.report().ok_or_else(|| {
        refused(format!(
            "the guest did not say what arrived, but: {}",
            said.stdout.trim()
        ))
    })?;
    if arrived != hash {
        let text = "what arrived is not what was sent (SHA-256 differs)";
        return Err(refused(text.to_owned()));
    }
    Ok(length)
}

struct Ended {
    exit: Exit,
    /// Hash of what was sent, when all of it was.
    hash: Option<String>,
}

async fn both(
    feed: impl Future<Output = Result<String, FeedError>>,
    watch: impl Future<Output = Exit>,
    operation: &str,
) -> Result<Ended, CommunicatorError> {
    tokio::pin!(feed, watch);
    let fed = tokio::select! {
        biased;
        fed = &mut feed => fed,
        exit = &mut watch => return after_exit(exit, feed).await,
    };
    match fed {
        Ok(hash) => Ok(Ended {
            exit: watch.await,
            hash: Some(hash),
        }),
        Err(FeedError::Local(error)) => Err(error),
        // The script knows better why it takes no more.
        Err(FeedError::Remote(error)) => match tokio::time::timeout(LAST_WORDS, watch).await {
            Ok(exit) => Ok(Ended { exit, hash: None }),
            Err(_) => Err(CommunicatorError::Broken {
                operation: operation.to_owned(),
                seen: error.to_string(),
            }),
        },
    }
}

/// The script ended. When it ended well, it has read everything, and only the answer to the last
/// piece may still be on its way.
async fn after_exit(
    exit: Exit,
    feed: std::pin::Pin<&mut impl Future<Output = Result<String, FeedError>>>,
) -> Result<Ended, CommunicatorError> {
    if exit != Exit::Code(0) {
        return Ok(Ended { exit, hash: None });
    }
    match tokio::time::timeout(LAST_WORDS, feed).await {
        Ok(Ok(hash)) => Ok(Ended {
            exit,
            hash: Some(hash),
        }),
        Ok(Err(FeedError::Local(error))) => Err(error),
        Ok(Err(FeedError::Remote(_))) | Err(_) => Ok(Ended { exit, hash: None }),
    }
}

/// What a script printed.
#[derive(Default)]
pub(super) struct Said {
    pub(super) stdout: String,
    stderr: String,
}

impl Said {
    pub(super) fn keep(&mut self, output: Vec<Output>) {
        for piece in output {
            let (text, bytes) = match &piece {
                Output::Stdout(bytes) => (&mut self.stdout, bytes),
                Output::Stderr(bytes) => (&mut self.stderr, bytes),
            };
            if text.len() < KEPT_BYTES {
                text.push_str(&String::from_utf8_lossy(bytes));
            }
        }
    }

    /// # Errors
    ///
    /// When the script did not end well; in its words.
    pub(super) fn judge(&self, exit: &Exit, operation: &str) -> Result<(), CommunicatorError> {
        let operation = operation.to_owned();
        match exit {
            Exit::Code(0) => Ok(()),
            Exit::Disconnected(seen) => Err(CommunicatorError::Broken {
                operation,
                seen: seen.clone(),
            }),
            exit => {
                let text = match (self.stderr.trim(), self.stdout.trim()) {
                    ("", "") => format!("PowerShell ended with {exit:?} and said nothing"),
                    ("", said) | (said, _) => said.to_owned(),
                };
                Err(CommunicatorError::Refused {
                    operation,
                    message: text,
                })
            }
        }
    }

    /// Length and hash of what arrived.
    fn report(&self) -> Option<(u64, String)> {
        let line = self
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("done "))?;
        let (length, hash) = line.trim().split_once(' ')?;
        let hash = hash.replace('-', "").to_ascii_lowercase();
        Some((length.parse().ok()?, hash))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sdk_communicator::{Exit, Output};

    use super::{Lines, Said, both, room};

    #[test]
    fn data_that_fills_a_line_fits_into_an_envelope() {
        for envelope in [38_400, 153_600, 512_000, 4 * 1024 * 1024] {
            let room = room(envelope);
            let line = Lines::data_bytes(room).div_ceil(3) * 4 + 3;
            assert!(line <= room, "{envelope}");
            let sent = room.div_ceil(3) * 4 + 4096;
            assert!(sent <= envelope as usize, "{envelope}");
        }
    }

    #[test]
    fn the_scripts_words_are_the_error() {
        let mut said = Said::default();
        said.keep(vec![Output::Stderr(Bytes::from_static(
            b"Access denied\r\n",
        ))]);
        let error = said.judge(&Exit::Code(1), "upload of x").unwrap_err();
        assert_eq!(error.to_string(), "upload of x failed: Access denied");
        assert!(said.judge(&Exit::Code(0), "x").is_ok());
        let gone = Exit::Disconnected("gone".to_owned());
        let error = said.judge(&gone, "upload of x").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the connection broke during upload of x: gone"
        );
    }

    #[tokio::test]
    async fn a_script_may_end_before_the_last_answer_arrives() {
        let late = async {
            tokio::task::yield_now().await;
            Ok("hash".to_owned())
        };
        let watch = async |code| Exit::Code(code);
        let ended = both(late, watch(0), "x").await.ok().unwrap();
        assert_eq!(ended.hash.as_deref(), Some("hash"));
        let never = std::future::pending();
        let ended = both(never, watch(1), "x").await.ok().unwrap();
        assert_eq!((ended.exit, ended.hash), (Exit::Code(1), None));
    }

    #[test]
    fn the_report_is_found_between_other_lines() {
        let mut said = Said::default();
        said.keep(vec![Output::Stdout(Bytes::from_static(
            b"noise\r\ndone 5 AB-01\r\n",
        ))]);
        assert_eq!(said.report(), Some((5, "ab01".to_owned())));
    }
}
