//! An SSH server on loopback in front of the builder's communicator.
//!
//! Ansible talks SSH; a builder may talk to its machine by anything. The server lets one user in,
//! with one key, and only opens sessions: commands go to the communicator as they are, copies by
//! `scp` are served here (`scp`), the `sftp` subsystem is the guest's own server where there is one
//! and `sftp` where there is none. Terminals are asked for at the guest; variables of the
//! environment are dropped, as OpenSSH's server drops those it does not know.

mod channel;
mod key;
mod scp;
mod session;
mod sftp;
mod subsystem;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiln_sdk::{Communicator, Failure};
use russh::MethodKind;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::public::KeyData;
use russh::server::{Config, run_stream};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use key::KeyType;
use session::Session;
use subsystem::Subsystem;

/// How many ports are tried, from the wanted one upwards.
const PORTS: u16 = 10;
/// How long connections may take to end when the server does.
const ENDING: Duration = Duration::from_secs(5);

/// How the server is.
pub struct Settings {
    /// The user who may log in; `None` lets every name in that has the key.
    pub user: Option<String>,
    /// The key that logs in.
    pub authorized: KeyData,
    /// The server's own key.
    pub host_key: PrivateKey,
    /// Port to listen on; zero for any. When it is taken, the next ones are tried.
    pub port: u16,
    /// What is run in the guest for the `sftp` subsystem; empty to find out.
    pub sftp_command: String,
    /// Folder for what has to be spooled; private to this run.
    pub spool: PathBuf,
}

/// What all connections share.
struct Shared {
    user: Option<String>,
    authorized: KeyData,
    machine: Arc<dyn Communicator>,
    subsystem: Subsystem,
    spool: PathBuf,
    tasks: TaskTracker,
    over: CancellationToken,
}

/// A running server. Dropped, it lets go of everything; [`Proxy::stop`] also waits for that.
pub struct Proxy {
    /// The port it listens on, on 127.0.0.1.
    pub port: u16,
    tasks: TaskTracker,
    over: DropGuard,
}

impl Proxy {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub async fn start(
        settings: Settings,
        machine: Arc<dyn Communicator>,
    ) -> Result<Self, Failure> {
        let listener = listen(settings.port).await?;
        let port = listener
            .local_addr()
            .map_err(|error| Failure::new(format!("cannot listen on loopback: {error}")))?
            .port();
        let config = Arc::new(Config {
            keys: vec![settings.host_key],
            methods: (&[MethodKind::PublicKey][..]).into(),
            auth_rejection_time: Duration::from_millis(200),
            auth_rejection_time_initial: Some(Duration::ZERO),
            inactivity_timeout: None,
            nodelay: true,
            ..Config::default()
        });
        let shared = Arc::new(Shared {
            user: settings.user,
            authorized: settings.authorized,
            subsystem: Subsystem::new(settings.sftp_command),
            machine,
            spool: settings.spool,
            tasks: TaskTracker::new(),
            over: CancellationToken::new(),
        });
        let (tasks, over) = (shared.tasks.clone(), shared.over.clone());
        drop(tasks.spawn(accept(listener, config, shared)));
        tracing::debug!(port, "ssh proxy listens");
        Ok(Self {
            port,
            tasks,
            over: over.drop_guard(),
        })
    }

    /// Ends every connection and command, and waits for that.
    pub async fn stop(self) {
        drop(self.over);
        self.tasks.close();
        if tokio::time::timeout(ENDING, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("connections of the ssh proxy did not end in time");
        }
    }
}

async fn listen(wanted: u16) -> Result<TcpListener, Failure> {
    let last = if wanted == 0 {
        0
    } else {
        wanted.saturating_add(PORTS - 1)
    };
    let mut seen = None;
    for port in wanted..=last {
        match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => seen = Some(error),
        }
    }
    let seen = seen.map_or_else(String::new, |error| format!(": {error}"));
    Err(Failure::new(format!(
        "cannot listen on 127.0.0.1, ports {wanted} to {last}{seen}"
    )))
}

async fn accept(listener: TcpListener, config: Arc<Config>, shared: Arc<Shared>) {
    loop {
        let accepted = tokio::select! {
            () = shared.over.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let work = serve(stream, Arc::clone(&config), Arc::clone(&shared));
                drop(shared.tasks.spawn(work));
            }
            Err(error) => {
                // Too many open files, say: others may end soon.
                tracing::warn!(%error, "the ssh proxy cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// One connection, until it or the server ends.
async fn serve(stream: TcpStream, config: Arc<Config>, shared: Arc<Shared>) {
    let over = shared.over.clone();
    let begun = tokio::select! {
        () = over.cancelled() => return,
        begun = run_stream(config, stream, Session::new(shared)) => begun,
    };
    let running = match begun {
        Ok(running) => running,
        Err(error) => return tracing::debug!(%error, "no ssh session on the proxy"),
    };
    let handle = running.handle();
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => {
            if let Err(error) = ended {
                tracing::debug!(%error, "an ssh session on the proxy broke");
            }
            return;
        }
        () = over.cancelled() => {}
    }
    let goodbye = handle.disconnect(
        russh::Disconnect::ByApplication,
        "the provisioner ended".to_owned(),
        "en".to_owned(),
    );
    if goodbye.await.is_ok() && running.await.is_err() {
        tracing::debug!("an ssh session on the proxy broke at its end");
    }
}

#[cfg(test)]
mod tests;
