//! Who serves SFTP: the guest's own server where there is one, else we do.

use kiln_sdk::communicator::{Command, Exit, capture};
use tokio::sync::OnceCell;

use super::Shared;
use super::channel::{Ending, Streams};
use super::session::exec;
use super::sftp;

/// Where systems keep OpenSSH's server, the first that is there is used.
const PLACES: [&str; 7] = [
    "/usr/lib/openssh/sftp-server",
    "/usr/lib/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/libexec/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/lib64/ssh/sftp-server",
    "/usr/lib64/misc/sftp-server",
];

/// The `sftp` subsystem of one machine.
pub struct Subsystem {
    /// What the template says; empty to find out.
    wanted: String,
    /// The command that was found; `None` when the guest has none.
    found: OnceCell<Option<String>>,
}

impl Subsystem {
    pub fn new(wanted: String) -> Self {
        Self {
            wanted,
            found: OnceCell::new(),
        }
    }

    /// Serves one client.
    pub(super) async fn serve(&self, shared: &Shared, streams: Streams) -> Ending {
        if !self.wanted.is_empty() {
            return exec(shared, self.wanted.clone(), false, streams).await;
        }
        match self.found.get_or_init(|| find(shared)).await {
            Some(command) => exec(shared, command.clone(), false, streams).await,
            None => sftp::serve(&shared.machine, &shared.spool, streams).await,
        }
    }
}

async fn find(shared: &Shared) -> Option<String> {
    let look = format!(
        "for server in {}; do if [ -x \"$server\" ]; then echo \"$server\"; exit 0; fi; done; exit 1",
        PLACES.join(" ")
    );
    let captured = capture(&*shared.machine, Command::new(look)).await.ok()?;
    // Machines that nobody talks to succeed at everything and say nothing.
    let path = captured.stdout.trim();
    let known = captured.exit == Exit::Code(0) && PLACES.contains(&path);
    tracing::debug!(path, known, "looked for an sftp server in the guest");
    known.then(|| format!("{path} -e"))
}
