//! What a component knows about its build, and its handle on the host.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sdk_communicator::Communicator;
use sdk_config::{Diagnostic, Diagnostics, Value, template_data};
use sdk_go_template::{BuildValues, Context, Data};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::failure::Failure;
use crate::link::{Answer, Event, HostLink, Level, PauseKind, Verdict};
use crate::resource::{Held, Resource};

/// What to do when a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnError {
    /// Undo everything.
    #[default]
    Cleanup,
    /// Leave everything as it is.
    Abort,
    /// Ask the person.
    Ask,
    /// Only run the error-cleanup provisioner.
    RunCleanupProvisioner,
}

/// Facts about the build a component works for.
#[derive(Clone, Debug, Default)]
pub struct BuildInfo {
    /// Full name, for example `release.qemu.debian`.
    pub name: String,
    /// Label of the source block, or the builder's name in a JSON template.
    pub source_name: String,
    /// Type of the builder, for example `qemu`.
    pub builder_type: String,
    /// The host's version.
    pub core_version: String,
    /// Whether to pause between steps.
    pub debug: bool,
    /// Whether to replace what an earlier run left.
    pub force: bool,
    /// What to do when a step fails.
    pub on_error: OnError,
    /// Folder of the template; empty when it came from standard input.
    pub template_dir: PathBuf,
    /// Path of a legacy JSON template; empty for HCL2.
    pub template_path: PathBuf,
    /// Identity of the host's run.
    pub run_uuid: String,
    /// Folder that outlives runs and is shared between them.
    pub cache_dir: PathBuf,
    /// User variables of a legacy JSON template.
    pub user_variables: BTreeMap<String, String>,
    /// Start of the host process, in nanoseconds since 1970 UTC.
    pub started_at_unix_nanos: i64,
    /// Folder for this run's private files; the host removes it afterwards.
    pub run_dir: PathBuf,
    /// Values that must not appear in any output.
    pub secrets: Vec<String>,
    /// The files the template consists of, as the user named them, each with the SHA-256 of what
    /// was read, in lower-case hexadecimal digits. Files of variables' values are not among them.
    pub template_files: BTreeMap<String, String>,
    /// The template's variables with their values; sensitive ones are not among them.
    pub variables: BTreeMap<String, String>,
}

impl BuildInfo {
    /// What the functions of late templates need to know. Add the machine's generated values to
    /// `build` where `{{build "…"}}` shall work.
    #[must_use]
    pub fn template_context(&self) -> Context {
        self.context_with(BuildValues::Unavailable)
    }

    /// The same for a component that has the machine's values: `{{build "Host"}}` finds them.
    #[must_use]
    pub fn template_context_with(&self, generated: &Value) -> Context {
        let values = match template_data(generated) {
            Data::Map(values) => values,
            _ => BTreeMap::new(),
        };
        self.context_with(BuildValues::Values(values))
    }

    fn context_with(&self, build: BuildValues) -> Context {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let legacy = !self.template_path.as_os_str().is_empty();
        // `{{template_dir}}` has no value in HCL2 templates.
        let template_dir = legacy.then(|| self.template_dir.to_string_lossy().into_owned());
        let working_dir = std::env::current_dir().unwrap_or_default();
        Context {
            build_name: some(&self.source_name),
            build_type: some(&self.builder_type),
            template_dir: template_dir.filter(|folder| !folder.is_empty()),
            working_dir: working_dir.to_string_lossy().into_owned(),
            core_version: self.core_version.clone(),
            started_at_unix_nanos: self.started_at_unix_nanos,
            user: self.user_variables.clone(),
            hcl: !legacy,
            build,
            ..Context::default()
        }
    }
}

/// What checking a configuration gave.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// Every problem found.
    pub diagnostics: Diagnostics,
    /// Names of the values a builder will report when its machine is ready.
    pub generated: Vec<String>,
}

impl From<Diagnostics> for Prepared {
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            diagnostics,
            generated: Vec::new(),
        }
    }
}

/// What progress is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressUnit {
    /// Bytes.
    Bytes,
    /// Things.
    Items,
    /// Hundredths of the whole.
    Percent,
}

/// How far long work has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Tells concurrent pieces of work apart; from [`HostLink::number`].
    pub number: u64,
    /// What is going on, for example `downloading debian.iso`.
    pub label: String,
    /// How much is done.
    pub done: u64,
    /// Of how much; `None` when unknown.
    pub total: Option<u64>,
    /// In what.
    pub unit: ProgressUnit,
    /// Whether this is the last report.
    pub ended: bool,
}

/// A machine that waits for its provisioners.
pub struct Ready {
    /// How to talk to it; `None` when it cannot be talked to.
    pub communicator: Option<Arc<dyn Communicator>>,
    /// Its values by name: `ID`, `Host`, `Port`, `PackerHTTPAddr`, ….
    pub generated: Value,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready")
            .field("communicator", &self.communicator.is_some())
            .finish()
    }
}

/// A running component's handle on its host. Clones are the same handle.
#[derive(Clone, Debug)]
pub struct RunContext {
    link: HostLink,
    cancel: CancellationToken,
    build: Arc<BuildInfo>,
    cleanups: TaskTracker,
}

impl RunContext {
    /// A context for one run.
    #[must_use]
    pub fn new(link: HostLink, cancel: CancellationToken, build: BuildInfo) -> Self {
        Self {
            link,
            cancel,
            build: Arc::new(build),
            cleanups: TaskTracker::new(),
        }
    }

    /// Facts about the build.
    #[must_use]
    pub fn build(&self) -> &BuildInfo {
        &self.build
    }

