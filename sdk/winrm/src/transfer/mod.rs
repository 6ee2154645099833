//! Files and trees.
//!
//! WinRM has no file transfer, so a PowerShell in the guest reads or writes base64 lines. The
//! common way, one command line of a few kilobytes after the other, costs a process start for each.
//! Here one PowerShell takes lines as large as the guest's envelopes allow (asked once; 500 KiB by
//! default) from its standard input, for a whole file or a whole tree: the cost is one round trip
//! for some 260 KB. Files from [`upload::LANES_FROM`] on go to several of them at once, each with
//! parts of the file, because one round trip at a time does not fill a line. Base64 stays: standard
//! input of PowerShell is text.
//!
//! The guest could fetch files from a server here, which would be faster still; but whether it can
//! reach one, through which firewalls, nobody knows, and the file would travel open.
//!
//! Every transfer is checked with a SHA-256 of what arrived, and the length of the file. Permission
//! bits mean nothing to Windows and are left out; symbolic links are refused.

mod download;
mod lane;
mod upload;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sdk_communicator::{CommunicatorError, FileTarget, Reader, Writer, tree};

use crate::communicator::WinRmCommunicator;
use crate::powershell;

/// What the guest runs to take files.
fn receiver() -> String {
    powershell::command(&powershell::compact(include_str!("receiver.ps1")))
}

/// What is downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Tree,
}

/// What the guest runs to give files.
fn sender(path: &str, kind: Kind) -> String {
    let kind = match kind {
        Kind::File => "file",
        Kind::Tree => "tree",
    };
    let script = powershell::compact(include_str!("sender.ps1"))
        .replace("@PATH@", &STANDARD.encode(path))
        .replace("@KIND@", kind);
    powershell::command(&script)
}

/// The transfers of one machine.
pub(crate) struct Transfer<'a> {
    pub(crate) machine: &'a WinRmCommunicator,
}

impl Transfer<'_> {
    pub(crate) async fn upload(
        &self,
        target: FileTarget,
        source: Reader,
    ) -> Result<u64, CommunicatorError> {
        upload::file(self.machine, target, source).await
    }

    pub(crate) async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        upload::tree(self.machine, path, entries).await
    }

    pub(crate) async fn download(
        &self,
        path: &str,
        sink: Writer,
    ) -> Result<u64, CommunicatorError> {
        let operation = format!("download of {path}");
        let line = fitting(sender(path, Kind::File), &operation)?;
        let shell = self.machine.shell().await?;
        download::file(shell, &line, operation, sink).await
    }

    pub(crate) async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        let operation = format!("download of {path}");
        let line = fitting(sender(path, Kind::Tree), &operation)?;
        self.machine.envelope().await;
        let shell = self.machine.shell().await?;
        Ok(download::tree(shell, line, operation, exclude.to_vec()))
    }
}

/// Refuses a line that `cmd.exe` would cut off.
fn fitting(line: String, operation: &str) -> Result<String, CommunicatorError> {
    if line.len() <= powershell::LINE_CHARACTERS {
        return Ok(line);
    }
    Err(CommunicatorError::Refused {
        operation: operation.to_owned(),
        message: "the path is too long for a command line of Windows".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, fitting, receiver, sender};

    #[test]
    fn lines_fit_with_paths_as_long_as_windows_allows() {
        assert!(fitting(receiver(), "x").is_ok());
        let path = "x".repeat(260);
        assert!(fitting(sender(&path, Kind::Tree), "x").is_ok());
        let path = "x".repeat(8000);
        let error = fitting(sender(&path, Kind::File), "download of y").unwrap_err();
        assert!(
            error.to_string().starts_with("download of y failed: "),
            "{error}"
        );
    }
}
