//! A host in memory that runs one component.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sdk_communicator::Communicator;
use sdk_component::{
    Answer, Artifact, BuildInfo, Builder, DataSource, Event, Failure, HostLink, Level,
    PostProcessed, PostProcessor, Prepared, Provisioner, Ready, Resource, RunContext, Verdict,
};
use sdk_config::{Config, Severity, Value, decode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::recording::{Recording, Told};

/// How long one run may take before the test fails.
const LIMIT: Duration = Duration::from_secs(60);

/// When the host cancels the run by itself.
type CancelWhen = Box<dyn FnMut(&Told) -> bool + Send>;

/// Runs one component in this process, answers what it asks, and writes down what it tells.
///
/// By default provisioners succeed and there is nobody to ask.
pub struct FakeHost {
    build: BuildInfo,
    verdicts: VecDeque<Verdict>,
    answers: VecDeque<String>,
    cancel_when: CancelWhen,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeHost {
    /// A host of a build named `test`.
    #[must_use]
    pub fn new() -> Self {
        let name = "test".to_owned();
        let build = BuildInfo {
            source_name: name.clone(),
            name,
            run_uuid: "00000000-0000-0000-0000-000000000000".to_owned(),
            core_version: "1.0.0".to_owned(),
            ..BuildInfo::default()
        };
        Self {
            build,
            verdicts: VecDeque::new(),
            answers: VecDeque::new(),
            cancel_when: Box::new(|_| false),
        }
    }

    /// The same with other facts about the build.
    #[must_use]
    pub fn with_build(mut self, build: BuildInfo) -> Self {
        self.build = build;
        self
    }

    /// The same; the next request to provision comes to `verdict`.
    #[must_use]
    pub fn with_verdict(mut self, verdict: Verdict) -> Self {
        self.verdicts.push_back(verdict);
        self
    }

    /// The same; the next pause is answered with `line`.
    #[must_use]
    pub fn with_answer(mut self, line: impl Into<String>) -> Self {
        self.answers.push_back(line.into());
        self
    }

    /// The same; the run is cancelled when something is told for which `when` is true. Told things
    /// keep their order, and a component that waits for an answer gets none any more.
    #[must_use]
    pub fn cancel_when(mut self, when: impl FnMut(&Told) -> bool + Send + 'static) -> Self {
        self.cancel_when = Box::new(when);
        self
    }

    /// Runs a builder.
    pub async fn build<B: Builder>(
        self,
        builder: B,
        options: Value,
    ) -> Recording<Option<Artifact>> {
        let build = self.build.clone();
        self.drive(async |cx| {
            let config = prepared(&options, |config| builder.prepare(config, &build))?;
            builder.run(cx, config).await
        })
        .await
    }

    /// Runs a provisioner on `machine`.
    pub async fn provision<P: Provisioner>(
        self,
        provisioner: P,
        options: Value,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Recording<()> {
        let build = self.build.clone();
        self.drive(async |cx| {
            let config = prepared(&options, |config| provisioner.prepare(config, &build))?;
            provisioner.provision(cx, config, machine, generated).await
        })
        .await
    }

    /// Runs a post-processor on `input`.
    pub async fn post_process<P: PostProcessor>(
        self,
        post_processor: P,
        options: Value,
        input: Artifact,
        generated: Value,
    ) -> Recording<PostProcessed> {
        let build = self.build.clone();
        self.drive(async |cx| {
            let config = prepared(&options, |config| post_processor.prepare(config, &build))?;
            post_processor
                .post_process(cx, config, input, generated)
                .await
        })
        .await
    }

    /// Runs a data source.
    pub async fn read<D: DataSource>(self, data_source: D, options: Value) -> Recording<Value> {
        let build = self.build.clone();
        self.drive(async |cx| {
            let config = prepared(&options, |config| data_source.prepare(config, &build))?;
            data_source.read(cx, config).await
        })
        .await
    }

    /// Runs `component` and everything it leaves to its cleanup.
    ///
    /// # Panics
    ///
    /// When it does not end within a minute.
    pub async fn drive<T>(
        self,
        component: impl AsyncFnOnce(RunContext) -> Result<T, Failure>,
    ) -> Recording<T> {
        let (link, told) = HostLink::new();
        let cancel = CancellationToken::new();
        let cx = RunContext::new(link, cancel.clone(), self.build.clone());
        let ended = CancellationToken::new();
        let run = async {
            let outcome = Failure::catch(Box::pin(component(cx.clone()))).await;
            cx.cleaned_up().await;
            ended.cancel();
            outcome
        };
        let mut listener = Listener {
            host: self,
            cancel,
            told: Vec::new(),
            ready: Vec::new(),
            held: BTreeMap::new(),
        };
        // What the component tells is heard before it goes on, each time that it waits.
        let both = async { tokio::join!(biased; run, listener.listen(told, &ended)) };
        let ended = tokio::time::timeout(LIMIT, both).await;
        let (outcome, ()) = ended.unwrap_or_else(|_| {
            panic!(
                "the component did not end within {} s: {:#?}",
                LIMIT.as_secs(),
                listener.told
            )
        });
        let Listener {
            told, ready, held, ..
        } = listener;
        Recording {
            outcome,
            told,
            ready,
            left: held.into_values().collect(),
        }
    }
}

/// The options a component runs with.
pub(crate) fn prepared<C: Config>(
    options: &Value,
    prepare: impl FnOnce(&mut C) -> Prepared,
) -> Result<C, Failure> {
    let refused = |diagnostics| Failure {
        diagnostics,
        ..Failure::new("the configuration cannot be used")
    };
    let (mut config, _) = decode::<C>(options).map_err(refused)?;
    let problems = prepare(&mut config).diagnostics;
    if problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(refused(problems));
    }
    Ok(config)
}

struct Listener {
    host: FakeHost,
    cancel: CancellationToken,
    told: Vec<Told>,
    ready: Vec<Ready>,
    held: BTreeMap<u64, Resource>,
}

impl Listener {
    async fn listen(&mut self, mut events: mpsc::Receiver<Event>, ended: &CancellationToken) {
        loop {
            let event = tokio::select! {
                biased;
                event = events.recv() => event,
                () = ended.cancelled() => None,
            };
            let Some(event) = event else { return };
            self.hear(event);
        }
    }

    /// Writes an event down, and answers it. Those who waited may be gone after a cancellation.
    fn hear(&mut self, event: Event) {
        match event {
            Event::Ui(Level::Say, text) => self.write(Told::Said(text)),
            Event::Ui(Level::Error, text) => self.write(Told::Complained(text)),
            Event::Progress(report) => self.write(Told::Progress(report)),
            Event::StepBegun(name) => self.write(Told::StepBegun(name)),
            Event::StepEnded(name, error, _) => self.write(Told::StepEnded(name, error)),
            Event::Created(number, resource, reply) => {
                self.held.insert(number, resource.clone());
                self.write(Told::Created(number, resource));
                let _heard = reply.send(());
            }
            Event::Released(number) => {
                self.held.remove(&number);
                self.write(Told::Released(number));
            }
            Event::Ready(ready, reply) => {
                self.ready.push(ready);
                self.write(Told::Ready);
                drop(reply.send(self.verdict()));
            }
            Event::CleanupProvision(error, reply) => {
                self.write(Told::CleanupProvision(error));
                drop(reply.send(Verdict::Provisioned));
            }
            Event::Diagnostic(problem) => self.write(Told::Diagnostic(problem)),
            Event::Pause(prompt, _, reply) => {
                self.write(Told::Paused(prompt));
                let answer = self.host.answers.pop_front();
                drop(reply.send(answer.map_or(Answer::Unattended, Answer::Line)));
            }
            Event::Secret(value) => self.write(Told::Secret(value)),
        }
    }

    fn verdict(&mut self) -> Verdict {
        if self.cancel.is_cancelled() {
            return Verdict::Cancelled;
        }
        self.host
            .verdicts
            .pop_front()
            .unwrap_or(Verdict::Provisioned)
    }

    fn write(&mut self, told: Told) {
        if (self.host.cancel_when)(&told) {
            self.cancel.cancel();
        }
        self.told.push(told);
    }
}
