//! A file that reports how far reading or writing it has come.

use kiln_sdk::{Meter, RunContext};

/// A file that reports its progress to the host.
pub struct Counted {
    file: tokio::fs::File,
    meter: Meter,
}

impl Counted {
    /// A file of `total` bytes, zero when unknown; `label` says what goes on.
    pub fn new(file: tokio::fs::File, cx: &RunContext, label: String, total: u64) -> Self {
        let meter = Meter::bytes(cx, label, (total > 0).then_some(total));
        Self { file, meter }
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
        self.meter.add(count as u64);
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
            self.meter.add(*count as u64);
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
