//! The steps of one build.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sdk_component::{Event, Failure, RunContext};
use tokio_util::sync::CancellationToken;

use crate::decision::{Decision, decide};
use crate::provision::PROVISION;
use crate::undo::{CleanupId, Ending, Undo, When, Work};

/// How long undoing one thing may take, when nobody says.
const CLEANUP_LIMIT: Duration = Duration::from_secs(60);

/// Runs the steps of one build and undoes them in reverse.
///
/// When it is dropped without [`Steps::finish`], for example by a panic, everything is undone in
/// the background and the run is over only after that.
#[derive(Debug)]
pub struct Steps {
    cx: RunContext,
    state: Mutex<State>,
    /// What the build failed with, when the error-cleanup provisioner failed as well.
    pub(crate) failed_twice: Arc<OnceLock<String>>,
}

#[derive(Default)]
struct State {
    undos: Vec<Undo>,
    next: u64,
    /// What follows the step that failed last.
    decision: Option<Decision>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps = self.undos.iter().map(|undo| undo.step.as_str());
        f.debug_list().entries(steps).finish()
    }
}

impl Steps {
    /// No steps yet.
    #[must_use]
    pub fn new(cx: RunContext) -> Self {
        Self {
            cx,
            state: Mutex::default(),
            failed_twice: Arc::default(),
        }
    }

    /// The run the steps belong to.
    #[must_use]
    pub fn context(&self) -> &RunContext {
        &self.cx
    }

    /// The same run for use in cleanups: it is not cancelled when the build is.
    #[must_use]
    pub fn cleanup_context(&self) -> RunContext {
        self.cx.with_cancel(CancellationToken::new())
    }

    /// Runs one step. It is dropped when the run is cancelled, so what it creates has to be put on
    /// record and registered with [`Steps::on_cleanup`] first. With `-on-error=ask` the step may run
    /// again; what it registered is undone before that.
    ///
    /// # Errors
    ///
    /// The step's failure, or a cancelled one.
    pub async fn run<T, F>(&self, name: &str, mut step: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        loop {
            let before = self.lock().undos.len();
            // On the heap: a step may hold a whole connection in its making, and builders nest deep.
            let failure = match self.attempt(name, Box::pin(step())).await {
                Ok(done) => {
                    let pause =
                        format!("Pausing after run of step '{name}'. Press enter to continue.");
                    // A cancellation is for the next step to notice: what this one made must not be
                    // lost before its undo is registered.
                    drop(self.cx.until_cancelled(self.cx.debug_pause(pause)).await);
                    let nothing = Box::new(|_| Box::pin(async { Ok(()) }) as _);
                    self.add(name.to_owned(), When::Pause, CLEANUP_LIMIT, nothing);
                    return Ok(done);
                }
                Err(failure) => failure,
            };
            let decision = decide(&self.cx, name, &failure).await;
            self.lock().decision = Some(decision);
            if decision != Decision::Retry {
                return Err(failure);
            }
            if name == PROVISION {
                // Another try is no reason to run the error-cleanup provisioner.
                self.lock().undos.truncate(before);
            } else {
                self.undo_down_to(before, Ending::Failed(&failure)).await;
            }
            self.lock().decision = None;
        }
    }

    /// Runs a step once, with its events.
    async fn attempt<T>(
        &self,
        name: &str,
        step: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let link = self.cx.link();
        tracing::info!(step = name, "step begins");
        link.send(Event::StepBegun(name.to_owned())).await;
        // Who hears of it may cancel the run, also when what follows never waits.
        tokio::task::yield_now().await;
        let started = Instant::now();
        let result = match self.cx.until_cancelled(Failure::catch(step)).await {
            Ok(result) => result,
            Err(cancelled) => Err(cancelled),
        };
        let error = result.as_ref().err().map(|failure| failure.message.clone());
        link.send(Event::StepEnded(name.to_owned(), error, started.elapsed()))
            .await;
        result
    }

    /// Undoes something of the step `step` at the end, whatever the end is; what was registered
    /// last comes first.
    pub fn on_cleanup(
        &self,
        step: impl Into<String>,
        undo: impl Future<Output = Result<(), Failure>> + Send + 'static,
    ) -> CleanupId {
        self.add(
            step.into(),
            When::Always,
            CLEANUP_LIMIT,
            Box::new(|_| Box::pin(undo)),
        )
    }

