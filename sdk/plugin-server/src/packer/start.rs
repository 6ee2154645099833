//! Serving one component to Packer, from the handshake to the end.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugin_wire::handshake::CLEANUP_LIMIT;
use rand::RngCore;
use sdk_packer_protocol::Kind;
use sdk_packer_protocol::endpoint::ComponentService;
use sdk_packer_protocol::spec::Encoding;
use sdk_packer_protocol::transport::{COOKIE, COOKIE_VARIABLE, Handshake, Network, Session, Side};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::component::Served;
use super::describe;
use crate::component::Component;
use crate::error::ServeError;
use crate::plugin::{Plugin, Reclaimers};
use crate::serve::{end, explain, on_runtime};
use crate::{log, panic, socket};

/// How long a host may take to connect; it waits as long for the handshake.
const CONNECT_LIMIT: Duration = Duration::from_secs(60);

/// What is served, in which encoding.
pub(super) struct Chosen {
    pub(super) kind: Kind,
    pub(super) component: Arc<dyn Component>,
    pub(super) reclaimers: Reclaimers,
    pub(super) encoding: Encoding,
}

/// Serves the component that `words` name.
pub(super) fn start(plugin: Plugin, words: &[String]) -> ExitCode {
    if std::env::var_os(COOKIE_VARIABLE).is_none_or(|cookie| cookie != COOKIE) {
        explain(&format!(
            "This is the plugin `{}` {}. It is not started by hand: Packer does that when a \
             template needs it.",
            plugin.family, plugin.version
        ));
        return ExitCode::FAILURE;
    }
    let chosen = match choose(&plugin, words) {
        Ok(chosen) => chosen,
        Err(refusal) => {
            explain(&refusal);
            return ExitCode::FAILURE;
        }
    };
    log::start_plain();
    panic::log_panics();
    end(on_runtime(served(chosen)))
}

/// Reads the words after `start`: a kind, a component, and anywhere whether the host knows protobuf.
pub(super) fn choose(plugin: &Plugin, words: &[String]) -> Result<Chosen, String> {
    let (flags, names): (Vec<&str>, Vec<&str>) = words
        .iter()
        .map(String::as_str)
        .partition(|word| *word == "--protobuf");
    let [kind, name] = names[..] else {
        return Err(format!(
            "`start` takes a kind of component and its name, not {} words.",
            names.len()
        ));
    };
    let (own_kind, kind) = describe::kind(kind).ok_or_else(|| {
        let kinds: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| format!("`{}`", kind.argument()))
            .collect();
        format!(
            "`{kind}` is no kind of component; there are {}.",
            kinds.join(", ")
        )
    })?;
    let component = describe::own_name(plugin, own_kind, name)
        .and_then(|name| plugin.find(own_kind, &name))
        .ok_or_else(|| {
            format!(
                "This plugin has no {} named `{name}`; `describe` lists what it has.",
                kind.argument()
            )
        })?;
    let encoding = if flags.is_empty() {
        Encoding::Gob
    } else {
        Encoding::Protobuf
    };
    Ok(Chosen {
        kind,
        component,
        reclaimers: plugin.reclaimers.clone(),
        encoding,
    })
}

/// Makes a folder that only its owner can use.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

async fn served(chosen: Chosen) -> Result<(), ServeError> {
    swallow_signals()?;
    let name = format!("packer-plugin{:016x}", rand::rng().next_u64());
    let directory = std::env::temp_dir().join(name);
    make_private(&directory).map_err(|source| ServeError::Directory {
        path: directory.clone(),
        source,
    })?;
    let connected = connected(&directory).await;
    // The folder was for the socket; runs make it again, so that nothing stays when the host, as
    // Packer does, ends this process by force.
    if let Err(error) = std::fs::remove_dir(&directory) {
        tracing::debug!(%error, "cannot remove a folder");
    }
    let Some(connection) = connected? else {
        tracing::warn!("no host connected");
        return Ok(());
    };
    serve_connection(connection, chosen, directory).await;
    Ok(())
}

/// Tells the host where to connect and waits for it; `None` when it does not come.
async fn connected(directory: &Path) -> Result<Option<tokio::net::UnixStream>, ServeError> {
    let (listener, socket) = socket::bind(directory)?;
    let handshake = Handshake {
        network: Network::Unix,
        address: socket.path().display().to_string(),
    };
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(handshake.to_string().as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(ServeError::Handshake)?;
    drop(stdout);
    match tokio::time::timeout(CONNECT_LIMIT, listener.accept()).await {
        Ok(Ok((stream, _))) => Ok(Some(stream)),
        Ok(Err(source)) => Err(ServeError::Socket {
            path: socket.path().to_owned(),
            source,
        }),
        Err(_) => Ok(None),
    }
}

/// Serves the host on `connection` until it leaves and every run has ended.
pub(super) async fn serve_connection(
    connection: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    chosen: Chosen,
    directory: PathBuf,
) {
    let session = Session::new(connection, Side::Plugin);
    let cancel = CancellationToken::new();
    let runs = TaskTracker::new();
    let served = Served {
        kind: chosen.kind,
        component: chosen.component,
        reclaimers: chosen.reclaimers,
        encoding: chosen.encoding,
        session: session.clone(),
        directory,
        cancel: cancel.clone(),
        runs: runs.clone(),
        prepared: Mutex::new(None),
    };
    ComponentService::new(session, Arc::new(served))
        .serve()
        .await;
    cancel.cancel();
    runs.close();
    if tokio::time::timeout(CLEANUP_LIMIT, runs.wait())
        .await
        .is_err()
    {
        tracing::warn!("a run did not end within its limit");
    }
}

/// Ctrl-C and requests to terminate are the host's to handle: it cancels by a call.
fn swallow_signals() -> Result<(), ServeError> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind).map_err(|source| ServeError::Setup {
            what: "a signal handler",
            source,
        })?;
        drop(tokio::spawn(async move {
            while signals.recv().await.is_some() {
                tracing::debug!("a signal was left to the host");
            }
        }));
    }
    Ok(())
}
