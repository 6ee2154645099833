//! The machine of a builder that offers none.

use std::time::Duration;

use async_trait::async_trait;
use sdk_communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use tokio::sync::mpsc;

/// Every operation fails and says why. Provisioners that work on this side never notice.
pub(crate) struct AbsentMachine;

fn absent<T>() -> Result<T, CommunicatorError> {
    Err(CommunicatorError::Unreachable {
        seen: "the builder offers no way to talk to its machine".to_owned(),
    })
}

#[async_trait]
impl Communicator for AbsentMachine {
    async fn exec(
        &self,
        _command: Command,
        _output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        absent()
    }

    async fn upload(&self, _target: FileTarget, _source: Reader) -> Result<u64, CommunicatorError> {
        absent()
    }

    async fn download(&self, _path: &str, _sink: Writer) -> Result<u64, CommunicatorError> {
        absent()
    }

    async fn upload_tree(
        &self,
        _path: &str,
        _entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        absent()
    }

    async fn download_tree(
        &self,
        _path: &str,
        _exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        absent()
    }

    async fn reconnect(&self, _limit: Option<Duration>) -> Result<(), CommunicatorError> {
        absent()
    }

    async fn forward(
        &self,
        _host: &str,
        _port: u16,
    ) -> Result<(Reader, Writer), CommunicatorError> {
        absent()
    }
}
