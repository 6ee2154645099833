//! One program and its run.

use std::fs::File;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use sdk_communicator::Output;
use sdk_component::{Failure, Held, Resource, RunContext};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::ended::Ended;
use crate::pump::{Heard, Shown, pump};

/// Time between asking a program to end and killing it.
const GRACE: Duration = Duration::from_secs(5);
/// How long output is waited for that a program's own children may still print after its end.
const TAIL: Duration = Duration::from_secs(2);

/// What a program reads from standard input.
#[derive(Clone, Default)]
pub enum Input {
    /// Nothing.
    #[default]
    Nothing,
    /// These bytes, which may be a secret.
    Bytes(Vec<u8>),
    /// A file.
    File(PathBuf),
}

/// Whose output belongs to a program's.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Speakers {
    /// Its own, and a little of what its children still print.
    #[default]
    Itself,
    /// That of everything it left in the background.
    Background,
}

/// Hears standard output, piece by piece.
pub(crate) type Listener = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A program to run here.
#[derive(Clone, Default)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    input: Input,
    limit: Option<Duration>,
    listener: Option<Listener>,
    speakers: Speakers,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Arguments, variables and input may be secrets.
        f.debug_struct("Program")
            .field("name", &self.name)
            .field("arguments", &self.arguments.len())
            .finish_non_exhaustive()
    }
}

