//! One run, between the wire and the component.

mod answers;
mod outward;

use std::path::PathBuf;
use std::sync::Arc;

use plugin_wire::handshake::CLEANUP_LIMIT;
use plugin_wire::v1::run_request::Request as RunMessage;
use plugin_wire::v1::start::Role as WireRole;
use plugin_wire::v1::{RunEvent, RunRequest, Start, run_event};
use sdk_component::{Communicator, Failure, HostLink, RunContext};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::component::{Outcome, Role};
use crate::convert::{artifact_from_wire, build_from_wire, value_from_wire};
use crate::machine::{AbsentMachine, Endpoint, RemoteCommunicator};
use crate::plugin::Plugin;
use crate::service::component_of;

use answers::Answers;
use outward::Outward;

/// What the host reads.
pub(crate) type Events = mpsc::Sender<Result<RunEvent, Status>>;

/// Where a run is carried out.
pub(crate) struct Surroundings {
    pub(crate) plugin: Arc<Plugin>,
    /// Private folder for sockets.
    pub(crate) directory: PathBuf,
    /// Cancelled when the process shall end.
    pub(crate) shutdown: CancellationToken,
}

/// Carries one run from its first message to `finished`.
pub(crate) async fn run(
    surroundings: Surroundings,
    mut requests: Streaming<RunRequest>,
    events: Events,
) {
    let start = match requests.message().await {
        Ok(Some(RunRequest {
            request: Some(RunMessage::Start(start)),
        })) => start,
        Ok(_) => return refuse(&events, "the first message of a run has to be `start`").await,
        Err(_) => return,
    };
    let Some(component) = component_of(&surroundings.plugin, start.component.as_ref()) else {
        return refuse(&events, "this plugin has no such component").await;
    };
    let cancel = surroundings.shutdown.child_token();
    let (link, told) = HostLink::new();
    let answers = Arc::new(Answers::default());
    let cx = RunContext::new(link, cancel.clone(), build_from_wire(start.build.clone()));

    let inward = tokio::spawn(Arc::clone(&answers).listen(requests, cancel.clone()));
    let ended = CancellationToken::new();
    let outward = Outward::new(
        events.clone(),
        answers,
        surroundings.directory,
        cancel.clone(),
    );
    let outward = tokio::spawn(outward.pump(told, ended.clone()));

    let name = start.component.as_ref().map(|id| id.name.clone());
    tracing::info!(name, build = cx.build().name, "component starts");
    let outcome = Failure::catch(async {
        let (config, role) = parts(start)?;
        component.run(cx.clone(), config, role).await
    })
    .await;
    clean_up(&cx).await;
    drop(cx);
    ended.cancel();
    // The pump ends on its own now; it sends what is left, so that `finished` is the last.
    let machines = outward.await;
    inward.abort();
    finish(&events, outcome).await;
    drop(machines);
}

/// The configuration and the role a component is started with.
fn parts(start: Start) -> Result<(sdk_config::Value, Role), Failure> {
    let role = match start.role {
        None => Role::Plain,
        Some(WireRole::Provisioner(role)) => {
            let machine: Arc<dyn Communicator> = match role.communicator {
                Some(endpoint) => {
                    let endpoint = Endpoint {
                        socket: endpoint.socket.into(),
                        token: endpoint.token,
                    };
                    let machine = RemoteCommunicator::connect(&endpoint);
                    Arc::new(machine.map_err(|error| Failure::from_error(&error))?)
                }
                None => Arc::new(AbsentMachine),
            };
            Role::Provisioner(machine, value_from_wire(role.generated))
        }
        Some(WireRole::PostProcessor(role)) => Role::PostProcessor(
            artifact_from_wire(role.artifact),
            value_from_wire(role.generated),
        ),
    };
    Ok((value_from_wire(start.config), role))
}

async fn clean_up(cx: &RunContext) {
    if tokio::time::timeout(CLEANUP_LIMIT, cx.cleaned_up())
        .await
        .is_err()
    {
        tracing::warn!("cleanup did not end within its limit");
    }
}

async fn finish(events: &Events, outcome: Result<Outcome, Failure>) {
    let finished = outward::finished(outcome);
    let event = RunEvent {
        event: Some(run_event::Event::Finished(finished)),
    };
    if events.send(Ok(event)).await.is_err() {
        tracing::debug!("the host left before the run was over");
    }
}

async fn refuse(events: &Events, reason: &str) {
    if events
        .send(Err(Status::invalid_argument(reason)))
        .await
        .is_err()
    {
        tracing::debug!(reason, "a run was refused but nobody listens");
    }
}
