//! What a component tells, put on the wire in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plugin_wire::v1 as wire;
use plugin_wire::v1::finished::Outcome as WireOutcome;
use plugin_wire::v1::run_event::Event as WireEvent;
use sdk_component::{Event, Failure, Level, PauseKind, Progress, ProgressUnit, Ready};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Events;
use super::answers::Answers;
use crate::component::Outcome;
use crate::convert::{
    artifact_to_wire, diagnostic_to_wire, failure_to_wire, resource_to_wire, value_to_wire,
};
use crate::machine::MachineServer;

/// The way from a component to its host.
pub(super) struct Outward {
    events: Events,
    answers: Arc<Answers>,
    directory: PathBuf,
    cancel: CancellationToken,
    pauses: u64,
    machines: Vec<MachineServer>,
}

impl Outward {
    pub(super) fn new(
        events: Events,
        answers: Arc<Answers>,
        directory: PathBuf,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            events,
            answers,
            directory,
            cancel,
            pauses: 0,
            machines: Vec::new(),
        }
    }

    /// Sends everything that is told, until `ended` is cancelled and nothing is left. Returns the
    /// machines that are served, which have to live as long as the run.
    pub(super) async fn pump(
        mut self,
        mut told: mpsc::Receiver<Event>,
        ended: CancellationToken,
    ) -> Vec<MachineServer> {
        let gone = self.events.clone();
        loop {
            let event = tokio::select! {
                biased;
                event = told.recv() => event,
                () = ended.cancelled() => None,
                () = gone.closed(), if !self.cancel.is_cancelled() => {
                    self.cancel.cancel();
                    continue;
                }
            };
            let Some(event) = event else {
                return self.machines;
            };
            if let Some(event) = self.translate(event)
                && self
                    .events
                    .send(Ok(wire::RunEvent { event: Some(event) }))
                    .await
                    .is_err()
            {
                // The host is gone: undo everything. What is told from now on is heard by nobody.
                self.cancel.cancel();
            }
        }
    }

    /// The message for an event; `None` when there is nothing to send.
    fn translate(&mut self, event: Event) -> Option<WireEvent> {
        Some(match event {
            Event::Ui(level, text) => WireEvent::Ui(ui(level, text)),
            Event::Progress(report) => WireEvent::Progress(progress(report)),
            Event::StepBegun(name) => WireEvent::StepBegun(wire::StepBegun { name }),
            Event::StepEnded(name, error, elapsed) => WireEvent::StepEnded(wire::StepEnded {
                name,
                error: error.unwrap_or_default(),
                elapsed_ms: millis(elapsed),
            }),
            Event::Created(number, resource, reply) => {
                self.answers.await_recorded(number, reply);
                WireEvent::ResourceCreated(resource_to_wire(number, resource))
            }
            Event::Released(number) => {
                WireEvent::ResourceReleased(wire::ResourceReleased { number })
            }
            Event::Ready(ready, reply) => match self.offer(ready) {
                Ok(ready) => {
                    self.answers.await_provisioned(reply);
                    WireEvent::Ready(ready)
                }
                Err(failure) => {
                    // Nobody waits any more when the run was dropped meanwhile.
                    drop(reply.send(sdk_component::Verdict::Failed(failure.message)));
                    return None;
                }
            },
            Event::CleanupProvision(error, reply) => {
                self.answers.await_provisioned(reply);
                WireEvent::CleanupProvision(wire::CleanupProvision { error })
            }
            Event::Diagnostic(problem) => WireEvent::Diagnostic(diagnostic_to_wire(problem)),
            Event::Pause(prompt, kind, reply) => {
                self.pauses += 1;
                self.answers.await_continue(self.pauses, reply);
                WireEvent::Pause(wire::Pause {
                    number: self.pauses,
                    prompt,
                    debug: kind == PauseKind::Debug,
                    hidden: kind == PauseKind::Hidden,
                })
            }
            Event::Secret(value) => WireEvent::Secret(wire::Secret { value }),
        })
    }

    /// Serves the machine on a socket of its own.
    fn offer(&mut self, ready: Ready) -> Result<wire::Ready, Failure> {
        let communicator = match ready.communicator {
            None => None,
            Some(machine) => {
                let server = MachineServer::start(&self.directory, machine)
                    .map_err(|error| Failure::from_error(&error))?;
                let endpoint = server.endpoint();
                let endpoint = wire::CommunicatorEndpoint {
                    socket: endpoint.socket.to_string_lossy().into_owned(),
                    token: endpoint.token.clone(),
                };
                self.machines.push(server);
                Some(endpoint)
            }
        };
        Ok(wire::Ready {
            communicator,
            generated: Some(value_to_wire(ready.generated)),
        })
    }
}

fn ui(level: Level, text: String) -> wire::Ui {
    let level = match level {
        Level::Say => wire::ui::Level::Say,
        Level::Error => wire::ui::Level::Error,
    };
    wire::Ui {
        level: level.into(),
        text,
    }
}

fn progress(report: Progress) -> wire::Progress {
    let unit = match report.unit {
        ProgressUnit::Bytes => wire::progress::Unit::Bytes,
        ProgressUnit::Items => wire::progress::Unit::Items,
        ProgressUnit::Percent => wire::progress::Unit::Percent,
    };
    wire::Progress {
        number: report.number,
        label: report.label,
        done: report.done,
        total: report.total.unwrap_or_default(),
        unit: unit.into(),
        ended: report.ended,
    }
}

fn millis(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// The last message of a run.
pub(super) fn finished(outcome: Result<Outcome, Failure>) -> wire::Finished {
    let outcome = match outcome {
        Ok(outcome) => WireOutcome::Success(success(outcome)),
        Err(failure) => WireOutcome::Failure(failure_to_wire(failure)),
    };
    wire::Finished {
        outcome: Some(outcome),
    }
}

fn success(outcome: Outcome) -> wire::Success {
    match outcome {
        Outcome::Built(artifact) => wire::Success {
            artifact: artifact.map(artifact_to_wire),
            ..wire::Success::default()
        },
        Outcome::Provisioned => wire::Success::default(),
        Outcome::PostProcessed(made) => wire::Success {
            artifact: made.artifact.map(artifact_to_wire),
            keep_input: made.keep_input,
            force_keep_input: made.force_keep_input,
            output: None,
        },
        Outcome::Read(value) => wire::Success {
            output: Some(value_to_wire(value)),
            ..wire::Success::default()
        },
    }
}
