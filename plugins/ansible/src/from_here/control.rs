//! Where Ansible's `ssh` keeps the sockets of connections that it shares between tasks.
//!
//! These connections are held by processes of their own that wait a minute for more to do. They are
//! ended when Ansible is, so that nothing is left of a build.

use std::path::PathBuf;
use std::time::Duration;

use kiln_sdk::program::Program;
use kiln_sdk::{Failure, Held, Resource, RunContext};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// How long one connection may take to end.
const LIMIT: Duration = Duration::from_secs(5);

/// A folder for sockets. Its path is short, because paths of sockets must be.
pub struct ControlSockets {
    folder: TempDir,
    held: Held,
}

impl ControlSockets {
    /// Makes the folder.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or the host is gone.
    pub async fn make(cx: &RunContext) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot make a folder for sockets of ssh: {error}"))
        };
        let name = format!("kiln-ssh-{:08x}", uuid::Uuid::new_v4().as_fields().0);
        let path = std::env::temp_dir().join(&name);
        let held = cx.announce(Resource::directory(&path)).await?;
        let made = tempfile::Builder::new()
            .prefix(&name)
            .rand_bytes(0)
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .tempdir_in(std::env::temp_dir());
        match made {
            Ok(folder) => Ok(Self { folder, held }),
            Err(error) => {
                held.release().await;
                Err(failed(error))
            }
        }
    }

    /// What tells Ansible about it.
    pub fn variable(&self) -> (String, String) {
        let path = self.folder.path().display().to_string();
        ("ANSIBLE_SSH_CONTROL_PATH_DIR".to_owned(), path)
    }

    /// Ends the connections and removes the folder, also when the run was cancelled.
    pub async fn close(self, cx: &RunContext) {
        let cx = cx.with_cancel(CancellationToken::new());
        for socket in self.sockets() {
            let path = format!("ControlPath={}", socket.display());
            let leave = Program::new("ssh")
                .args(["-O", "exit", "-o", &path, "kiln"])
                .limit(LIMIT);
            if let Err(error) = leave.collect(&cx).await {
                tracing::debug!(%error, "cannot end a shared connection of ansible");
            }
        }
        if let Err(error) = self.folder.close() {
            tracing::warn!(%error, "cannot remove the folder for sockets of ssh");
        }
        self.held.release().await;
    }

    fn sockets(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.folder.path())
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect()
    }
}
