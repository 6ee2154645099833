//! One SSH session, from the first byte to the login.

use std::sync::Arc;
use std::time::Duration;

use russh::client::{Handle, Msg};
use russh::{Channel, Disconnect};
use russh_sftp::client::SftpSession;
use tokio::sync::Mutex;

use crate::algorithms::no_match;
use crate::auth::{Person, authenticate};
use crate::channel::ChannelIo;
use crate::client::{Client, Ended};
use crate::connect::Address;
use crate::failure::AttemptError;
use crate::route::Route;
use crate::settings::{Login, Settings};
use crate::stream::{Limits, Seen, Stage, Stream, Watched};

/// How long the key exchange, and then the login, may take once the server speaks.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(60);
/// How long a session that nobody needs any more may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a machine that stopped answering keep-alives is believed in; a guest under emulation
/// may stand still for a while.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much a peer may send before it must wait for us, per channel, in bytes.
const WINDOW_BYTES: u32 = 16 * 1024 * 1024;
/// The largest packet, in bytes; the most the library takes.
const PACKET_BYTES: u32 = 65_535;

/// How long the login may take when a person has to answer.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How to get into a machine.
pub(crate) struct Entry<'a> {
    pub(crate) login: &'a Login,
    /// What the session offers the other side; a bastion is offered nothing.
    pub(crate) offers: Option<&'a Settings>,
    /// Who answers questions.
    pub(crate) person: Option<Person<'a>>,
}

/// A session that is logged in.
pub(crate) struct Session {
    pub(crate) handle: Handle<Client>,
    pub(crate) ended: Ended,
}

impl Session {
    /// Exchanges keys over `stream` and logs in.
    pub(crate) async fn open(
        settings: &Settings,
        entry: Entry<'_>,
        stream: Box<dyn Stream>,
        seen: &Arc<Seen>,
    ) -> Result<Self, AttemptError> {
        let ended = Ended::default();
        // However this ends before the login, the library's task must not wait on.
        let giving_up = ended.given_up.clone().drop_guard();
        let offers = entry.offers;
        let agent = offers.and_then(|settings| settings.forwarded_agent.clone());
        let tunnels = offers.map(|settings| settings.remote_tunnels.clone());
        let client = Client::new(ended.clone(), agent, tunnels.unwrap_or_default());
        // Keep-alives are not sent while there is no room to write, so that needs a limit, too: the
        // machine's sshd always takes what its windows allow, however slow its programs are.
        let limits = Limits {
            read: settings.io_limit,
            write: settings.io_limit.or(settings.keep_alive.map(|_| PATIENCE)),
        };
        let stream = Watched::new(stream, Arc::clone(seen), ended.clone(), limits);
        let exchanging = russh::client::connect_stream(library_config(settings), stream, client);
        let mut handle = match tokio::time::timeout(HANDSHAKE_LIMIT, exchanging).await {
            Ok(Ok(handle)) => handle,
            Ok(Err(error)) => return Err(classify(&error, &ended, seen)),
            Err(_) if seen.stage() == Stage::Silent => {
                return Err(AttemptError::Silent(HANDSHAKE_LIMIT));
            }
            Err(_) => return Err(too_long("the key exchange", HANDSHAKE_LIMIT)),
        };
        let limit = match entry.person {
            Some(_) => ANSWER_LIMIT,
            None => HANDSHAKE_LIMIT,
        };
        let login_in = authenticate(&mut handle, &ended, entry.login, entry.person);
        match tokio::time::timeout(limit, login_in).await {
            Ok(Ok(Ok(()))) => {
                giving_up.disarm();
                Ok(Self { handle, ended })
            }
            Ok(Ok(Err(failure))) => Err(AttemptError::Authentication(failure)),
            Ok(Err(error)) => Err(classify(&error, &ended, seen)),
            Err(_) => Err(too_long("the login", limit)),
        }
    }

    /// Why the session is over, or why `error` happened.
    pub(crate) fn why(&self, error: &russh::Error) -> String {
        self.ended.why().unwrap_or_else(|| crate::chain(error))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Ended { over, given_up, .. } = self.ended.clone();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            given_up.cancel();
            return;
        };
        runtime.spawn(async move {
            // A machine that does not answer is not waited for.
            if tokio::time::timeout(FAREWELL, over.cancelled())
                .await
                .is_err()
            {
                given_up.cancel();
            }
        });
    }
}

fn too_long(what: &str, limit: Duration) -> AttemptError {
    AttemptError::Handshake(format!("{what} did not end within {} s", limit.as_secs()))
}

/// What a broken handshake amounts to, with regard to what was received.
fn classify(error: &russh::Error, ended: &Ended, seen: &Seen) -> AttemptError {
    let line = seen.first_line();
    if seen.stage() != Stage::Talking {
        return AttemptError::ClosedEarly;
    }
    if let Some(problem) = AttemptError::of_first_line(&line) {
        return problem;
    }
    match error {
        russh::Error::NoCommonAlgo { kind, ours, theirs } => {
            AttemptError::Handshake(no_match(kind, ours, theirs))
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
        let dialed = route.dial(&address, seen).await?;
        let entry = Entry {
            login: &settings.login,
            offers: Some(settings),
            person: None,
        };
        let session = Session::open(settings, entry, dialed.stream, seen).await?;
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
