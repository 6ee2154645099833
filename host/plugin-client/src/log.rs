//! What a plugin writes on its standard error: log lines.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};

use crate::error::LogTail;

/// How many lines are kept for error messages.
const KEPT_LINES: usize = 20;
/// A kept line is cut after this many bytes.
const KEPT_BYTES: usize = 1024;
/// A line is read up to this many bytes; the rest of it is thrown away.
const LINE_LIMIT: usize = 64 * 1024;

/// The last lines of one process. Clones are the same ring.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogRing(Arc<Mutex<VecDeque<String>>>);

impl LogRing {
    /// Keeps a line, and forgets the oldest one when there are too many.
    pub(crate) fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(cut(line).to_owned());
    }

    /// The kept lines in a form for people.
    pub(crate) fn tail(&self) -> LogTail {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        LogTail(lines.iter().map(|line| readable(line)).collect())
    }
}

fn cut(line: &str) -> &str {
    let end = (0..=KEPT_BYTES.min(line.len()))
        .rev()
        .find(|&at| line.is_char_boundary(at));
    &line[..end.unwrap_or(0)]
}

fn readable(line: &str) -> String {
    parse(line).map_or_else(
        || line.to_owned(),
        |entry| format!("{} {}{}", entry.level, entry.message, entry.fields),
    )
}

/// Reads lines until the end. Every line is kept in `ring` and told to the host's own log.
pub(crate) async fn forward(plugin: String, stream: impl AsyncRead + Unpin, ring: LogRing) {
    let mut lines = Lines::new(stream);
    loop {
        match lines.next().await {
            Ok(Some(line)) if line.is_empty() => {}
            Ok(Some(line)) => {
                ring.push(&line);
                emit(&plugin, &line);
            }
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(plugin, %error, "cannot read the plugin's log");
                return;
            }
        }
    }
}

fn emit(plugin: &str, line: &str) {
    if !tracing::enabled!(tracing::Level::ERROR) {
        return;
    }
    let Some(entry) = parse(line) else {
        tracing::warn!(plugin, line, "unexpected output of the plugin");
        return;
    };
    let Entry {
        level,
        message,
        fields,
    } = entry;
    match level.as_str() {
        "ERROR" => tracing::error!(plugin, "{message}{fields}"),
        "WARN" => tracing::warn!(plugin, "{message}{fields}"),
        "INFO" => tracing::info!(plugin, "{message}{fields}"),
        "DEBUG" => tracing::debug!(plugin, "{message}{fields}"),
        _ => tracing::trace!(plugin, "{message}{fields}"),
    }
}

struct Entry {
    level: String,
    message: String,
    /// ` name=value …`; empty when there are none.
    fields: String,
}

/// Reads a line as the JSON formatter of `tracing-subscriber` writes it, with the fields of the
/// event in an object of their own or beside the level.
fn parse(line: &str) -> Option<Entry> {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(line) else {
        return None;
    };
    let level = object.get("level")?.as_str()?.to_uppercase();
    let own = object.get("fields").and_then(Value::as_object);
    let message = own
        .and_then(|fields| fields.get("message"))
        .or_else(|| object.get("message"));
    let message = message
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let fields = own.map_or_else(
        || joined(&object, &OUTER),
        |fields| joined(fields, &["message"]),
    );
    Some(Entry {
        level,
        message,
        fields,
    })
}

const OUTER: [&str; 6] = ["timestamp", "level", "message", "target", "span", "spans"];

fn joined(fields: &Map<String, Value>, except: &[&str]) -> String {
    let shown = fields
        .iter()
        .filter(|(name, _)| !except.contains(&name.as_str()));
    shown
        .map(|(name, value)| match value {
            Value::String(text) => format!(" {name}={text}"),
            other => format!(" {name}={other}"),
        })
        .collect()
}

/// Lines of a stream, each limited in length; what is not UTF-8 is replaced.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of `stream`.
    pub(crate) fn new(stream: R) -> Self {
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// The next line without its end; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        if !read_limited(&mut self.reader, &mut line).await? {
            return Ok(None);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

/// Reads up to and without the next line feed; bytes over the limit are thrown away. False at the
/// end of the stream.
async fn read_limited(
    reader: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut any = false;
    loop {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let taken = end.unwrap_or(chunk.len());
        let room = LINE_LIMIT.saturating_sub(line.len()).min(taken);
        line.extend_from_slice(&chunk[..room]);
        reader.consume(end.map_or(taken, |at| at + 1));
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let ring = LogRing::default();
        ring.push(line);
        assert_eq!(ring.tail().0, [expected]);
    }

    #[test]
    fn json_lines_are_shown_as_text() {
        check(
            r#"{"timestamp":"t","level":"WARN","fields":{"message":"disk is slow","tries":3},"target":"x"}"#,
            "WARN disk is slow tries=3",
        );
        check(
            r#"{"timestamp":"t","level":"info","message":"up","port":"22","target":"x"}"#,
            "INFO up port=22",
        );
    }

    #[test]
    fn other_lines_are_shown_as_they_are() {
        check("thread 'main' panicked", "thread 'main' panicked");
        check("{\"a\":1}", "{\"a\":1}");
    }

    #[test]
    fn only_the_last_twenty_lines_are_kept() {
        let ring = LogRing::default();
        (0..50).for_each(|n| ring.push(&n.to_string()));
        let tail = ring.tail().0;
        assert_eq!(
            (tail.len(), tail[0].as_str(), tail[19].as_str()),
            (20, "30", "49")
        );
    }

    #[test]
    fn kept_lines_are_cut_between_characters() {
        let ring = LogRing::default();
        ring.push(&"ä".repeat(2000));
        assert_eq!(ring.tail().0[0].len(), 1024);
    }

    #[tokio::test]
    async fn overlong_lines_lose_their_rest() {
        let text = format!("{}\nnext\r\nlast", "x".repeat(LINE_LIMIT + 10));
        let mut lines = Lines::new(text.as_bytes());
        assert_eq!(lines.next().await.unwrap().unwrap().len(), LINE_LIMIT);
        assert_eq!(lines.next().await.unwrap().unwrap(), "next");
        assert_eq!(lines.next().await.unwrap().unwrap(), "last");
        assert!(lines.next().await.unwrap().is_none());
    }
}
