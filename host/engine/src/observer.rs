//! What the engine tells while it works, and whom it asks.

use std::time::Duration;

use futures::future::BoxFuture;
use host_diag::Diagnostics;
use host_plugin_client::Progress;

/// Who watches a run: shows events, answers prompts, keeps secrets out of outputs.
///
/// Calls come from several builds at the same time. `notify` and `secret` must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn notify(&self, event: Event);

    /// Asks the person and gives the line they typed, without its end; `None` when there is nobody
    /// to ask. The engine drops the future when the run is cancelled.
    fn ask(&self, build: &str, prompt: &str, echo: Echo) -> BoxFuture<'_, Option<String>>;

    /// From now on `value` must not appear in any output.
    fn secret(&self, value: &str);
}

/// Whether an answer can be seen while it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// It can.
    Shown,
    /// It cannot: it is a secret.
    Hidden,
}

/// Something that happened during a run. `build` is always the full name of the build.
#[derive(Clone, Debug)]
pub enum Event {
    /// A build begins.
    BuildBegun {
        /// The build.
        build: String,
    },
    /// News for the person building; may have several lines.
    Say {
        /// Whom the line is from: the build's name, or `NAME (TYPE)` for a post-processor.
        target: String,
        /// The text.
        text: String,
    },
    /// Something went wrong; may have several lines.
    Error {
        /// Whom the line is from, as in [`Event::Say`].
        target: String,
        /// The text.
        text: String,
    },
    /// Long work came further.
    Progress {
        /// The build.
        build: String,
        /// How far; its number is unique among all concurrent work of a run.
        progress: Progress,
    },
    /// A step of a component begins.
    StepBegun {
        /// The build.
        build: String,
        /// Name of the step.
        step: String,
    },
    /// A step of a component ended.
    StepEnded {
        /// The build.
        build: String,
        /// Name of the step.
        step: String,
        /// Why it failed; `None` when it did not.
        error: Option<String>,
        /// How long it took.
        elapsed: Duration,
    },
    /// A provisioner begins, its pauses and retries included.
    ProvisionerBegun {
        /// The build.
        build: String,
        /// Type of the provisioner.
        type_name: String,
        /// Its place among those of the build, from zero; `None` for the error-cleanup provisioner.
        index: Option<usize>,
    },
    /// A provisioner ended.
    ProvisionerEnded {
        /// The build.
        build: String,
        /// Type of the provisioner.
        type_name: String,
        /// Its place among those of the build, from zero; `None` for the error-cleanup provisioner.
        index: Option<usize>,
        /// Why it failed; `None` when it did not.
        error: Option<String>,
        /// How long it took, with pauses and retries.
        elapsed: Duration,
    },
    /// A post-processor begins.
    PostProcessorBegun {
        /// The build.
        build: String,
        /// Type of the post-processor.
        type_name: String,
        /// Its chain among those of the build, from zero.
        chain: usize,
        /// Its place in the chain, from zero.
        index: usize,
    },
    /// A post-processor ended.
    PostProcessorEnded {
        /// The build.
        build: String,
        /// Type of the post-processor.
        type_name: String,
        /// Its chain among those of the build, from zero.
        chain: usize,
        /// Its place in the chain, from zero.
        index: usize,
        /// Why it failed; `None` when it did not.
        error: Option<String>,
        /// How long it took.
        elapsed: Duration,
    },
    /// A build ended.
    BuildEnded {
        /// The build.
        build: String,
        /// Why it failed; `None` when it did not.
        error: Option<String>,
        /// Whether the run was cancelled before it ended.
        cancelled: bool,
        /// How long it took.
        elapsed: Duration,
    },
    /// Problems of the configuration that came up while running, with template positions.
    Diagnostics(Diagnostics),
}

/// An observer bound to the lines of one target.
#[derive(Clone)]
pub(crate) struct Voice<'a> {
    pub(crate) observer: &'a dyn Observer,
    pub(crate) target: String,
}

impl Voice<'_> {
    /// News.
    pub(crate) fn say(&self, text: impl Into<String>) {
        self.observer.notify(Event::Say {
            target: self.target.clone(),
            text: text.into(),
        });
    }

    /// Something went wrong.
    pub(crate) fn error(&self, text: impl Into<String>) {
        self.observer.notify(Event::Error {
            target: self.target.clone(),
            text: text.into(),
        });
    }
}
