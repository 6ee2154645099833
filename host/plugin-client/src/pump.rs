//! What goes on during a run, between the plugin's stream and the engine.
//!
//! Resources are put on record here, without the engine; a run that ends badly has its leftovers
//! removed before the engine hears of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use plugin_wire::v1 as wire;
use plugin_wire::v1::run_event::Event as Told;
use plugin_wire::v1::run_request::Request;
use plugin_wire::v1::start::Role as WireRole;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};
use tonic::Streaming;

use crate::convert::{
    BadMessage, artifact_to_wire, diagnostics_from_wire, finished_from_wire, mapping_from_wire,
    mapping_to_wire, required, resource_from_wire, value_to_wire,
};
use crate::error::ClientError;
use crate::journal::{Entry, Owned, Resource};
use crate::process::Client;
use crate::reclaim::{reclaim_by_launch, reclaim_with};
use crate::run::{
    CommunicatorEndpoint, Event, Finished, Level, PauseKind, Progress, ProgressUnit, Role, Start,
};
use crate::session::OnError;

/// How long a plugin may take to accept a run.
const ACCEPT_LIMIT: Duration = Duration::from_secs(60);
/// Answers to announced resources that may be under way.
const ANSWERS: usize = 64;

type Sender = mpsc::Sender<Result<Event, ClientError>>;

/// Runs the component and tells `sender` about it. The last thing told is how the run ended.
pub(crate) async fn pump(
    start: Start,
    replies: mpsc::UnboundedReceiver<wire::RunRequest>,
    sender: Sender,
) {
    let (answers, answered) = mpsc::channel(ANSWERS);
    let mut pump = Pump {
        start,
        sender,
        answers,
        resources: HashMap::new(),
    };
    let last = match pump.run(replies, answered).await {
        Ok(finished) => {
            pump.settle(&finished).await;
            Ok(Event::Finished(finished))
        }
        Err(error) => {
            pump.clear_after_death().await;
            Err(error)
        }
    };
    pump.tell(last).await;
}

struct Pump {
    start: Start,
    sender: Sender,
    answers: mpsc::Sender<wire::RunRequest>,
    /// Numbers in the journal by the plugin's own numbers.
    resources: HashMap<u64, u64>,
}

impl Pump {
    async fn run(
        &mut self,
        replies: mpsc::UnboundedReceiver<wire::RunRequest>,
        answered: mpsc::Receiver<wire::RunRequest>,
    ) -> Result<Finished, ClientError> {
        let first = self.start_request();
        let others = futures::stream::select(
            UnboundedReceiverStream::new(replies),
            ReceiverStream::new(answered),
        );
        let requests = futures::stream::iter([first]).chain(others);
        let process = Arc::clone(&self.start.process);
        let call = |mut client: Client| async move { client.run(requests).await };
        let mut told = process.call(&self.start.doing, ACCEPT_LIMIT, call).await?;
        loop {
            let event = self.next(&mut told).await?;
            if let Some(finished) = self.handle(event).await? {
                return Ok(finished);
            }
        }
    }

    /// The next message. The process's death is seen even if its connection stays open, but what it
    /// said before comes first.
    async fn next(&self, told: &mut Streaming<wire::RunEvent>) -> Result<Told, ClientError> {
        let process = &self.start.process;
        let message = tokio::select! {
            biased;
            message = told.message() => message,
            exit = process.ended() => return Err(process.died(&self.start.doing, exit)),
        };
        match message {
            Ok(Some(message)) => required(message.event, "event").map_err(|bad| self.broke(bad)),
            Ok(None) => Err(self.no_outcome().await),
            Err(status) => Err(process.failed(&self.start.doing, status).await),
        }
    }

    /// The stream ended properly, but too early; often because the process is about to end.
    async fn no_outcome(&self) -> ClientError {
        let process = &self.start.process;
        match tokio::time::timeout(Duration::from_secs(1), process.ended()).await {
            Ok(exit) => process.died(&self.start.doing, exit),
            Err(_) => self.broke(BadMessage::NoOutcome),
        }
    }

