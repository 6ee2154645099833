//! One run of one component: its process from start to end, and everything it tells meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use host_diag::{Diagnostic, Diagnostics};
use host_eval::Value;
use host_plugin_client::{
    Artifact, BuildInfo, ClientError, CommunicatorEndpoint, Event as Told, Finished, Level,
    PauseKind, Registry, Reply, Role, Run, RunDirectory, Session,
};
use host_template::{Component, Components, Configured, Generated};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::observer::{Echo, Event, Observer, Voice};
use crate::options::Options;
use crate::relay::Relay;

/// What all components of a run share.
pub(crate) struct Scope<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) directory: &'a Arc<RunDirectory>,
    pub(crate) options: &'a Options,
    pub(crate) observer: &'a dyn Observer,
    /// Counts runs of components, to keep their progress apart.
    pub(crate) runs: AtomicU64,
}

impl<'a> Scope<'a> {
    /// Output under the name `target`.
    pub(crate) fn voice(&self, target: impl Into<String>) -> Voice<'a> {
        Voice {
            observer: self.observer,
            target: target.into(),
        }
    }

    /// Evaluates the configuration with what the machine is known to have.
    pub(crate) fn configure(
        &self,
        component: &Component,
        generated: &Generated,
    ) -> Result<Configured, Failure> {
        let (kind, name) = (component.kind, &component.type_name);
        let schema = self.registry.schema(kind, name).ok_or_else(|| {
            Failure::new(format!(
                "no installed plugin offers `{name}` for {}",
                component.header
            ))
        })?;
        let (configured, diagnostics) = component.configure(schema, generated);
        // Warnings were told when the component was prepared.
        let errors: Diagnostics = diagnostics
            .into_iter()
            .filter(Diagnostic::is_error)
            .collect();
        let Some(first) = errors.first() else {
            return Ok(configured);
        };
        let message = one_line(first);
        self.observer.notify(Event::Diagnostics(errors));
        Err(Failure::new(message))
    }
}

/// A diagnostic as a message without its place.
pub(crate) fn one_line(diagnostic: &Diagnostic) -> String {
    if diagnostic.detail.is_empty() {
        return diagnostic.summary.clone();
    }
    format!("{}: {}", diagnostic.summary, diagnostic.detail)
}

/// What only a machine's builder asks for. The result is the error, when there is one.
pub(crate) trait Machine: Send + Sync {
    /// Runs the provisioners.
    fn provision(
        &self,
        communicator: Option<CommunicatorEndpoint>,
        given: BTreeMap<String, Value>,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<(), Failure>>;

    /// Runs the error-cleanup provisioner for a build that failed with `error`.
    fn clean_up(
        &self,
        error: String,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<(), Failure>>;
}

/// One component that is to be run.
pub(crate) struct Task<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) component: &'a Component,
    pub(crate) config: &'a Configured,
    pub(crate) info: &'a BuildInfo,
    pub(crate) role: Role,
    /// Whose lines the component's output becomes.
    pub(crate) voice: Voice<'a>,
    /// For builders.
    pub(crate) machine: Option<&'a dyn Machine>,
    pub(crate) cancel: &'a CancellationToken,
    /// How long it may take to end after a cancellation.
    pub(crate) cancel_limit: Duration,
    /// For provisioners: who starts and ends their processes beside them.
    pub(crate) relay: Option<&'a Relay>,
}

/// What a component came to.
#[derive(Debug)]
pub(crate) struct Success {
    pub(crate) artifact: Option<Artifact>,
    pub(crate) keep_input: bool,
    pub(crate) force_keep_input: bool,
}

impl Task<'_> {
    /// Starts the component's process, runs it, and ends the process.
    pub(crate) async fn run(self) -> Result<Success, Failure> {
        let Component {
            kind, type_name, ..
        } = self.component;
        let scope = self.scope;
        let mut session = match self.relay.and_then(Relay::take) {
            Some(session) => session,
            None => {
                let config = Some(self.config);
                Session::launch(scope.registry, scope.directory, *kind, type_name, config).await?
            }
        };
        let mut run = session
            .run(self.config, self.info, self.role.clone())
            .await?;
        let mut watch = Watch {
            stop: self.cancel.child_token(),
            over: CancellationToken::new(),
            pending: FuturesUnordered::new(),
            is_provisioning: false,
            was_told: false,
            run_number: scope.runs.fetch_add(1, Ordering::Relaxed),
            task: &self,
        };
        let ended = watch.until_end(&mut run).await;
        watch.settle().await;
        match ended {
            End::Finished(finished) => {
                drop(run);
                match self.relay {
                    Some(relay) => relay.end(session).await,
                    None => session.stop().await,
                }
                self.judge(*finished)
            }
            End::Broken(error) => {
                session.stop().await;
                Err(error.into())
            }
            End::Stuck => {
                session.kill().await;
                // What it had made is being removed; the last event tells when that is done.
                while !matches!(run.next().await, Err(_) | Ok(Told::Finished(_))) {}
                let seconds = self.cancel_limit.as_secs();
                let message = format!(
                    "`{type_name}` did not end within {seconds} s after it was told to stop, and was killed"
                );
                Err(Failure {
                    message,
                    cancelled: true,
                })
            }
        }
    }

    fn judge(&self, finished: Finished) -> Result<Success, Failure> {
        match finished {
            Finished::Success {
                artifact,
                keep_input,
                force_keep_input,
                ..
            } => Ok(Success {
                artifact,
                keep_input,
                force_keep_input,
            }),
            Finished::Failure {
                message,
                cancelled,
                diagnostics,
            } => {
                let first = diagnostics.iter().find(|one| one.is_error()).map(one_line);
                if !diagnostics.is_empty() {
                    self.scope.observer.notify(Event::Diagnostics(diagnostics));
                }
                let message = Some(message).filter(|text| !text.is_empty()).or(first);
                let unnamed = || format!("`{}` failed without a reason", self.component.type_name);
                Err(Failure {
                    message: message.unwrap_or_else(unnamed),
                    cancelled,
                })
            }
        }
    }
}