    /// The channel itself, for the SDK's own parts.
    #[must_use]
    pub fn link(&self) -> &HostLink {
        &self.link
    }

    /// Cancelled when the run shall stop.
    #[must_use]
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// The same run with a cancellation of its own, for work that must go on during cleanup.
    #[must_use]
    pub fn with_cancel(&self, cancel: CancellationToken) -> Self {
        Self {
            cancel,
            ..self.clone()
        }
    }

    /// Lets `work` go on when the component has ended, also when it ended by a panic: the run is
    /// over only when `work` is. For undoing what was made; limit its time.
    pub fn cleanup(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.cleanups.spawn(work));
    }

    /// Waits until everything given to [`RunContext::cleanup`] has ended. For those who run
    /// components, not for components.
    pub async fn cleaned_up(&self) {
        self.cleanups.close();
        self.cleanups.wait().await;
    }

    /// Tells the person building.
    pub async fn say(&self, text: impl Into<String> + Send) {
        self.link.send(Event::Ui(Level::Say, text.into())).await;
    }

    /// Tells the person building that something went wrong.
    pub async fn error(&self, text: impl Into<String> + Send) {
        self.link.send(Event::Ui(Level::Error, text.into())).await;
    }

    /// Keeps `value` out of every output from now on.
    pub async fn secret(&self, value: impl Into<String> + Send) {
        self.link.send(Event::Secret(value.into())).await;
    }

    /// Puts `resource` on record; create it only after this returns. Dropped before that, it takes
    /// the resource off the record again.
    ///
    /// # Errors
    ///
    /// A cancelled [`Failure`] when the host is gone: then nothing may be created any more.
    pub async fn announce(&self, resource: Resource) -> Result<Held, Failure> {
        let number = self.link.number();
        let (reply, recorded) = oneshot::channel();
        self.link
            .send(Event::Created(number, resource, reply))
            .await;
        let mut given_up = GivenUp {
            cx: self,
            number,
            armed: true,
        };
        let recorded = recorded.await;
        given_up.armed = false;
        match recorded {
            Ok(()) => Ok(Held {
                number,
                link: self.link.clone(),
            }),
            Err(_) => Err(Failure::cancelled()),
        }
    }

    /// Has the machine provisioned.
    ///
    /// # Errors
    ///
    /// The provisioner's failure, or a cancelled one.
    pub async fn provision(&self, ready: Ready) -> Result<(), Failure> {
        match self.link.ask(|reply| Event::Ready(ready, reply)).await {
            Some(Verdict::Provisioned) => Ok(()),
            Some(Verdict::Failed(message)) => Err(Failure::new(message)),
            Some(Verdict::Cancelled) | None => Err(Failure::cancelled()),
        }
    }

    /// Waits for the person.
    pub async fn ask(&self, prompt: impl Into<String> + Send) -> Answer {
        self.pause(prompt.into(), PauseKind::Question).await
    }

    /// Waits for the person, whose answer is a secret: it is not shown while it is typed, and is
    /// kept out of all output as by [`RunContext::secret`].
    pub async fn ask_hidden(&self, prompt: impl Into<String> + Send) -> Answer {
        let answer = self.pause(prompt.into(), PauseKind::Hidden).await;
        if let Answer::Line(line) = &answer {
            self.secret(line.as_str()).await;
        }
        answer
    }

    async fn pause(&self, prompt: String, kind: PauseKind) -> Answer {
        self.link
            .ask(|reply| Event::Pause(prompt, kind, reply))
            .await
            .unwrap_or(Answer::Unattended)
    }

    /// Waits for the person when the build runs in debug mode.
    pub async fn debug_pause(&self, prompt: impl Into<String> + Send) {
        if self.build.debug {
            // Any answer means go on.
            drop(self.pause(prompt.into(), PauseKind::Debug).await);
        }
    }

    /// Reports how far long work has come. Reports may be dropped when the host is slow; the last
    /// one (`ended`) is not.
    pub async fn progress(&self, progress: Progress) {
        if progress.ended {
            self.link.send(Event::Progress(progress)).await;
        } else {
            self.link.offer(Event::Progress(progress));
        }
    }

    /// Reports a problem of the configuration that only the run could see.
    pub async fn diagnostic(&self, diagnostic: Diagnostic) {
        self.link.send(Event::Diagnostic(diagnostic)).await;
    }

    /// Has the error-cleanup provisioner run because the build failed with `error`.
    ///
    /// # Errors
    ///
    /// That provisioner's failure, or a cancelled one when the host is gone.
    pub async fn cleanup_provision(&self, error: impl Into<String> + Send) -> Result<(), Failure> {
        let error = error.into();
        match self
            .link
            .ask(|reply| Event::CleanupProvision(error, reply))
            .await
        {
            Some(Verdict::Provisioned) => Ok(()),
            Some(Verdict::Failed(message)) => Err(Failure::new(message)),
            Some(Verdict::Cancelled) | None => Err(Failure::cancelled()),
        }
    }

    /// Runs `work` unless and until the run is cancelled.
    ///
    /// # Errors
    ///
    /// A cancelled [`Failure`] when the run was cancelled first; `work` is dropped then.
    pub async fn until_cancelled<T>(
        &self,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Failure::cancelled()),
            done = work => Ok(done),
        }
    }
}

/// Takes a resource off the record that was not created, because nobody waited for the answer.
struct GivenUp<'a> {
    cx: &'a RunContext,
    number: u64,
    armed: bool,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        if self.armed {
            let (link, number) = (self.cx.link.clone(), self.number);
            self.cx.cleanup(async move { link.release(number).await });
        }
    }
}