    /// What the artifact consists of that a post-processor was given.
    fn given(&self) -> &[Owned] {
        match &self.start.role {
            Role::PostProcessor { artifact, .. } => &artifact.resources,
            Role::Plain | Role::Provisioner { .. } => &[],
        }
    }

    fn advised(&self, mut finished: Finished) -> Finished {
        if let Finished::Failure { message, .. } = &mut finished {
            *message = self.start.process.advised(std::mem::take(message));
        }
        finished
    }

    fn broke(&self, bad: BadMessage) -> ClientError {
        self.start.process.broke_protocol(&self.start.doing, bad)
    }

    async fn handle(&mut self, told: Told) -> Result<Option<Finished>, ClientError> {
        match told {
            Told::ResourceCreated(resource) => self.created(resource).await?,
            Told::ResourceReleased(released) => self.released(released.number).await?,
            Told::Finished(finished) => {
                let parts = (self.start.process.owner(), self.given());
                let (config, outputs) = (&self.start.config, &self.start.outputs);
                let read = finished_from_wire(finished, parts, config, outputs);
                let mut read = read.map_err(|bad| self.broke(bad))?;
                if let Finished::Success {
                    artifact: Some(artifact),
                    ..
                } = &mut read
                {
                    self.start.process.limit(artifact);
                }
                return Ok(Some(self.advised(read)));
            }
            told => {
                let event = event(told, &self.start).map_err(|bad| self.broke(bad))?;
                self.tell(Ok(event)).await;
            }
        }
        Ok(None)
    }

    async fn tell(&self, event: Result<Event, ClientError>) {
        if self.sender.send(event).await.is_err() {
            tracing::debug!("nobody listens to the run any more");
        }
    }

    async fn created(&mut self, resource: wire::Resource) -> Result<(), ClientError> {
        let number = resource.number;
        if self.resources.contains_key(&number) {
            return Err(self.broke(BadMessage::ResourceTwice(number)));
        }
        let resource = resource_from_wire(resource);
        let owner = self.start.process.owner().clone();
        let recorded = self
            .start
            .directory
            .journal()
            .record(owner, resource)
            .await?;
        self.resources.insert(number, recorded);
        let request = Request::Recorded(wire::Recorded { number });
        if self
            .answers
            .send(wire::RunRequest {
                request: Some(request),
            })
            .await
            .is_err()
        {
            tracing::debug!("the run ended before its resource was on record");
        }
        Ok(())
    }

    async fn released(&mut self, number: u64) -> Result<(), ClientError> {
        match self.resources.remove(&number) {
            Some(recorded) => self.start.directory.journal().release(recorded).await,
            None => Err(self.broke(BadMessage::UnknownResource(number))),
        }
    }

    /// What the run left on record.
    fn leftovers(&self) -> Vec<Entry> {
        let mine = |entry: &Entry| {
            self.resources
                .values()
                .any(|&number| number == entry.number)
        };
        self.start
            .directory
            .journal()
            .unreleased()
            .into_iter()
            .filter(mine)
            .collect()
    }

    /// Decides about what a finished run did not release: after a failure it is removed, unless the
    /// person wanted failures left as they are. After a success it belongs to the result.
    async fn settle(&self, finished: &Finished) {
        let leftovers = self.leftovers();
        if leftovers.is_empty() {
            return;
        }
        let plugin = &self.start.process.owner().name;
        let failed = matches!(finished, Finished::Failure { .. });
        if failed && self.start.on_error == OnError::Cleanup {
            tracing::warn!(
                plugin,
                count = leftovers.len(),
                "a failed run left things behind"
            );
            reclaim_with(
                &self.start.process,
                self.start.directory.journal(),
                leftovers,
            )
            .await;
            return;
        }
        for entry in leftovers {
            let Resource { kind, id, .. } = &entry.resource;
            tracing::info!(plugin, kind, id, "left in place");
            if let Err(error) = self.start.directory.journal().release(entry.number).await {
                tracing::warn!(%error, "cannot take a resource off the record");
            }
        }
    }

