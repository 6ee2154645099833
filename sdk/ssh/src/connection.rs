//! One SSH session, from the first byte to the login.

use std::sync::Arc;
use std::time::Duration;

use russh::client::{Handle, Msg};
use russh::{Channel, Disconnect};
use russh_sftp::client::SftpSession;
use tokio::sync::Mutex;

use crate::auth::authenticate;
use crate::channel::ChannelIo;
use crate::client::{Client, Ended};
use crate::connect::Address;
use crate::failure::AttemptError;
use crate::route::Route;
use crate::settings::{Login, Settings};
use crate::stream::{Seen, Stage, Stream, Watched};

/// How long the key exchange, and then the login, may take once the server speaks.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(60);
/// How long a machine that stopped answering keep-alives is believed in; a guest under emulation
/// may stand still for a while.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much a peer may send before it must wait for us, per channel, in bytes.
const WINDOW_BYTES: u32 = 16 * 1024 * 1024;
/// The largest packet, in bytes; the most the library takes.
const PACKET_BYTES: u32 = 65_535;

/// A session that is logged in.
pub(crate) struct Session {
    pub(crate) handle: Handle<Client>,
    pub(crate) ended: Ended,
}

impl Session {
    /// Exchanges keys over `stream` and logs in. `machine` has what the session offers the other
    /// side; a bastion is offered nothing.
    pub(crate) async fn open(
        settings: &Settings,
        login: &Login,
        stream: Box<dyn Stream>,
        seen: &Arc<Seen>,
        machine: Option<&Settings>,
    ) -> Result<Self, AttemptError> {
        let ended = Ended::default();
        let agent = machine.and_then(|settings| settings.forwarded_agent.clone());
        let tunnels = machine.map(|settings| settings.remote_tunnels.clone());
        let client = Client::new(ended.clone(), agent, tunnels.unwrap_or_default());
        let stream = Watched::new(stream, Arc::clone(seen), settings.io_limit);
        let exchanging = russh::client::connect_stream(library_config(settings), stream, client);
        let mut handle = match tokio::time::timeout(HANDSHAKE_LIMIT, exchanging).await {
            Ok(Ok(handle)) => handle,
            Ok(Err(error)) => return Err(classify(&error, &ended, seen)),
            Err(_) => return Err(too_long("the key exchange")),
        };
        let login_in = authenticate(&mut handle, &ended, login);
        match tokio::time::timeout(HANDSHAKE_LIMIT, login_in).await {
            Ok(Ok(Ok(()))) => Ok(Self { handle, ended }),
            Ok(Ok(Err(failure))) => Err(AttemptError::Authentication(failure)),
            Ok(Err(error)) => Err(classify(&error, &ended, seen)),
            Err(_) => Err(too_long("the login")),
        }
    }

    /// Why the session is over, or why `error` happened.
    pub(crate) fn why(&self, error: &russh::Error) -> String {
        self.ended.why().unwrap_or_else(|| crate::chain(error))
    }
}

fn too_long(what: &str) -> AttemptError {
    AttemptError::Handshake(format!(
        "{what} did not end within {} s",
        HANDSHAKE_LIMIT.as_secs()
    ))
}

/// What a broken handshake amounts to, with regard to what was received.
fn classify(error: &russh::Error, ended: &Ended, seen: &Seen) -> AttemptError {
    let line = seen.first_line();
    if seen.stage() != Stage::Talking {
        return AttemptError::ClosedEarly;
    }
    if !line.starts_with("SSH-") {
        return AttemptError::NotSsh(line);
    }
    match error {
        russh::Error::NoCommonAlgo { kind, ours, theirs } => {
            let (ours, theirs) = (ours.join(","), theirs.join(","));
            AttemptError::Handshake(format!(
                "no {kind:?} algorithm in common; we offer {ours}, the server offers {theirs}"
            ))
        }
        error => AttemptError::Handshake(ended.why().unwrap_or_else(|| crate::chain(error))),
    }
}

fn library_config(settings: &Settings) -> Arc<russh::client::Config> {
    let keepalive_max = settings.keep_alive.map_or(3, |interval| {
        let count = PATIENCE.as_millis().div_ceil(interval.as_millis().max(1));
        usize::try_from(count).unwrap_or(usize::MAX).max(3)
    });
    Arc::new(russh::client::Config {
        window_size: WINDOW_BYTES,
        maximum_packet_size: PACKET_BYTES,
        preferred: settings.preferred.clone(),
        keepalive_interval: settings.keep_alive,
        keepalive_max,
        nodelay: true,
        ..russh::client::Config::default()
    })
}

/// A session with the machine itself.
pub(crate) struct Connection {
    pub(crate) session: Session,
    pub(crate) address: Address,
    /// The session with the bastion carries this one.
    _through: Option<Arc<Session>>,
    /// Opened when first needed, because opening takes several round trips.
    pub(crate) sftp: Mutex<Option<Arc<SftpSession>>>,
}

impl Connection {
    /// One attempt.
    pub(crate) async fn open(
        route: &Route,
        address: Address,
        seen: &Arc<Seen>,
    ) -> Result<Self, AttemptError> {
        let settings = &route.settings;
        let dialed = route.dial(&address).await?;
        let opening = Session::open(
            settings,
            &settings.login,
            dialed.stream,
            seen,
            Some(settings),
        );
        let session = opening.await?;
        for tunnel in &settings.remote_tunnels {
            let port = u32::from(tunnel.listen_port);
            session
                .handle
                .tcpip_forward("localhost", port)
                .await
                .map_err(|error| AttemptError::RemoteTunnel {
                    port: tunnel.listen_port,
                    message: session.why(&error),
                })?;
        }
        Ok(Self {
            session,
            address,
            _through: dialed.through,
            sftp: Mutex::new(None),
        })
    }

    /// Opens a channel for a command or subsystem.
    pub(crate) async fn open_channel(&self) -> Result<Channel<Msg>, String> {
        let opening = self.session.handle.channel_open_session();
        match tokio::time::timeout(PATIENCE, opening).await {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(error)) => Err(self.session.why(&error)),
            Err(_) => Err(format!("no session opened within {} s", PATIENCE.as_secs())),
        }
    }

    /// Opens a stream to an address as the machine sees it.
    pub(crate) async fn open_forward(&self, host: &str, port: u16) -> Result<ChannelIo, String> {
        let port = u32::from(port);
        let opening = self
            .session
            .handle
            .channel_open_direct_tcpip(host, port, "127.0.0.1", 0);
        match tokio::time::timeout(PATIENCE, opening).await {
            Ok(Ok(channel)) => Ok(ChannelIo::new(channel, &self.session.ended)),
            Ok(Err(error)) => Err(self.session.why(&error)),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    /// Tells the server that we leave, as far as it listens.
    pub(crate) async fn leave(&self) {
        let leaving = self
            .session
            .handle
            .disconnect(Disconnect::ByApplication, "", "");
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), leaving).await {
            tracing::debug!(%error, "ssh session was gone already");
        }
    }
}
