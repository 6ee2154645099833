//! Waiting for a machine's SSH server and logging in.
//!
//! A machine that boots refuses connections, or something in front of it (QEMU's port forwarding,
//! a load balancer) accepts them and stays silent. So attempts follow each other quickly, and next
//! to a silent attempt a second, fresher one is made every other moment: whichever is answered
//! first is used. The older one stays, for machines that take their time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auth::AuthFailure;
use crate::communicator::SshCommunicator;
use crate::connection::Connection;
use crate::failure::{AttemptError, History};
use crate::observer::{ConnectEvent, ConnectObserver};
use crate::route::{Route, through};
use crate::settings::Settings;
use crate::stream::{Seen, Stage};

/// How often decisions are taken while nothing happens.
const TICK: Duration = Duration::from_millis(50);
/// How long the only attempt may be silent before a second one is made.
const SILENCE: Duration = Duration::from_secs(1);
/// The most it grows to, as long as all stay silent.
const LONGEST_SILENCE: Duration = Duration::from_secs(3);

/// Where an SSH server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The address is not known yet; the text says what it waits for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAddress(pub String);

/// Finds the machine's address; asked again before each attempt, because it may change.
#[async_trait]
pub trait AddressSource: Send + Sync + 'static {
    /// The address at this moment.
    ///
    /// # Errors
    ///
    /// [`NoAddress`] when it is not known yet.
    async fn address(&self) -> Result<Address, NoAddress>;
}

#[async_trait]
impl AddressSource for Address {
    async fn address(&self) -> Result<Address, NoAddress> {
        Ok(self.clone())
    }
}

/// There is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The time is up.
    #[error(
        "Timeout waiting for SSH: no connection to {to} within {} s ({} attempts): {history}",
        elapsed.as_secs(), history.attempts()
    )]
    Timeout {
        /// Where to; `the machine` when the address never was known.
        to: String,
        /// How long it was tried.
        elapsed: Duration,
        /// What was seen.
        history: History,
    },
    /// The login was refused too often.
    #[error(
        "{}{failure} ({attempts} of {attempts} attempts, `ssh_handshake_attempts`)",
        at_bastion(bastion.as_deref())
    )]
    Authentication {
        /// The bastion that refused; none when it was the machine.
        bastion: Option<String>,
        /// The last refusal.
        failure: AuthFailure,
        /// How often.
        attempts: u32,
    },
    /// The run was cancelled.
    #[error("cancelled while waiting for SSH")]
    Cancelled,
    /// A port of `ssh_local_tunnels` is taken.
    #[error("cannot listen on 127.0.0.1:{port} for `ssh_local_tunnels`")]
    LocalTunnel {
        /// Which port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
}

impl ConnectError {
    /// The option that is most likely to be wrong; `None` for the end after a cancellation.
    #[must_use]
    pub fn option(&self) -> Option<&'static str> {
        match self {
            Self::Timeout { .. } => Some("ssh_timeout"),
            Self::Authentication { failure, .. } => Some(failure.option),
            Self::LocalTunnel { .. } => Some("ssh_local_tunnels"),
            Self::Cancelled => None,
        }
    }
}

fn at_bastion(host: Option<&str>) -> String {
    host.map_or_else(String::new, |host| format!("bastion {host}: "))
}

/// Logins were refused too often; `None` when `error` is no refusal.
fn refused(error: &AttemptError, attempts: u32) -> Option<ConnectError> {
    let failure = error.authentication()?.clone();
    Some(ConnectError::Authentication {
        bastion: error.bastion().map(str::to_owned),
        failure,
        attempts,
    })
}

/// Waits for the machine's SSH server, logs in, and returns the machine.
///
/// Ends within the options' limits: time (`ssh_timeout`) and refused logins
/// (`ssh_handshake_attempts`).
///
/// # Errors
///
/// [`ConnectError`], whose text says what was seen.
pub async fn connect(
    settings: Settings,
    addresses: Arc<dyn AddressSource>,
    cancel: &CancellationToken,
    observer: &dyn ConnectObserver,
) -> Result<SshCommunicator, ConnectError> {
    let settings = Arc::new(settings);
    let route = Arc::new(Route::new(Arc::clone(&settings)));
    let work = async {
        let known = addresses.address().await.ok();
        if let Some(address) = &known {
            observer.event(ConnectEvent::Using(address.clone())).await;
        }
        observer.event(ConnectEvent::Waiting).await;
        meet_bastion(&route, observer).await?;
        let mut race = Race::new(&route);
        race.address = known;
        let mut connection = race
            .run(addresses.as_ref(), settings.limit, observer)
            .await?;
        if !settings.pause.is_zero() {
            connection.leave().await;
            drop(connection);
            observer.event(ConnectEvent::Pausing(settings.pause)).await;
            tokio::time::sleep(settings.pause).await;
            connection = establish(&route, addresses.as_ref(), settings.limit).await?;
        }
        observer.event(ConnectEvent::Connected).await;
        let machine = SshCommunicator::new(Arc::clone(&route), Arc::clone(&addresses), connection);
        machine.open_local_tunnels().await?;
        Ok(machine)
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ConnectError::Cancelled),
        result = work => result,
    }
}

