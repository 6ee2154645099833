//! The plugin's own process: starting it for one component, its log, its end.

use std::collections::VecDeque;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kiln_sdk::{Failure, HOST_VARIABLES, Held, Resource, RunContext};
use plugin_wire::handshake::{DIRECTORY_VARIABLE, PACKER_NAME_VARIABLE, PACKER_PLUGIN_VARIABLE};
use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal};
use sdk_packer_protocol::Kind;
use sdk_packer_protocol::endpoint::RemoteComponent;
use sdk_packer_protocol::spec::Encoding;
use sdk_packer_protocol::transport::{
    COOKIE, COOKIE_VARIABLE, Handshake, MAX_LINE, Network, PORT_VARIABLES, Session, SessionError,
    Side,
};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a plugin may take from its start to its first line.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(60);
/// How long the last lines of a dead plugin's log are waited for.
const LAST_WORDS_LIMIT: Duration = Duration::from_millis(500);
/// How long it may take to end by itself when its connection has ended.
const END_LIMIT: Duration = Duration::from_secs(2);
/// The longest line of a log that is kept whole, in bytes.
const MAX_LOG_LINE: u64 = 64 * 1024;
/// Lines of the log that a failure shows.
const TAIL: usize = 10;
/// First argument of the bridge when it only prepares a plugin's process.
const LAUNCHER: &str = "--launch-below";

/// A plugin's executable.
#[derive(Debug)]
pub(crate) struct Executable {
    path: PathBuf,
    /// How it encodes its descriptions.
    pub(crate) encoding: Encoding,
}

/// A running process that serves one component.
pub(crate) struct Running {
    /// The component in it.
    pub(crate) component: RemoteComponent,
    process: Process,
}

/// A process that was started.
struct Process {
    name: String,
    child: Child,
    group: Group,
    log: Arc<Mutex<VecDeque<String>>>,
    /// Reads the log until the plugin ends.
    reader: JoinHandle<()>,
    held: Option<Held>,
}

/// Ends a process group when it is dropped.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        kill_group(self.0);
    }
}

/// Kills the group that `leader` leads; one that is gone is fine.
pub(crate) fn kill_group(leader: u32) {
    let leader = i32::try_from(leader).ok().and_then(Pid::from_raw);
    if let Some(leader) = leader
        && let Err(error) = kill_process_group(leader, Signal::KILL)
    {
        // It may have ended by itself.
        tracing::trace!(%error, "a process group was not killed");
    }
}

/// Removes what only this process is meant to know from the environment of a plugin.
pub(crate) fn keep_from_plugins(command: &mut Command) {
    let own = [PACKER_PLUGIN_VARIABLE, PACKER_NAME_VARIABLE];
    for variable in HOST_VARIABLES.iter().chain(&own) {
        command.env_remove(variable);
    }
}

impl Executable {
    pub(crate) fn new(path: PathBuf, encoding: Encoding) -> Self {
        Self { path, encoding }
    }

    /// The file's name.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Starts a process for the component `raw_name`. With `cx` it is on record while it runs.
    pub(crate) async fn start(
        &self,
        kind: Kind,
        raw_name: &str,
        cx: Option<&RunContext>,
    ) -> Result<Running, Failure> {
        let name = self.name();
        let command = self.command(kind, raw_name, cx);
        let command = command.map_err(|error| failed("cannot start", &name, &error))?;
        let child = spawn_below(command).await;
        let mut child = child.map_err(|error| failed("cannot start", &name, &error))?;
        let pid = child.id().unwrap_or_default();
        let group = Group(pid);
        let held = match (cx, Resource::process(pid)) {
            (Some(cx), Some(resource)) => Some(cx.announce(resource).await?),
            _ => None,
        };
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let stderr = child.stderr.take().expect("it was asked for");
        let stdout = child.stdout.take().expect("it was asked for");
        let process = Process {
            reader: tokio::spawn(read_log(stderr, name.clone(), Arc::clone(&log))),
            name,
            child,
            group,
            log,
            held,
        };
        match taken_up(stdout, kind, cx).await {
            Ok(component) => Ok(Running { component, process }),
            Err(error) => Err(process.useless(&error).await),
        }
    }

    fn command(
        &self,
        kind: Kind,
        raw_name: &str,
        cx: Option<&RunContext>,
    ) -> std::io::Result<Command> {
        // The process shall not outlive this one, also when this one is killed.
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(LAUNCHER).arg(std::process::id().to_string());
        command.arg(&self.path).args(["start", kind.argument()]);
        if self.encoding == Encoding::Protobuf {
            command.arg("--protobuf");
        }
        command.arg(raw_name);
        keep_from_plugins(&mut command);
        // A plugin that is only asked something may be confined to this process's own folder; its
        // socket is a temporary file.
        if let (None, Some(folder)) = (cx, std::env::var_os(DIRECTORY_VARIABLE)) {
            command.env("TMPDIR", folder);
        }
        command
            .env(COOKIE_VARIABLE, COOKIE)
            .envs(PORT_VARIABLES)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Ok(command)
    }
}

