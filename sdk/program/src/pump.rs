//! From a program's pipes to lines and texts.

use bytes::Bytes;
use sdk_communicator::{Line, LineSplitter, Output};
use sdk_component::RunContext;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;

use crate::program::Listener;

/// Bytes of standard output that are kept of a program that prints what is wanted.
const RESULT_KEPT: usize = 16 << 20;
/// Bytes that are kept of what is said: standard error, and whatever is shown.
const TALK_KEPT: usize = 64 << 10;

/// Whether the person building sees what a program prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Lines,
    Nothing,
}

/// Reads a pipe to its end.
pub(crate) async fn pump(
    mut pipe: impl AsyncRead + Unpin,
    sender: mpsc::Sender<Output>,
    wrap: fn(Bytes) -> Output,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let piece = Bytes::copy_from_slice(&buffer[..count]);
        if sender.send(wrap(piece)).await.is_err() {
            break;
        }
    }
}

/// What a program printed so far.
pub(crate) struct Heard {
    shown: Shown,
    listener: Option<Listener>,
    splitter: LineSplitter,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Heard {
    pub(crate) fn new(shown: Shown, listener: Option<Listener>) -> Self {
        Self {
            shown,
            listener,
            splitter: LineSplitter::default(),
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    pub(crate) async fn take(&mut self, cx: &RunContext, output: &Output) {
        if let (Some(listener), Output::Stdout(data)) = (&self.listener, output) {
            listener(data);
        }
        match (output, self.shown) {
            (Output::Stdout(data), Shown::Nothing) => keep(&mut self.stdout, data, RESULT_KEPT),
            (Output::Stdout(data), Shown::Lines) => keep(&mut self.stdout, data, TALK_KEPT),
            (Output::Stderr(data), _) => keep(&mut self.stderr, data, TALK_KEPT),
        }
        if self.shown == Shown::Lines {
            say(cx, self.splitter.push(output)).await;
        }
    }

    /// The texts of standard output and standard error.
    pub(crate) async fn finish(self, cx: &RunContext) -> (String, String) {
        if self.shown == Shown::Lines {
            say(cx, self.splitter.finish()).await;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&self.stdout), text(&self.stderr))
    }
}

/// Adds to a text of which only the end is kept.
fn keep(kept: &mut Vec<u8>, data: &[u8], most: usize) {
    kept.extend_from_slice(data);
    // Cut rarely: moving the rest costs as much as the rest is long.
    if kept.len() > most * 2 {
        kept.drain(..kept.len() - most);
    }
}

async fn say(cx: &RunContext, lines: Vec<Line>) {
    for line in lines {
        match line {
            Line::Stdout(text) => cx.say(text).await,
            Line::Stderr(text) => cx.error(text).await,
        }
    }
}
