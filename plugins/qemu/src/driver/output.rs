//! The last lines of what a program prints.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Lines that are kept.
const KEPT: usize = 20;
/// A line that never ends is cut here, bytes.
const LONGEST_LINE: usize = 4096;

/// The end of a program's output. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    /// The kept lines.
    pub(crate) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Adds a line.
    pub(crate) fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Reads `stream` to its end; every line goes into the log of `program` too.
    pub(crate) async fn follow(self, stream: impl AsyncRead + Unpin, program: String) {
        let mut reader = BufReader::with_capacity(LONGEST_LINE, stream);
        loop {
            let available = match reader.fill_buf().await {
                Ok([]) | Err(_) => return,
                Ok(bytes) => bytes,
            };
            let (line, used) = match available.iter().position(|byte| *byte == b'\n') {
                Some(end) => (&available[..end], end + 1),
                None => (available, available.len()),
            };
            let line = String::from_utf8_lossy(line).trim_end().to_owned();
            reader.consume(used);
            if !line.is_empty() {
                tracing::info!(program, line, "a program speaks");
                self.push(line);
            }
        }
    }
}