    /// The same with another limit than a minute.
    pub fn on_cleanup_within(
        &self,
        limit: Duration,
        step: impl Into<String>,
        undo: impl Future<Output = Result<(), Failure>> + Send + 'static,
    ) -> CleanupId {
        self.add(
            step.into(),
            When::Always,
            limit,
            Box::new(|_| Box::pin(undo)),
        )
    }

    /// Undoes something only if the build fails, for what becomes the artifact otherwise.
    pub fn on_failure(
        &self,
        step: impl Into<String>,
        undo: impl Future<Output = Result<(), Failure>> + Send + 'static,
    ) -> CleanupId {
        self.add(
            step.into(),
            When::OnFailure,
            CLEANUP_LIMIT,
            Box::new(|_| Box::pin(undo)),
        )
    }

    /// Does something only if `-on-error` leaves everything as it is, for what would end with this
    /// process otherwise: a machine that is killed when it is dropped, for example.
    pub fn on_left(
        &self,
        step: impl Into<String>,
        work: impl Future<Output = Result<(), Failure>> + Send + 'static,
    ) -> CleanupId {
        self.add(
            step.into(),
            When::Left,
            CLEANUP_LIMIT,
            Box::new(|_| Box::pin(work)),
        )
    }

    /// Leaves something as it is: it is gone already, or became the artifact.
    pub fn forget(&self, cleanup: CleanupId) {
        self.lock().undos.retain(|undo| undo.id != cleanup);
    }

    /// Undoes everything in reverse, or what `-on-error` leaves of it, and returns `result`. A
    /// cleanup that fails is a warning and never replaces the first error; a failure of the
    /// error-cleanup provisioner is told together with it.
    ///
    /// # Errors
    ///
    /// The failure in `result`.
    pub async fn finish<T>(self, result: Result<T, Failure>) -> Result<T, Failure> {
        let Err(failure) = &result else {
            self.undo_down_to(0, Ending::Succeeded).await;
            return result;
        };
        let decided = self.lock().decision;
        let decision = match decided {
            Some(decision) => decision,
            // It failed between steps.
            None => decide(&self.cx, "build", failure).await,
        };
        match decision {
            Decision::CleanUp | Decision::Retry => {}
            Decision::Abort => self.skip(|_| true).await,
            Decision::CleanupProvisioner => self.skip(|undo| undo.step != PROVISION).await,
        }
        self.undo_down_to(0, Ending::Failed(failure)).await;
        result.map_err(|mut failure| {
            if let Some(message) = self.failed_twice.get() {
                message.clone_into(&mut failure.message);
            }
            failure
        })
    }

    /// Forgets what is to be left as it is, and says so.
    async fn skip(&self, left: impl Fn(&Undo) -> bool) {
        let (skipped, kept) = std::mem::take(&mut self.lock().undos)
            .into_iter()
            .partition(left);
        self.lock().undos = kept;
        let mut skipped: Vec<Undo> = skipped;
        while let Some(undo) = skipped.pop() {
            match undo.when {
                When::Pause => {}
                When::Left => undo.run(&self.cx, Ending::Succeeded).await,
                When::Always | When::OnFailure => {
                    self.cx
                        .error(format!("aborted: skipping cleanup of step {:?}", undo.step))
                        .await;
                }
            }
        }
    }

    async fn undo_down_to(&self, left: usize, ending: Ending<'_>) {
        loop {
            let undo = {
                let mut state = self.lock();
                if state.undos.len() <= left {
                    return;
                }
                state.undos.pop()
            };
            let Some(undo) = undo else { continue };
            if undo.when == When::Pause && !self.cx.cancel().is_cancelled() {
                let step = &undo.step;
                let pause =
                    format!("Pausing before cleanup of step '{step}'. Press enter to continue.");
                self.cx.debug_pause(pause).await;
            }
            if undo.applies(ending) {
                undo.run(&self.cx, ending).await;
            }
        }
    }

    pub(crate) fn add(&self, step: String, when: When, limit: Duration, work: Work) -> CleanupId {
        let mut state = self.lock();
        state.next += 1;
        let id = CleanupId(state.next);
        state.undos.push(Undo {
            id,
            step,
            when,
            limit,
            work,
        });
        id
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        let mut undos = std::mem::take(&mut self.lock().undos);
        if undos.is_empty() {
            return;
        }
        let cx = self.cx.clone();
        self.cx.cleanup(async move {
            let failure = Failure::new("the build ended before its steps were finished");
            while let Some(undo) = undos.pop() {
                if undo.applies(Ending::Failed(&failure)) {
                    undo.run(&cx, Ending::Failed(&failure)).await;
                }
            }
        });
    }
}
