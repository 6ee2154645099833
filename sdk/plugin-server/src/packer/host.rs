//! What a component tells its host, told to Packer.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use sdk_component::{Answer, Communicator, Event, Level, Progress, ProgressUnit, Ready, Verdict};
use sdk_packer_protocol::endpoint::{
    CLEANUP_PROVISION, MachineService, PROVISION, RemoteHook, RemoteUi, Services, Track, Ui,
    UiService,
};
use sdk_packer_protocol::transport::{CallError, Session, Wire};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::options::words;
use super::wire::facts_to_wire;
use crate::machine::AbsentMachine;

/// What stands where a secret stood.
const HIDDEN: &str = "<sensitive>";

/// The way from a component to Packer.
pub(super) struct Outward {
    session: Session,
    ui: Option<RemoteUi>,
    hook: Option<RemoteHook>,
    cancel: CancellationToken,
    secrets: Vec<String>,
    tracks: HashMap<u64, Tracked>,
    /// The machine that was offered last, for the provisioner of failed builds.
    machine: Arc<dyn Communicator>,
    facts: Wire,
}

/// Work whose progress is shown.
struct Tracked {
    name: String,
    done: u64,
}

impl Outward {
    pub(super) fn new(session: Session, cancel: CancellationToken, secrets: Vec<String>) -> Self {
        Self {
            session,
            ui: None,
            hook: None,
            cancel,
            secrets,
            tracks: HashMap::new(),
            machine: Arc::new(AbsentMachine),
            facts: Wire::Map(Vec::new()),
        }
    }

    pub(super) fn with_ui(mut self, ui: RemoteUi) -> Self {
        self.ui = Some(ui);
        self
    }

    pub(super) fn with_hook(mut self, hook: RemoteHook) -> Self {
        self.hook = Some(hook);
        self
    }

    /// Tells everything, until `ended` is cancelled and nothing is left.
    pub(super) async fn pump(mut self, mut told: mpsc::Receiver<Event>, ended: CancellationToken) {
        loop {
            let event = tokio::select! {
                biased;
                event = told.recv() => event,
                () = ended.cancelled() => None,
            };
            match event {
                Some(event) => self.tell(event).await,
                None => return,
            }
        }
    }

    async fn tell(&mut self, event: Event) {
        match event {
            Event::Ui(Level::Say, text) => self.say(&text).await,
            Event::Ui(Level::Error, text) => self.error(&text).await,
            Event::Progress(progress) => self.progress(progress).await,
            Event::StepBegun(name) => tracing::debug!(name, "a step begins"),
            Event::StepEnded(name, error, _) => tracing::debug!(name, ?error, "a step ended"),
            // Packer keeps no record.
            Event::Created(_, _, reply) => answer(reply, ()),
            Event::Released(_) => {}
            Event::Ready(
                Ready {
                    communicator,
                    generated,
                },
                reply,
            ) => {
                if let Some(machine) = communicator {
                    self.machine = machine;
                }
                self.facts = facts_to_wire(&generated);
                self.provision(PROVISION, reply);
            }
            Event::CleanupProvision(error, reply) => {
                tracing::debug!(error, "the build failed; the host cleans up");
                self.provision(CLEANUP_PROVISION, reply);
            }
            Event::Diagnostic(problem) => self.error(&words(&problem)).await,
            Event::Pause(prompt, _, reply) => {
                let asked = match &self.ui {
                    Some(ui) => ui.ask(&prompt).await.ok(),
                    None => None,
                };
                let given = asked.map_or(Answer::Unattended, |line| {
                    Answer::Line(line.trim_end_matches(['\r', '\n']).to_owned())
                });
                answer(reply, given);
            }
            Event::Secret(value) if !value.is_empty() => self.secrets.push(value),
            Event::Secret(_) => {}
        }
    }

    async fn say(&self, text: &str) {
        let text = self.without_secrets(text);
        match &self.ui {
            Some(ui) => heard(ui.say(&text).await),
            None => tracing::info!(text, "the component says"),
        }
    }

