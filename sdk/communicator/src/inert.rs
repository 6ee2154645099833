//! The machine nobody talks to.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};

/// `communicator = "none"`: commands succeed without running, everything else fails.
///
/// # Source
///
/// Packer, communicator `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inert;

fn unsupported<T>(operation: &str) -> Result<T, CommunicatorError> {
    Err(CommunicatorError::Unsupported {
        operation: operation.to_owned(),
        communicator: "none".to_owned(),
    })
}

#[async_trait]
impl Communicator for Inert {
    async fn exec(
        &self,
        _command: Command,
        _output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        Ok(Exit::Code(0))
    }

    async fn upload(&self, _target: FileTarget, _source: Reader) -> Result<u64, CommunicatorError> {
        unsupported("Upload")
    }

    async fn download(&self, _path: &str, _sink: Writer) -> Result<u64, CommunicatorError> {
        unsupported("Download")
    }

    async fn upload_tree(
        &self,
        _path: &str,
        _entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        unsupported("UploadDir")
    }

    async fn download_tree(
        &self,
        _path: &str,
        _exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        unsupported("DownloadDir")
    }

    async fn reconnect(&self, _limit: Option<Duration>) -> Result<(), CommunicatorError> {
        Ok(())
    }

    async fn forward(
        &self,
        _host: &str,
        _port: u16,
    ) -> Result<(Reader, Writer), CommunicatorError> {
        unsupported("Forward")
    }
}

#[cfg(test)]
mod tests {
    use super::{Communicator, Inert};
    use crate::{Command, Exit, FileTarget, capture};

    #[tokio::test]
    async fn commands_succeed_and_files_are_refused_by_name() {
        let run = capture(&Inert, Command::new("false"))
            .await
            .expect("it never fails");
        assert_eq!(run.exit, Exit::Code(0));
        let target = FileTarget {
            path: "/x".to_owned(),
            mode: 0o644,
            size: Some(0),
        };
        let error = Inert
            .upload(target, Box::new(tokio::io::empty()))
            .await
            .expect_err("refused");
        assert_eq!(
            error.to_string(),
            "Upload is not implemented when communicator = 'none'"
        );
        let error = Inert
            .download("/x", Box::new(tokio::io::sink()))
            .await
            .expect_err("refused");
        assert_eq!(
            error.to_string(),
            "Download is not implemented when communicator = 'none'"
        );
    }
}