/// Logs in to a bastion that asks the person, before anything else: they may take their time, and
/// attempts that run side by side would ask them twice.
async fn meet_bastion(route: &Route, observer: &dyn ConnectObserver) -> Result<(), ConnectError> {
    let settings = &route.settings;
    let bastion = settings.bastion.as_ref();
    let Some(bastion) = bastion.filter(|bastion| bastion.login.interactive) else {
        return Ok(());
    };
    let limit = settings.limit_or(settings.limit);
    let (started, mut history, mut refusals) = (Instant::now(), History::default(), 0);
    loop {
        let Err(error) = route.meet_bastion(observer).await else {
            return Ok(());
        };
        if let Some(failure) = refused(&error, settings.attempts) {
            refusals += 1;
            if refusals == settings.attempts {
                return Err(failure);
            }
        }
        let pause = error.pause(refusals);
        history.add(error.clone());
        observer.event(ConnectEvent::AttemptFailed(error)).await;
        if limit.is_some_and(|limit| started.elapsed() + pause >= limit) {
            return Err(ConnectError::Timeout {
                to: format!("the bastion {}", bastion.host),
                elapsed: started.elapsed(),
                history,
            });
        }
        tokio::time::sleep(pause).await;
    }
}

/// Makes a connection within `limit`; without one, until logins were refused too often.
pub(crate) async fn establish(
    route: &Arc<Route>,
    addresses: &dyn AddressSource,
    limit: Option<Duration>,
) -> Result<Connection, ConnectError> {
    Race::new(route).run(addresses, limit, &()).await
}

/// One attempt that runs.
struct Lane {
    id: tokio::task::Id,
    abort: tokio::task::AbortHandle,
    seen: Arc<Seen>,
    born: Instant,
}

impl Lane {
    fn is_talking(&self) -> bool {
        self.seen.stage() == Stage::Talking
    }

    /// Whether another attempt could be luckier. The login at the bastion is for all of them.
    fn is_silent(&self) -> bool {
        !matches!(self.seen.stage(), Stage::Talking | Stage::Bastion)
    }

    /// What it amounts to when it is given up now.
    fn given_up(&self, bastion: Option<&str>) -> AttemptError {
        let age = self.born.elapsed();
        let endless =
            || AttemptError::Handshake(format!("it did not end within {:.1} s", age.as_secs_f64()));
        match self.seen.stage() {
            Stage::Dialing => {
                AttemptError::Unreachable(format!("no answer within {:.1} s", age.as_secs_f64()))
            }
            Stage::Bastion => through(bastion.unwrap_or_default(), endless()),
            Stage::Proxy => {
                AttemptError::Proxy(format!("no answer within {:.1} s", age.as_secs_f64()))
            }
            Stage::Silent => AttemptError::Silent(age),
            Stage::Talking => {
                let known = AttemptError::of_first_line(&self.seen.first_line());
                known.unwrap_or_else(endless)
            }
        }
    }
}

/// The attempts that run side by side: one, or two while both are silent.
struct Race<'a> {
    route: &'a Arc<Route>,
    started: Instant,
    running: JoinSet<Result<Connection, AttemptError>>,
    lanes: Vec<Lane>,
    history: History,
    refused: u32,
    next_start: Instant,
    silence: Duration,
    address: Option<Address>,
}

impl<'a> Race<'a> {
    fn new(route: &'a Arc<Route>) -> Self {
        Self {
            route,
            started: Instant::now(),
            running: JoinSet::new(),
            lanes: Vec::new(),
            history: History::default(),
            refused: 0,
            next_start: Instant::now(),
            silence: SILENCE,
            address: None,
        }
    }