    async fn error(&self, text: &str) {
        let text = self.without_secrets(text);
        match &self.ui {
            Some(ui) => heard(ui.error(&text).await),
            None => tracing::error!(text, "the component says"),
        }
    }

    fn without_secrets(&self, text: &str) -> String {
        let secrets = self.secrets.iter();
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), HIDDEN)
        })
    }

    /// Packer shows bytes of transfers only.
    async fn progress(&mut self, progress: Progress) {
        let Some(ui) = self.ui.clone() else { return };
        if progress.unit != ProgressUnit::Bytes {
            return;
        }
        if !self.tracks.contains_key(&progress.number) {
            if progress.ended {
                return;
            }
            let label = self.without_secrets(&progress.label);
            let total = progress.total.unwrap_or_default();
            let Ok(name) = ui.track(&label, progress.done, total).await else {
                return;
            };
            let tracked = Tracked {
                name,
                done: progress.done,
            };
            self.tracks.insert(progress.number, tracked);
        }
        if let Some(tracked) = self.tracks.get_mut(&progress.number) {
            let more = progress.done.saturating_sub(tracked.done);
            tracked.done = tracked.done.max(progress.done);
            if more > 0 {
                heard(ui.add(&tracked.name, more).await);
            }
        }
        if progress.ended
            && let Some(tracked) = self.tracks.remove(&progress.number)
        {
            heard(ui.close(&tracked.name).await);
        }
    }

    /// Has the host provision the machine; the answer comes while other things are told.
    fn provision(&self, name: &'static str, reply: oneshot::Sender<Verdict>) {
        let Some(hook) = self.hook.clone() else {
            return answer(reply, Verdict::Provisioned);
        };
        let machine = MachineService::new(self.session.clone(), Arc::clone(&self.machine));
        let mut services = Services::new().with(machine);
        if let Some(ui) = &self.ui {
            services = services.with(UiService::new(Arc::new(Forwarded(ui.clone()))));
        }
        let facts = self.facts.clone();
        let cancel = self.cancel.clone();
        drop(tokio::spawn(async move {
            let run = hook.run(name, facts, services);
            tokio::pin!(run);
            let ended = tokio::select! {
                ended = &mut run => ended,
                () = cancel.cancelled() => {
                    // The host may have ended it already.
                    heard(hook.cancel().await);
                    run.await
                }
            };
            let verdict = match ended {
                Ok(()) => Verdict::Provisioned,
                Err(_) if cancel.is_cancelled() => Verdict::Cancelled,
                Err(error) => Verdict::Failed(error.to_string()),
            };
            answer(reply, verdict);
        }));
    }
}

/// Answers a component, which may have ended meanwhile.
fn answer<T>(reply: oneshot::Sender<T>, answer: T) {
    drop(reply.send(answer));
}

/// A component goes on when its host does not listen.
fn heard(told: Result<(), CallError>) {
    if let Err(error) = told {
        tracing::debug!(%error, "the host did not listen");
    }
}

/// Words from the host's side that concern the builder's machine, sent back to it.
struct Forwarded(RemoteUi);

#[async_trait]
impl Ui for Forwarded {
    async fn say(&self, text: String) {
        heard(self.0.say(&text).await);
    }

    async fn error(&self, text: String) {
        heard(self.0.error(&text).await);
    }

    async fn machine(&self, category: String, facts: Vec<String>) {
        heard(self.0.machine(&category, &facts).await);
    }

    async fn ask(&self, question: String) -> Result<String, String> {
        self.0
            .ask(&question)
            .await
            .map_err(|error| error.to_string())
    }

    fn track(&self, _source: String, _done: u64, _total: u64) -> Arc<dyn Track> {
        Arc::new(Untracked)
    }
}

/// The host has a display of its own for what it transfers.
struct Untracked;

#[async_trait]
impl Track for Untracked {
    async fn add(&self, _bytes: u64) {}

    async fn close(&self) {}
}
