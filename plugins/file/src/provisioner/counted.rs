//! A file that reports how far reading or writing it has come.

use kiln_sdk::{Event, Progress, ProgressUnit, RunContext};

/// A file that reports its progress to the host.
pub struct Counted {
    file: tokio::fs::File,
    cx: RunContext,
    number: u64,
    label: String,
    total: Option<u64>,
    done: u64,
    reported: u64,
}

/// Bytes between two reports.
const REPORT_BYTES: u64 = 4 << 20;

impl Counted {
    /// A file of `total` bytes, zero when unknown; `label` says what goes on.
    pub fn new(file: tokio::fs::File, cx: RunContext, label: String, total: u64) -> Self {
        let number = cx.link().number();
        let total = (total > 0).then_some(total);
        Self {
            file,
            cx,
            number,
            label,
            total,
            done: 0,
            reported: 0,
        }
    }

    fn add(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if self.done - self.reported >= REPORT_BYTES {
            self.report(false);
        }
    }

    fn report(&mut self, ended: bool) {
        self.reported = self.done;
        self.cx.link().offer(Event::Progress(Progress {
            number: self.number,
            label: self.label.clone(),
            done: self.done,
            total: self.total,
            unit: ProgressUnit::Bytes,
            ended,
        }));
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.reported > 0 {
            self.report(true);
        }
    }
}

impl tokio::io::AsyncRead for Counted {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let result = std::pin::Pin::new(&mut self.file).poll_read(cx, buffer);
        let count = buffer.filled().len() - before;
        self.add(count);
        result
    }
}

impl tokio::io::AsyncWrite for Counted {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        data: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        let result = std::pin::Pin::new(&mut self.file).poll_write(cx, data);
        if let std::task::Poll::Ready(Ok(count)) = &result {
            self.add(*count);
        }
        result
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.file).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.file).poll_shutdown(cx)
    }
}
