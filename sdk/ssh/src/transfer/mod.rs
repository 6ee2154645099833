//! Moving files and trees: which way, and what when the guest lacks it.

mod quote;
mod scp;
mod scp_tree;
mod sftp;
mod sftp_tree;
mod spool;
mod tar;

use std::sync::{Arc, Mutex, PoisonError};

use sdk_communicator::{CommunicatorError, FileTarget, Reader, Writer, tree};

use crate::communicator::SshCommunicator;
use crate::process::Process;
use crate::settings::TransferMethod;

/// What the guest was found to have or lack.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    found: Mutex<Found>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Found {
    no_scp: bool,
    no_sftp: bool,
    tar: Option<tar::Tar>,
}

impl Tools {
    fn get(&self) -> Found {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Found)) {
        change(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// One transfer.
pub(crate) struct Transfer<'a> {
    pub(crate) machine: &'a SshCommunicator,
    pub(crate) tools: &'a Tools,
    pub(crate) method: TransferMethod,
}

/// What one way of transfer came to.
enum Outcome<T, Input> {
    /// It was tried.
    Done(Result<T, CommunicatorError>),
    /// The guest lacks what it needs; nothing of the input was used.
    Missing(Input, String),
}

impl Transfer<'_> {
    /// The ways to try, in order: the one asked for, then the other, without what is known to be
    /// missing.
    fn methods(&self) -> Vec<TransferMethod> {
        let found = self.tools.get();
        let order = match self.method {
            TransferMethod::Scp => [TransferMethod::Scp, TransferMethod::Sftp],
            TransferMethod::Sftp => [TransferMethod::Sftp, TransferMethod::Scp],
        };
        let there = |method: &TransferMethod| match method {
            TransferMethod::Scp => !found.no_scp,
            TransferMethod::Sftp => !found.no_sftp,
        };
        order.into_iter().filter(there).collect()
    }

    fn missing(&self, method: TransferMethod, seen: &str) {
        tracing::warn!(
            ?method,
            seen,
            "the guest lacks a way to transfer files, trying another"
        );
        self.tools.note(|found| match method {
            TransferMethod::Scp => found.no_scp = true,
            TransferMethod::Sftp => found.no_sftp = true,
        });
    }

    fn no_way(operation: String) -> CommunicatorError {
        let message = "the guest has neither scp nor sftp".to_owned();
        CommunicatorError::Refused { operation, message }
    }

    pub(crate) async fn upload(
        &self,
        target: FileTarget,
        mut source: Reader,
    ) -> Result<u64, CommunicatorError> {
        for method in self.methods() {
            let outcome = match method {
                TransferMethod::Scp => scp::upload(self.machine, &target, source).await,
                TransferMethod::Sftp => sftp::upload(self.machine, &target, source).await,
            };
            match outcome {
                Outcome::Done(result) => return result,
                Outcome::Missing(unused, seen) => {
                    source = unused;
                    self.missing(method, &seen);
                }
            }
        }
        Err(Self::no_way(format!("upload of {}", target.path)))
    }

    pub(crate) async fn download(
        &self,
        path: &str,
        mut sink: Writer,
    ) -> Result<u64, CommunicatorError> {
        for method in self.methods() {
            let outcome = match method {
                TransferMethod::Scp => scp::download(self.machine, path, sink).await,
                TransferMethod::Sftp => sftp::download(self.machine, path, sink).await,
            };
            match outcome {
                Outcome::Done(result) => return result,
                Outcome::Missing(unused, seen) => {
                    sink = unused;
                    self.missing(method, &seen);
                }
            }
        }
        Err(Self::no_way(format!("download of {path}")))
    }

    pub(crate) async fn upload_tree(
        &self,
        path: &str,
        mut entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        if self.tar().await? == tar::Tar::Gnu {
            return tar::upload(self.machine, path, entries).await;
        }
        for method in self.methods() {
            let outcome = match method {
                TransferMethod::Scp => scp_tree::upload(self.machine, path, entries).await,
                TransferMethod::Sftp => sftp_tree::upload(self.machine, path, entries).await,
            };
            match outcome {
                Outcome::Done(result) => return result,
                Outcome::Missing(unused, seen) => {
                    entries = unused;
                    self.missing(method, &seen);
                }
            }
        }
        Err(Self::no_way(format!("upload of the tree {path}")))
    }

    pub(crate) async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        let known = self.tar().await?;
        if known != tar::Tar::Missing {
            return tar::download(self.machine, path, exclude, known).await;
        }
        for method in self.methods() {
            let outcome = match method {
                TransferMethod::Scp => scp_tree::download(self.machine, path, exclude).await,
                TransferMethod::Sftp => sftp_tree::download(self.machine, path, exclude).await,
            };
            match outcome {
                Outcome::Done(result) => return result,
                Outcome::Missing((), seen) => self.missing(method, &seen),
            }
        }
        Err(Self::no_way(format!("download of the tree {path}")))
    }

    /// Which tar the guest has; asked once.
    async fn tar(&self) -> Result<tar::Tar, CommunicatorError> {
        if let Some(known) = self.tools.get().tar {
            return Ok(known);
        }
        let known = tar::probe(self.machine).await?;
        self.tools.note(|found| found.tar = Some(known));
        Ok(known)
    }
}

/// Starts `command` on a fresh channel.
async fn start(
    machine: &SshCommunicator,
    command: &str,
    operation: &str,
) -> Result<Process, CommunicatorError> {
    let (connection, channel) = machine.open_channel().await?;
    Process::start(channel, Arc::clone(&connection), command)
        .await
        .map_err(|error| CommunicatorError::Broken {
            operation: operation.to_owned(),
            seen: connection.session.why(&error),
        })
}

/// A local stream failed.
fn local(operation: &str, source: std::io::Error) -> CommunicatorError {
    CommunicatorError::Io {
        operation: operation.to_owned(),
        source,
    }
}