/// Carries out the bridge's other role: becomes the plugin after seeing to it that the kernel ends
/// it with the bridge. `None` when this is the bridge itself.
pub(crate) fn run_as_launcher() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != LAUNCHER {
        return None;
    }
    let parent = arguments
        .next()?
        .to_str()?
        .parse()
        .ok()
        .and_then(Pid::from_raw);
    let program = arguments.next()?;
    let prepared = set_parent_process_death_signal(Some(Signal::KILL));
    // The bridge may have ended before the kernel was told.
    if prepared.is_err() || parent.is_none() || rustix::process::getppid() != parent {
        return Some(ExitCode::FAILURE);
    }
    let error = Command::new(&program).args(arguments).exec();
    // Nobody can be told when standard error is closed.
    drop(writeln!(
        std::io::stderr(),
        "cannot run {}: {error}",
        program.display()
    ));
    Some(ExitCode::FAILURE)
}

type Spawn = (Command, oneshot::Sender<std::io::Result<Child>>);

/// Starts a process from a thread that lasts as long as this process: the kernel ends the child
/// when the thread that started it ends, not only when all of them do.
async fn spawn_below(command: Command) -> std::io::Result<Child> {
    static SPAWNER: Mutex<Option<std::sync::mpsc::Sender<Spawn>>> = Mutex::new(None);
    let (started, child) = oneshot::channel();
    {
        let mut spawner = SPAWNER.lock().unwrap_or_else(PoisonError::into_inner);
        let sender =
            spawner.get_or_insert_with(|| spawner_thread(tokio::runtime::Handle::current()));
        let sent = sender.send((command, started));
        sent.map_err(|_| std::io::Error::other("the thread that starts plugins has ended"))?;
    }
    let ended = || std::io::Error::other("the thread that starts plugins has ended");
    child.await.map_err(|_| ended())?
}

fn spawner_thread(runtime: tokio::runtime::Handle) -> std::sync::mpsc::Sender<Spawn> {
    let (sender, requests) = std::sync::mpsc::channel::<Spawn>();
    std::thread::spawn(move || {
        let _runtime = runtime.enter();
        for (command, started) in requests {
            let mut command = tokio::process::Command::from(command);
            // One who no longer waits drops the child, which ends it.
            drop(started.send(command.kill_on_drop(true).spawn()));
        }
    });
    sender
}

/// Why a first line did not lead to a connection.
#[derive(Debug, thiserror::Error)]
enum GreetError {
    #[error("it printed no first line within {} s", HANDSHAKE_LIMIT.as_secs())]
    Slow,
    #[error("it ended before its first line")]
    Ended,
    #[error(transparent)]
    Line(#[from] sdk_packer_protocol::transport::HandshakeError),
    #[error("cannot connect to it")]
    Connect(#[source] std::io::Error),
    #[error("cannot talk to it")]
    Talk(#[source] SessionError),
    #[error("the run was cancelled")]
    Cancelled,
}

/// Takes up the component of a process that was just started, unless the run is cancelled before.
async fn taken_up(
    stdout: tokio::process::ChildStdout,
    kind: Kind,
    cx: Option<&RunContext>,
) -> Result<RemoteComponent, GreetError> {
    let taking = async {
        let session = greet(stdout).await?;
        let component = RemoteComponent::connect(session, kind).await;
        component.map_err(GreetError::Talk)
    };
    match cx {
        None => taking.await,
        Some(cx) => {
            let taken = cx.until_cancelled(taking).await;
            taken.unwrap_or(Err(GreetError::Cancelled))
        }
    }
}

/// What could not be done with the plugin `name`.
fn failed(what: &str, name: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    let cause = Failure::from_error(error).message;
    Failure::new(format!("{what} the Packer plugin `{name}`: {cause}"))
}

/// Reads the first line and connects. What the plugin prints afterwards is read and dropped.
async fn greet(stdout: tokio::process::ChildStdout) -> Result<Session, GreetError> {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    let mut limited = (&mut stdout).take(MAX_LINE as u64);
    let read = tokio::time::timeout(HANDSHAKE_LIMIT, limited.read_until(b'\n', &mut line)).await;
    match read {
        Err(_) => return Err(GreetError::Slow),
        Ok(Ok(1..)) => {}
        Ok(_) => return Err(GreetError::Ended),
    }
    let handshake = Handshake::parse(&String::from_utf8_lossy(&line))?;
    drop(tokio::spawn(async move {
        // A plugin that prints must not block on a full pipe; what it prints means nothing.
        drop(tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await);
    }));
    let connect = async {
        Ok(match handshake.network {
            Network::Unix => {
                let socket = tokio::net::UnixStream::connect(&handshake.address).await?;
                Session::new(socket, Side::Host)
            }
            Network::Tcp => {
                let socket = tokio::net::TcpStream::connect(&handshake.address).await?;
                Session::new(socket, Side::Host)
            }
        })
    };
    let connected = tokio::time::timeout(HANDSHAKE_LIMIT, connect).await;
    connected
        .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
        .map_err(GreetError::Connect)
}

/// Hands the plugin's log on, line by line, and keeps the last ones.
async fn read_log(
    stderr: impl AsyncRead + Unpin,
    name: String,
    tail: Arc<Mutex<VecDeque<String>>>,
) {
    let mut stderr = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut stderr).take(MAX_LOG_LINE);
        match limited.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        tracing::info!("{name} plugin: {line}");
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line.to_owned());
    }
}

