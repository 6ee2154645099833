//! The machine of the `file` builder: there is none, and everything asked of it succeeds.
//!
//! Templates for other builders are tried out with the `file` builder, provisioners included.

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use kiln_sdk::Communicator;
use kiln_sdk::communicator::{
    Command, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use tokio::sync::mpsc;

/// Swallows everything.
pub struct Nowhere;

fn failed(operation: &str) -> impl FnOnce(std::io::Error) -> CommunicatorError {
    let operation = operation.to_owned();
    move |source| CommunicatorError::Io { operation, source }
}

#[async_trait]
impl Communicator for Nowhere {
    async fn exec(
        &self,
        _command: Command,
        _output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        Ok(Exit::Code(0))
    }

    async fn upload(
        &self,
        target: FileTarget,
        mut source: Reader,
    ) -> Result<u64, CommunicatorError> {
        let mut sink = tokio::io::sink();
        tokio::io::copy(&mut source, &mut sink)
            .await
            .map_err(failed(&format!("upload of {}", target.path)))
    }

    async fn download(&self, path: &str, mut sink: Writer) -> Result<u64, CommunicatorError> {
        tokio::io::AsyncWriteExt::shutdown(&mut sink)
            .await
            .map(|()| 0)
            .map_err(failed(&format!("download of {path}")))
    }

    async fn upload_tree(
        &self,
        _path: &str,
        mut entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        let mut bytes = 0;
        while let Some(entry) = entries.next().await {
            if let tree::Entry::Data(data) = entry? {
                bytes += data.len() as u64;
            }
        }
        Ok(bytes)
    }

    async fn download_tree(
        &self,
        _path: &str,
        _exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        Ok(futures::stream::empty().boxed())
    }

    async fn reconnect(&self, _limit: Option<Duration>) -> Result<(), CommunicatorError> {
        Ok(())
    }

    async fn forward(&self, host: &str, port: u16) -> Result<(Reader, Writer), CommunicatorError> {
        Err(CommunicatorError::Unsupported {
            operation: format!("forwarding to {host}:{port}"),
            communicator: "file".to_owned(),
        })
    }
}