impl Program {
    /// The program at a path, or of that name in `PATH`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The same with one more argument. No shell reads it.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The same with more arguments.
    #[must_use]
    pub fn args<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The same with one more variable in its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The same with something to read.
    #[must_use]
    pub fn input(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// The same; it is ended when it takes longer than `limit`.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same; `listener` hears its standard output as it comes, in pieces of any size. For
    /// progress that a program prints.
    #[must_use]
    pub fn listener(mut self, listener: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// The same; it is over only when what it left in the background is, unless that has closed or
    /// replaced its standard output and error. That is how a script is waited for whose author
    /// expects to see what its jobs print; without this they are left to themselves.
    #[must_use]
    pub fn with_background(mut self) -> Self {
        self.speakers = Speakers::Background;
        self
    }

    /// Runs it and shows what it prints, line by line.
    ///
    /// # Errors
    ///
    /// When it cannot be started, takes too long, or the run is cancelled: then the program and
    /// everything in its process group is gone. An exit code is no error.
    pub async fn show(&self, cx: &RunContext) -> Result<Ended, Failure> {
        self.run(cx, Shown::Lines, None).await
    }

    /// Runs it without showing anything.
    ///
    /// # Errors
    ///
    /// As [`Program::show`].
    pub async fn collect(&self, cx: &RunContext) -> Result<Ended, Failure> {
        self.run(cx, Shown::Nothing, None).await
    }

    /// Runs it with its standard output in `file`.
    ///
    /// # Errors
    ///
    /// As [`Program::show`].
    pub async fn write_to(&self, cx: &RunContext, file: File) -> Result<Ended, Failure> {
        self.run(cx, Shown::Nothing, Some(file)).await
    }

    async fn run(
        &self,
        cx: &RunContext,
        shown: Shown,
        file: Option<File>,
    ) -> Result<Ended, Failure> {
        let mut child = self.start(file)?;
        tracing::debug!(program = self.name, "a program started");
        let held = match child.id().and_then(Resource::process) {
            Some(process) => self.announced(cx, process).await?,
            None => None,
        };
        let result = self.watch(cx, &mut child, shown).await;
        if let Some(held) = held {
            held.release().await;
        }
        result
    }

    /// The process on record. A cleanup goes on when there is no host any more that keeps one; a run
    /// is cancelled then.
    async fn announced(&self, cx: &RunContext, process: Resource) -> Result<Option<Held>, Failure> {
        match cx.announce(process).await {
            Ok(held) => Ok(Some(held)),
            Err(failure) if cx.cancel().is_cancelled() => Err(failure),
            Err(_) => {
                tracing::debug!(program = self.name, "runs without being on record");
                Ok(None)
            }
        }
    }

    fn start(&self, file: Option<File>) -> Result<Child, Failure> {
        let input = match &self.input {
            Input::Nothing => Stdio::null(),
            Input::Bytes(_) => Stdio::piped(),
            Input::File(path) => {
                let file = File::open(path).map_err(|error| {
                    Failure::new(format!("cannot read `{}`: {error}", path.display()))
                })?;
                Stdio::from(file)
            }
        };
        let mut command = Command::new(&self.name);
        // What lets this plugin talk to its host is not the program's business.
        for variable in sdk_plugin_server::HOST_VARIABLES {
            command.env_remove(variable);
        }
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(input)
            .stdout(file.map_or_else(Stdio::piped, Stdio::from))
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.cannot_start(&error))
    }

    fn cannot_start(&self, error: &std::io::Error) -> Failure {
        let name = &self.name;
        if error.kind() == std::io::ErrorKind::NotFound {
            return Failure::new(format!(
                "cannot start `{name}`: it is not installed on this machine, or not in `PATH`"
            ));
        }
        Failure::new(format!("cannot start `{name}`: {error}"))
    }

    async fn watch(
        &self,
        cx: &RunContext,
        child: &mut Child,
        shown: Shown,
    ) -> Result<Ended, Failure> {
        let (sender, receiver) = mpsc::channel(64);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let readers = [
            stdout.map(|pipe| tokio::spawn(pump(pipe, sender.clone(), Output::Stdout))),
            stderr.map(|pipe| tokio::spawn(pump(pipe, sender, Output::Stderr))),
        ];
        let writer = child.stdin.take().map(|mut pipe| {
            let data = match &self.input {
                Input::Bytes(data) => data.clone(),
                _ => Vec::new(),
            };
            // A program that ends without reading everything tells by its exit code.
            tokio::spawn(async move { pipe.write_all(&data).await.is_ok() })
        });
        let heard = Heard::new(shown, self.listener.clone());
        let limit = async {
            match self.limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            biased;
            () = cx.cancel().cancelled() => Err(Failure::cancelled()),
            ended = finish(cx, child, receiver, heard, self.speakers) => ended.map_err(|error| {
                Failure::new(format!("cannot wait for `{}`: {error}", self.name))
            }),
            () = limit => Err(Failure::new(format!(
                "`{}` did not end within {} s",
                self.name,
                self.limit.unwrap_or_default().as_secs()
            ))),
        };
        for reader in readers.into_iter().flatten() {
            reader.abort();
        }
        if let Some(writer) = writer {
            writer.abort();
        }
        if ended.is_err() {
            end(child).await;
        }
        ended
    }
}

/// Listens until the program ended and said everything. Children that it left behind may hold its
/// pipes open for ever; they are waited for only where they are to be heard. The program itself is
/// then waited for last: until that it keeps its number, and its group can be ended by it.
async fn finish(
    cx: &RunContext,
    child: &mut Child,
    mut receiver: mpsc::Receiver<Output>,
    mut heard: Heard,
    speakers: Speakers,
) -> std::io::Result<Ended> {
    let mut status = None;
    loop {
        let output = tokio::select! {
            biased;
            output = receiver.recv() => output,
            ended = child.wait(), if status.is_none() && speakers == Speakers::Itself => {
                status = Some(ended?);
                continue;
            }
            () = tokio::time::sleep(TAIL), if status.is_some() => None,
        };
        let Some(output) = output else { break };
        heard.take(cx, &output).await;
    }
    let status = match status {
        Some(status) => status,
        None => child.wait().await?,
    };
    let (stdout, stderr) = heard.finish(cx).await;
    Ok(Ended {
        code: code(status),
        stdout,
        stderr,
    })
}

fn code(status: ExitStatus) -> i64 {
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    status
        .code()
        .map_or_else(|| 128 + i64::from(signal.unwrap_or(0)), i64::from)
}

/// Ends the program and its process group: first kindly, then for sure.
async fn end(child: &mut Child) {
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    let signal = |signal| {
        if let Some(group) = group
            && let Err(error) = kill_process_group(group, signal)
        {
            tracing::debug!(%error, "the program's process group is gone");
        }
    };
    signal(Signal::TERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        signal(Signal::KILL);
        if let Err(error) = child.wait().await {
            tracing::warn!(%error, "cannot wait for the killed program");
        }
    }
    // What the program started may have outlived it; nothing of the group is wanted any more.
    signal(Signal::KILL);
}