fn append_tail(message: &mut String, log: &Mutex<VecDeque<String>>) {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if !log.is_empty() {
        message.push_str("\nThe last lines of its log:");
        for line in log.iter() {
            message.push_str("\n    ");
            message.push_str(line);
        }
    }
}

/// Waits a little for the last lines of a process that has ended: another one may hold the pipe.
async fn read_to_end(reader: &mut JoinHandle<()>) {
    drop(tokio::time::timeout(LAST_WORDS_LIMIT, reader).await);
}

async fn release(held: Option<Held>) {
    if let Some(held) = held {
        held.release().await;
    }
}

impl Process {
    /// Ends a process that cannot be used because of `error`.
    async fn useless(mut self, error: &GreetError) -> Failure {
        if matches!(error, GreetError::Cancelled) {
            self.end().await;
            return Failure::cancelled();
        }
        let mut failure = failed("cannot use", &self.name, error);
        // One that is about to end by itself has an exit status and last words of its own.
        let ended = tokio::time::timeout(LAST_WORDS_LIMIT, self.child.wait()).await;
        if let Ok(Ok(status)) = ended {
            failure.message.push_str(&format!(" ({status})"));
        }
        kill_group(self.group.0);
        read_to_end(&mut self.reader).await;
        append_tail(&mut failure.message, &self.log);
        self.end().await;
        failure
    }

    /// Kills what is left of it and of its group, and waits for its end.
    async fn end(self) {
        let Self {
            mut child,
            group,
            held,
            ..
        } = self;
        drop(group);
        match tokio::time::timeout(END_LIMIT, child.wait()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a plugin's process cannot be waited for"),
            Err(_) => tracing::warn!("a plugin's process did not end after it was killed"),
        }
        release(held).await;
    }
}

impl Running {
    /// The connection has ended: what became of the process.
    pub(crate) async fn post_mortem(&mut self, during: &str) -> Failure {
        let process = &mut self.process;
        let ended = tokio::time::timeout(END_LIMIT, process.child.wait()).await;
        let how = match ended {
            Ok(Ok(status)) => format!("ended ({status})"),
            Ok(Err(_)) | Err(_) => "closed its connection".to_owned(),
        };
        let name = &process.name;
        let mut message = format!("the Packer plugin `{name}` {how} during {during}");
        read_to_end(&mut process.reader).await;
        append_tail(&mut message, &process.log);
        Failure::new(message)
    }

    /// Ends the process and everything it started.
    pub(crate) async fn end(self) {
        let Self {
            component,
            mut process,
        } = self;
        // It ends by itself when its control stream does.
        drop(component);
        drop(tokio::time::timeout(END_LIMIT, process.child.wait()).await);
        process.end().await;
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use kiln_sdk::{BuildInfo, HostLink, RunContext};
    use sdk_packer_protocol::Kind;
    use tokio_util::sync::CancellationToken;

    use super::{GreetError, taken_up};

    #[tokio::test]
    async fn a_start_is_given_up_with_its_run() {
        let mut silent = tokio::process::Command::new("sleep")
            .arg("600")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let stdout = silent.stdout.take().expect("it was asked for");
        let (link, _told) = HostLink::new();
        let cancel = CancellationToken::new();
        let cx = RunContext::new(link, cancel.clone(), BuildInfo::default());
        let start = taken_up(stdout, Kind::Builder, Some(&cx));
        let (taken, ()) = tokio::join!(start, async { cancel.cancel() });
        assert!(matches!(taken, Err(GreetError::Cancelled)));
    }
}