enum End {
    Finished(Box<Finished>),
    Broken(ClientError),
    /// It did not end when it was told to.
    Stuck,
}

/// A running component and the answers that are being worked out for it.
struct Watch<'a> {
    task: &'a Task<'a>,
    /// Cancelled with the build, or when the component is over.
    stop: CancellationToken,
    /// Cancelled when the component is over.
    over: CancellationToken,
    pending: FuturesUnordered<BoxFuture<'a, Reply>>,
    /// Whether provisioners work on the component's machine. Until they have ended, it is not told
    /// of a cancellation: they remove what they left there.
    is_provisioning: bool,
    /// Whether it was told of the cancellation.
    was_told: bool,
    run_number: u64,
}

impl Watch<'_> {
    async fn until_end(&mut self, run: &mut Run) -> End {
        let mut deadline: Option<Instant> = None;
        loop {
            let is_due = deadline.is_some() && !self.was_told && !self.is_provisioning;
            tokio::select! {
                event = run.next() => match event {
                    Ok(Told::Finished(finished)) => return End::Finished(Box::new(finished)),
                    Ok(event) => self.handle(event),
                    Err(error) => return End::Broken(error),
                },
                Some(reply) = self.pending.next(), if !self.pending.is_empty() => {
                    if matches!(reply, Reply::Provisioned(..)) {
                        self.is_provisioning = false;
                        // First, so that it knows why provisioners ended.
                        if self.task.cancel.is_cancelled() {
                            self.tell_of_cancellation(run).await;
                        }
                    }
                    run.reply(reply).await;
                }
                () = self.task.cancel.cancelled(), if deadline.is_none() => {
                    deadline = Some(Instant::now() + self.task.cancel_limit);
                }
                () = std::future::ready(()), if is_due => self.tell_of_cancellation(run).await,
                () = until(deadline), if deadline.is_some() => return End::Stuck,
            }
        }
    }

    async fn tell_of_cancellation(&mut self, run: &mut Run) {
        if !std::mem::replace(&mut self.was_told, true) {
            run.reply(Reply::Cancel("the run was cancelled".to_owned()))
                .await;
        }
    }

    /// Ends what is still being worked out for a component that is over. Provisioners are told to
    /// stop, and killed when they do not.
    async fn settle(&mut self) {
        self.stop.cancel();
        self.over.cancel();
        while self.pending.next().await.is_some() {}
    }

    fn handle(&mut self, told: Told) {
        let task = self.task;
        let build = || task.info.name.clone();
        match told {
            Told::Ui(Level::Say, text) => task.voice.say(text),
            Told::Ui(Level::Error, text) => task.voice.error(text),
            Told::Progress(mut progress) => {
                // Plugins count for themselves; the upper half keeps their numbers apart.
                progress.number = (self.run_number << 32) | (progress.number & 0xffff_ffff);
                task.scope.observer.notify(Event::Progress {
                    build: build(),
                    progress,
                });
            }
            Told::StepBegun(step) => {
                task.scope.observer.notify(Event::StepBegun {
                    build: build(),
                    step,
                });
            }
            Told::StepEnded(step, error, elapsed) => {
                let event = Event::StepEnded {
                    build: build(),
                    step,
                    error,
                    elapsed,
                };
                task.scope.observer.notify(event);
            }
            Told::Diagnostics(found) => task.scope.observer.notify(Event::Diagnostics(found)),
            Told::Secret(value) => task.scope.observer.secret(&value),
            Told::Pause(number, prompt, kind) => {
                let echo = match kind {
                    PauseKind::Hidden => Echo::Hidden,
                    PauseKind::Question | PauseKind::Debug => Echo::Shown,
                };
                let question = (number, prompt, echo);
                self.pending
                    .push(Box::pin(asked(task, question, self.stop.clone())));
            }
            Told::Ready(communicator, given) => {
                self.is_provisioning = true;
                let cancel = self.stop.clone();
                let work = task
                    .machine
                    .map(|machine| machine.provision(communicator, given, cancel));
                self.pending.push(verdict(work));
            }
            Told::CleanupProvision(error) => {
                // The build's own cancellation does not keep the cleanup from being done.
                let cancel = self.over.clone();
                let work = task.machine.map(|machine| machine.clean_up(error, cancel));
                self.pending.push(verdict(work));
            }
            Told::Finished(_) => unreachable!("the end is handled where it is read"),
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn asked(
    task: &Task<'_>,
    (number, prompt, echo): (u64, String, Echo),
    stop: CancellationToken,
) -> Reply {
    let observer = task.scope.observer;
    tokio::select! {
        biased;
        () = stop.cancelled() => Reply::Continue(number, None),
        answer = observer.ask(&task.info.name, &prompt, echo) => {
            if let (Some(answer), Echo::Hidden) = (&answer, echo) {
                // Before the component has it, which might tell it.
                observer.secret(answer);
            }
            Reply::Continue(number, answer)
        }
    }
}

fn verdict<'a>(work: Option<BoxFuture<'a, Result<(), Failure>>>) -> BoxFuture<'a, Reply> {
    Box::pin(async move {
        let result = match work {
            Some(work) => work.await,
            None => Err(Failure::new(
                "only a builder has a machine that can be provisioned",
            )),
        };
        match result {
            Ok(()) => Reply::Provisioned(None, false),
            Err(failure) => Reply::Provisioned(Some(failure.message), failure.cancelled),
        }
    })
}
