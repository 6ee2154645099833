//! One run of a component, as typed events.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use host_diag::Diagnostics;
use host_eval::Value;
use host_template::{AttributeSchema, Configured};
use plugin_wire::v1 as wire;
use plugin_wire::v1::run_request::Request;
use tokio::sync::mpsc;

use crate::error::ClientError;
use crate::journal::Owned;
use crate::process::Process;
use crate::pump::pump;
use crate::run_directory::RunDirectory;
use crate::session::OnError;

/// Events that may wait to be read; then the plugin waits as well.
const EVENTS: usize = 256;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// News.
    Say,
    /// Something went wrong.
    Error,
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
    /// Tells concurrent pieces of work apart.
    pub number: u64,
    /// What is going on.
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

/// How to reach a builder's communicator.
#[derive(Clone, PartialEq, Eq)]
pub struct CommunicatorEndpoint {
    /// Path of a Unix socket.
    pub socket: PathBuf,
    /// Good for this run only.
    pub token: String,
}

impl std::fmt::Debug for CommunicatorEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommunicatorEndpoint")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// What a build leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// Which component's kind of artifact it is.
    pub builder_id: String,
    /// Its identity; empty for plain files.
    pub id: String,
    /// Files it consists of.
    pub files: Vec<PathBuf>,
    /// What the summary prints.
    pub description: String,
    /// Facts for post-processors; `generated_data` holds the machine's values.
    pub state: Value,
    /// Files and folders to remove, in order, to destroy it.
    pub destroy: Vec<PathBuf>,
    /// What it consists of that is no file, with the plugins that can remove it.
    pub resources: Vec<Owned>,
}

/// What a component tells. The ones with a number or that wait are answered with [`Run::reply`].
/// Resources are put in the journal by [`Run`] itself and never come up here.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "few are alive at a time")]
pub enum Event {
    /// Output for the person building.
    Ui(Level, String),
    /// Progress of long work.
    Progress(Progress),
    /// A step begins.
    StepBegun(String),
    /// A step ended; the error when it failed.
    StepEnded(String, Option<String>, Duration),
    /// The machine can be provisioned; answer with [`Reply::Provisioned`].
    Ready(Option<CommunicatorEndpoint>, BTreeMap<String, Value>),
    /// The build failed with this error; answer with [`Reply::Provisioned`] after the error-cleanup
    /// provisioner.
    CleanupProvision(String),
    /// Problems of the configuration that only the run could see, with template positions.
    Diagnostics(Diagnostics),
    /// Wait for the person (number, prompt, what for); answer with [`Reply::Continue`].
    Pause(u64, String, PauseKind),
    /// A value that must not appear in any output.
    Secret(String),
    /// The run is over; nothing follows.
    Finished(Finished),
}

/// What a pause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseKind {
    /// A question whose answer matters.
    Question,
    /// The same; the answer is a secret, which is not shown while it is typed.
    Hidden,
    /// A stop of the debug mode; any answer means go on.
    Debug,
}

/// How a run ended.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "each run has one")]
pub enum Finished {
    /// As wanted.
    Success {
        /// Builders and post-processors.
        artifact: Option<Artifact>,
        /// Post-processors: whether the input should stay.
        keep_input: bool,
        /// Post-processors: whether the template may not override that.
        force_keep_input: bool,
        /// Data sources.
        output: Option<Value>,
    },
    /// Not as wanted.
    Failure {
        /// What was attempted, on what, and why it failed.
        message: String,
        /// Whether it ended because it was told to.
        cancelled: bool,
        /// Problems of the configuration that only the run could see.
        diagnostics: Diagnostics,
    },
}

/// What the engine answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The provisioners ended: the error when one failed, and whether it was a cancellation.
    Provisioned(Option<String>, bool),
    /// What the person typed; `None` when there is nobody to ask.
    Continue(u64, Option<String>),
    /// Stop, undo, end.
    Cancel(String),
}

/// What a component is started with besides its configuration.
#[derive(Clone, Debug)]
pub enum Role {
    /// Builders and data sources.
    Plain,
    /// Provisioners.
    Provisioner {
        /// The builder's communicator, when it has one.
        communicator: Option<CommunicatorEndpoint>,
        /// The machine's values.
        generated: BTreeMap<String, Value>,
    },
    /// Post-processors.
    PostProcessor {
        /// What to work on.
        artifact: Artifact,
        /// The machine's values.
        generated: BTreeMap<String, Value>,
    },
}

/// A running component. Dropping it does not stop the component; dropping its session does.
#[derive(Debug)]
pub struct Run {
    events: mpsc::Receiver<Result<Event, ClientError>>,
    replies: mpsc::UnboundedSender<wire::RunRequest>,
    /// What the events channel gives when it was read to its end.
    over: bool,
}

/// What a run needs.
pub(crate) struct Start {
    pub(crate) process: Arc<Process>,
    pub(crate) directory: Arc<RunDirectory>,
    /// What is going on, for errors.
    pub(crate) doing: String,
    pub(crate) component: wire::ComponentId,
    pub(crate) build: wire::BuildInfo,
    pub(crate) on_error: OnError,
    pub(crate) config: Configured,
    pub(crate) outputs: Vec<AttributeSchema>,
    pub(crate) role: Role,
}

impl Run {
    pub(crate) fn start(start: Start) -> Self {
        let (sender, events) = mpsc::channel(EVENTS);
        let (replies, requests) = mpsc::unbounded_channel();
        let directory = Arc::clone(&start.directory);
        directory.background().spawn(pump(start, requests, sender));
        Self {
            events,
            replies,
            over: false,
        }
    }

    /// The next event; nothing follows [`Event::Finished`] or an error. After the process died this
    /// is an error that names the plugin and holds its last log lines; its resources are reclaimed by
    /// then. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// When the plugin died or broke the protocol.
    ///
    /// # Panics
    ///
    /// When it is called again after the run was over.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        assert!(!self.over, "nothing follows the end of a run");
        let event = self.events.recv().await.expect("a run tells how it ended");
        self.over = matches!(event, Err(_) | Ok(Event::Finished(_)));
        event
    }

    /// Answers an event or asks to stop. An answer that comes after the end is dropped.
    pub async fn reply(&mut self, reply: Reply) {
        let request = match reply {
            Reply::Provisioned(error, cancelled) => Request::Provisioned(wire::Provisioned {
                error: error.unwrap_or_default(),
                cancelled,
            }),
            Reply::Continue(number, answer) => Request::Continue(wire::Continue {
                number,
                unattended: answer.is_none(),
                answer: answer.unwrap_or_default(),
            }),
            Reply::Cancel(reason) => Request::Cancel(wire::Cancel { reason }),
        };
        if self
            .replies
            .send(wire::RunRequest {
                request: Some(request),
            })
            .is_err()
        {
            tracing::debug!("the run ended before it was answered");
        }
    }
}