    /// Removes what a run left that ended without saying how. The process is gone then.
    async fn clear_after_death(&self) {
        self.start.process.kill().await;
        let leftovers = self.leftovers();
        if !leftovers.is_empty() {
            reclaim_by_launch(&self.start.directory, self.start.process.owner(), leftovers).await;
        }
    }

    fn start_request(&self) -> wire::RunRequest {
        let role = match &self.start.role {
            Role::Plain => None,
            Role::Provisioner {
                communicator,
                generated,
            } => Some(WireRole::Provisioner(wire::ProvisionerStart {
                communicator: communicator.as_ref().map(endpoint_to_wire),
                generated: Some(mapping_to_wire(generated)),
            })),
            Role::PostProcessor {
                artifact,
                generated,
            } => Some(WireRole::PostProcessor(wire::PostProcessorStart {
                artifact: Some(artifact_to_wire(artifact)),
                generated: Some(mapping_to_wire(generated)),
            })),
        };
        let start = wire::Start {
            component: Some(self.start.component.clone()),
            config: Some(value_to_wire(&self.start.config.value)),
            build: Some(self.start.build.clone()),
            role,
        };
        wire::RunRequest {
            request: Some(Request::Start(start)),
        }
    }
}

fn endpoint_to_wire(endpoint: &CommunicatorEndpoint) -> wire::CommunicatorEndpoint {
    wire::CommunicatorEndpoint {
        socket: endpoint.socket.to_string_lossy().into_owned(),
        token: endpoint.token.clone(),
    }
}

/// An event that goes to the engine.
fn event(told: Told, start: &Start) -> Result<Event, BadMessage> {
    Ok(match told {
        Told::Ui(ui) => Event::Ui(level(ui.level), ui.text),
        Told::Progress(progress) => Event::Progress(read_progress(progress)),
        Told::StepBegun(step) => Event::StepBegun(step.name),
        Told::StepEnded(step) => {
            let error = (!step.error.is_empty()).then_some(step.error);
            Event::StepEnded(step.name, error, Duration::from_millis(step.elapsed_ms))
        }
        Told::Ready(ready) => {
            let communicator = ready.communicator.map(|endpoint| CommunicatorEndpoint {
                socket: endpoint.socket.into(),
                token: endpoint.token,
            });
            Event::Ready(
                communicator,
                mapping_from_wire(ready.generated, "generated")?,
            )
        }
        Told::Diagnostic(diagnostic) => {
            Event::Diagnostics(diagnostics_from_wire(vec![diagnostic], &start.config))
        }
        Told::Pause(pause) => {
            let kind = match (pause.hidden, pause.debug) {
                (true, _) => PauseKind::Hidden,
                (false, true) => PauseKind::Debug,
                (false, false) => PauseKind::Question,
            };
            Event::Pause(pause.number, pause.prompt, kind)
        }
        Told::Secret(secret) => Event::Secret(secret.value),
        Told::CleanupProvision(cleanup) => Event::CleanupProvision(cleanup.error),
        Told::ResourceCreated(_) | Told::ResourceReleased(_) | Told::Finished(_) => {
            unreachable!("these never go to the engine as they are")
        }
    })
}

fn level(number: i32) -> Level {
    match wire::ui::Level::try_from(number) {
        Ok(wire::ui::Level::Error) => Level::Error,
        _ => Level::Say,
    }
}

fn read_progress(message: wire::Progress) -> Progress {
    let unit = match wire::progress::Unit::try_from(message.unit) {
        Ok(wire::progress::Unit::Bytes) => ProgressUnit::Bytes,
        Ok(wire::progress::Unit::Percent) => ProgressUnit::Percent,
        _ => ProgressUnit::Items,
    };
    Progress {
        number: message.number,
        label: message.label,
        done: message.done,
        total: (message.total > 0).then_some(message.total),
        unit,
        ended: message.ended,
    }
}
