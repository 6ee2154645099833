//! One running plugin process: its start, its calls, its end.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugin_wire::handshake;
use plugin_wire::v1::plugin_client::PluginClient;
use rand::RngCore;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::watch;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Response, Status};

use self::end::{Ending, Leftovers, Watched, signal_group, watch_exit};
use crate::connection::{Bearer, connect};
use crate::convert::BadMessage;
use crate::error::ClientError;
use crate::handshake::{Handshake, HandshakeError};
use crate::journal::Owner;
use crate::log::{self, Lines, LogRing};
use crate::open_files::restore_open_files;
use crate::private_folder::PrivateFolder;
use crate::run::Artifact;

mod end;
mod memory;
mod strays;

/// How long a plugin may take to end after its standard input was closed, when nothing runs in it.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long it may take after the signal to terminate.
const TERMINATE_LIMIT: Duration = Duration::from_secs(5);
/// How long the end of a process is waited for after its connection broke.
const EXIT_LIMIT: Duration = Duration::from_secs(1);
/// Where plugins made for Packer look for the user's configuration.
const PACKER_CONFIG_VARIABLE: &str = "PACKER_CONFIG_DIR";
/// The variable that says where temporary files go.
const TEMPORARY_VARIABLE: &str = "TMPDIR";
/// The variable with the identity of the run.
const PACKER_RUN_VARIABLE: &str = "PACKER_RUN_UUID";
/// Lines after the handshake are no protocol; this many are told to the log.
const STRAY_LINES: usize = 10;

pub(crate) type Client = PluginClient<InterceptedService<Channel, Bearer>>;

/// A plugin process. Dropping it kills the process group.
#[derive(Debug)]
pub(crate) struct Process {
    owner: Owner,
    folder: PrivateFolder,
    group: Pid,
    log: LogRing,
    exit: watch::Receiver<Option<String>>,
    ending: Arc<Ending>,
    /// Open as long as the process may live.
    stdin: Mutex<Option<ChildStdin>>,
    client: Mutex<Option<Client>>,
}

impl Process {
    /// Starts the plugin and waits until it answers.
    pub(crate) async fn start(owner: Owner, folder: PrivateFolder) -> Result<Self, ClientError> {
        let token = random_word::<32>();
        let run = random_word::<16>();
        let mut child = spawn(&owner, &folder, &token, &run)?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let group = group.expect("a child that was not waited for has an id");
        let log = LogRing::default();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let reader = tokio::spawn(log::forward(owner.name.clone(), stderr, log.clone()));
        let ending = Arc::new(Ending::default());
        let watched = Watched {
            ending: Arc::clone(&ending),
            memory: folder.isolation.memory_limit(&owner),
            has_bridge: owner.behind.is_some(),
            leftovers: match owner.confined {
                Some(_) => Leftovers::End(owner.name.clone(), run),
                None => Leftovers::Stay,
            },
        };
        let exit = watch_exit(child, group, reader, watched);
        let process = Self {
            owner,
            folder,
            group,
            log,
            exit,
            ending,
            stdin: Mutex::new(stdin),
            client: Mutex::new(None),
        };
        let limit = handshake::DEADLINE;
        let ready = tokio::time::timeout(limit, process.greet(stdout, &token)).await;
        let client = ready.map_err(|_| ClientError::NoHandshake {
            plugin: process.owner.name.clone(),
            limit,
            log: process.log.tail(),
        })??;
        process.ending.begun.store(true, Ordering::Relaxed);
        *process
            .client
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(client);
        Ok(process)
    }

    async fn greet(&self, stdout: ChildStdout, token: &str) -> Result<Client, ClientError> {
        let mut lines = Lines::new(stdout);
        let line = match lines.next().await {
            Ok(Some(line)) => line,
            Ok(None) => return Err(self.no_word().await),
            Err(error) => return Err(self.bad_handshake(HandshakeError::Unreadable(error))),
        };
        let greeting = Handshake::parse(&line, &self.folder.sockets)
            .map_err(|source| self.bad_handshake(source))?;
        tokio::spawn(drain(self.owner.name.clone(), lines));
        let connected = tokio::select! {
            biased;
            connected = connect(greeting.socket.clone(), token) => connected,
            exit = self.ended() => return Err(self.died("start", exit)),
        };
        connected.map_err(|source| ClientError::Connect {
            plugin: self.owner.name.clone(),
            socket: greeting.socket,
            source: Box::new(source),
            log: self.log.tail(),
        })
    }