    async fn run(
        mut self,
        addresses: &dyn AddressSource,
        limit: Option<Duration>,
        observer: &dyn ConnectObserver,
    ) -> Result<Connection, ConnectError> {
        let attempts = self.route.settings.attempts;
        let limit = self.route.settings.limit_or(limit);
        loop {
            if limit.is_some_and(|limit| self.started.elapsed() >= limit) {
                return Err(self.timeout());
            }
            self.drop_silent();
            if self.wants_attempt() {
                self.start(addresses, observer).await;
            }
            let error = match self.next_result().await {
                Some(Ok(connection)) => return Ok(connection),
                Some(Err(error)) => error,
                None => continue,
            };
            self.failed(error.clone());
            if let Some(failure) = refused(&error, attempts)
                && attempts != 0
                && self.refused >= attempts
            {
                return Err(failure);
            }
            observer.event(ConnectEvent::AttemptFailed(error)).await;
        }
    }

    /// What an attempt came to; `None` when none ended for a moment.
    async fn next_result(&mut self) -> Option<Result<Connection, AttemptError>> {
        let finished = tokio::select! {
            Some(finished) = self.running.join_next_with_id() => finished,
            () = tokio::time::sleep(TICK) => return None,
        };
        match finished {
            Ok((id, result)) => {
                self.lanes.retain(|lane| lane.id != id);
                Some(result)
            }
            Err(error) if error.is_cancelled() => None,
            Err(error) => {
                self.lanes.retain(|lane| lane.id != error.id());
                Some(Err(AttemptError::Handshake(error.to_string())))
            }
        }
    }

    /// Gives up attempts that lost: silent ones next to one that is answered, and the younger of two
    /// after a while. The older one has limits of its own, which leave a server time to look up
    /// names before it speaks.
    fn drop_silent(&mut self) {
        let talking = self.lanes.iter().any(Lane::is_talking);
        let youngest = self.lanes.iter().map(|lane| lane.born).max();
        let (count, silence) = (self.lanes.len(), self.silence);
        let bastion = self.route.bastion_host();
        let mut given_up = Vec::new();
        self.lanes.retain(|lane| {
            let age = lane.born.elapsed();
            let is_late = count > 1 && Some(lane.born) == youngest && age >= silence;
            let lost = lane.is_silent() && (talking || is_late);
            if lost {
                lane.abort.abort();
                given_up.push(lane.given_up(bastion));
            }
            !lost
        });
        for error in given_up {
            tracing::debug!(%error, "ssh attempt given up");
            self.history.add(error);
            self.silence = self.silence.mul_f64(1.2).min(LONGEST_SILENCE);
        }
    }

    /// Whether it is time for another attempt.
    fn wants_attempt(&self) -> bool {
        match self.lanes.as_slice() {
            [] => Instant::now() >= self.next_start,
            [only] => only.is_silent() && only.born.elapsed() >= self.silence,
            _ => false,
        }
    }

    async fn start(&mut self, addresses: &dyn AddressSource, observer: &dyn ConnectObserver) {
        let address = match addresses.address().await {
            Ok(address) => address,
            Err(NoAddress(reason)) => {
                self.failed(AttemptError::NoAddress(reason));
                return;
            }
        };
        if self.address.as_ref() != Some(&address) {
            self.address = Some(address.clone());
            observer.event(ConnectEvent::Using(address.clone())).await;
        }
        let seen = Arc::new(Seen::default());
        let (route, watched) = (Arc::clone(self.route), Arc::clone(&seen));
        let abort = self
            .running
            .spawn(async move { Connection::open(&route, address, &watched).await });
        self.lanes.push(Lane {
            id: abort.id(),
            abort,
            seen,
            born: Instant::now(),
        });
    }

    fn failed(&mut self, error: AttemptError) {
        tracing::debug!(%error, attempt = self.history.attempts() + 1, "ssh attempt failed");
        if error.authentication().is_some() {
            self.refused += 1;
        }
        self.next_start = Instant::now() + error.pause(self.refused);
        self.history.add(error);
    }

    fn timeout(mut self) -> ConnectError {
        let bastion = self.route.bastion_host();
        for lane in &self.lanes {
            self.history.add(lane.given_up(bastion));
        }
        let to = self
            .address
            .as_ref()
            .map_or("the machine".to_owned(), Address::to_string);
        ConnectError::Timeout {
            to,
            elapsed: self.started.elapsed(),
            history: self.history,
        }
    }
}