    /// Standard output ended: because the process did, as a rule.
    async fn no_word(&self) -> ClientError {
        match tokio::time::timeout(EXIT_LIMIT, self.ended()).await {
            Ok(exit) => self.died("start", exit),
            Err(_) => self.bad_handshake(HandshakeError::Nothing),
        }
    }

    fn bad_handshake(&self, source: HandshakeError) -> ClientError {
        ClientError::BadHandshake {
            plugin: self.owner.name.clone(),
            source,
            log: self.log.tail(),
        }
    }

    /// The plugin.
    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Folder for its private files.
    pub(crate) fn files(&self) -> &Path {
        &self.folder.files
    }

    /// Makes a call. It ends at once when the process does.
    pub(crate) async fn call<T, F>(
        &self,
        doing: &str,
        limit: Duration,
        make: impl FnOnce(Client) -> F,
    ) -> Result<T, ClientError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let client = self
            .client
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(client) = client else {
            return Err(self.died(doing, "it was told to end".to_owned()));
        };
        tokio::select! {
            biased;
            answer = tokio::time::timeout(limit, make(client)) => match answer {
                Ok(Ok(answer)) => Ok(answer.into_inner()),
                Ok(Err(status)) => Err(self.failed(doing, status).await),
                Err(_) => Err(ClientError::TooSlow {
                    plugin: self.owner.name.clone(),
                    doing: doing.to_owned(),
                    limit,
                    log: self.log.tail(),
                }),
            },
            exit = self.ended() => Err(self.died(doing, exit)),
        }
    }

    /// The error for a call that was refused, or broke because the process died.
    pub(crate) async fn failed(&self, doing: &str, status: Status) -> ClientError {
        let broken = matches!(
            status.code(),
            tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Cancelled
        );
        if broken && let Ok(exit) = tokio::time::timeout(EXIT_LIMIT, self.ended()).await {
            return self.died(doing, exit);
        }
        ClientError::Call {
            plugin: self.owner.name.clone(),
            doing: doing.to_owned(),
            source: status.into(),
            log: self.log.tail(),
        }
    }

    /// The error for a message that is not allowed.
    pub(crate) fn broke_protocol(&self, doing: &str, source: BadMessage) -> ClientError {
        ClientError::Protocol {
            plugin: self.owner.name.clone(),
            doing: doing.to_owned(),
            source,
            log: self.log.tail(),
        }
    }

    /// Takes from an artifact what a confined plugin may not remove itself: removing it later is
    /// done by the host, which may.
    pub(crate) fn limit(&self, artifact: &mut Artifact) {
        artifact.destroy.retain(|path| {
            let allowed = self.folder.may_change(&self.owner, path);
            if !allowed {
                let (plugin, path) = (&self.owner.name, path.display());
                tracing::warn!(plugin, %path, "an artifact names what the plugin may not remove");
            }
            allowed
        });
    }

    /// What a failure of the plugin's own says, with advice when it was refused something because it
    /// is confined.
    pub(crate) fn advised(&self, message: String) -> String {
        match self.folder.isolation.advice(&self.owner, &message) {
            Some(advice) => format!("{message}\n{advice}"),
            None => message,
        }
    }

    /// The error for a process that is gone.
    pub(crate) fn died(&self, doing: &str, exit: String) -> ClientError {
        ClientError::Died {
            plugin: self.owner.name.clone(),
            doing: doing.to_owned(),
            exit,
            log: self.log.tail(),
        }
    }

    /// Whether it has not been seen to end.
    pub(crate) fn is_running(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Waits for the end of the process; how it ended, in words.
    pub(crate) async fn ended(&self) -> String {
        let mut exit = self.exit.clone();
        // The sender only goes away with the runtime.
        exit.wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|exit| exit.clone())
            .unwrap_or_else(|| "nobody knows how".to_owned())
    }

    /// Ends the process: closes its standard input, waits, then ends its process group by force.
    pub(crate) async fn stop(&self) {
        self.ending.wanted.store(true, Ordering::Relaxed);
        drop(
            self.client
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        drop(
            self.stdin
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        if self.ends_within(STOP_LIMIT).await {
            return;
        }
        tracing::warn!(
            plugin = self.owner.name,
            "the plugin does not end, it is terminated"
        );
        self.signal(Signal::TERM);
        if self.ends_within(TERMINATE_LIMIT).await {
            return;
        }
        self.kill().await;
    }

    /// Ends the process group by force and waits for it.
    pub(crate) async fn kill(&self) {
        self.kill_soon();
        if !self.ends_within(EXIT_LIMIT).await {
            tracing::warn!(plugin = self.owner.name, "the plugin cannot be killed");
        }
    }

    /// Has the process group ended by force, without waiting.
    pub(crate) fn kill_soon(&self) {
        self.ending.wanted.store(true, Ordering::Relaxed);
        self.ending.forced.store(true, Ordering::Relaxed);
        self.signal(Signal::KILL);
    }

    async fn ends_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.ended()).await.is_ok()
    }

    fn signal(&self, signal: Signal) {
        // The number may belong to somebody else once the process was waited for.
        if self.exit.borrow().is_some() {
            return;
        }
        signal_group(self.group, signal);
        // A confined one makes its group itself, a moment after it was started.
        if !self.ending.begun.load(Ordering::Relaxed)
            && let Err(error) = kill_process(self.group, signal)
        {
            tracing::debug!(%error, "cannot signal a process");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_soon();
    }
}

/// Random bytes in hexadecimal.
fn random_word<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

fn spawn(
    owner: &Owner,
    folder: &PrivateFolder,
    token: &str,
    run: &str,
) -> Result<Child, ClientError> {
    let level = tracing::level_filters::LevelFilter::current();
    let mut command = folder.command(owner);
    command
        .env(handshake::COOKIE_VARIABLE, handshake::COOKIE)
        .env(handshake::TOKEN_VARIABLE, token)
        .env(handshake::RUN_VARIABLE, run)
        .env(handshake::DIRECTORY_VARIABLE, &folder.sockets)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if folder.isolation.withholds_temporary(owner) {
        command.env(TEMPORARY_VARIABLE, &folder.files);
    }
    if !folder.run_uuid.is_empty() {
        command.env(PACKER_RUN_VARIABLE, &folder.run_uuid);
    }
    if let Some(behind) = &owner.behind {
        let is_library = behind
            .executable
            .extension()
            .is_some_and(|suffix| suffix == "so");
        let variable = match is_library {
            true => handshake::LIBRARY_VARIABLE,
            false => handshake::PACKER_PLUGIN_VARIABLE,
        };
        command
            .env(variable, &behind.executable)
            .env(handshake::PACKER_NAME_VARIABLE, &behind.name);
        // Some plugins keep temporary files where the configuration is, beside installed plugins.
        if owner.confined.is_some() {
            command.env(PACKER_CONFIG_VARIABLE, &folder.files);
        }
    }
    if std::env::var_os(handshake::LOG_VARIABLE).is_none() {
        // The last lines are kept for error messages, whether there is a log or not.
        let level = level.max(tracing::level_filters::LevelFilter::INFO);
        command.env(handshake::LOG_VARIABLE, level.to_string().to_lowercase());
    }
    let child = command.spawn().map_err(|source| ClientError::Spawn {
        plugin: owner.name.clone(),
        path: owner.path.clone(),
        source,
    })?;
    restore_open_files(child.id());
    Ok(child)
}

/// Reads what is not protocol, so that the plugin never waits for a full pipe.
async fn drain(plugin: String, mut lines: Lines<ChildStdout>) {
    let mut seen = 0;
    while let Ok(Some(line)) = lines.next().await {
        seen += 1;
        if seen <= STRAY_LINES {
            tracing::warn!(plugin, line, "the plugin writes to its standard output");
        }
    }
}

/// The name of a plugin as its executable's file name says it.
pub(crate) fn owner_of(path: PathBuf) -> Owner {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name = name
        .strip_prefix(crate::tree::Family::Kiln.prefix())
        .unwrap_or(&name)
        .to_owned();
    Owner {
        name,
        source: String::new(),
        path,
        behind: None,
        confined: None,
    }
}

#[cfg(test)]
mod tests;
