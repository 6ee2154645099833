//! A run, between the plugin and the host.

mod artifact;
mod folders;
mod hook;
mod ui;

use std::sync::Arc;
use std::time::Duration;

use kiln_sdk::plugin_server::{Outcome, Role};
use kiln_sdk::{Artifact, Communicator, Failure, PostProcessed, RunContext, Value};
use sdk_packer_protocol::Kind;
use sdk_packer_protocol::endpoint::{
    ArtifactService, HookService, MachineService, RemoteArtifact, Services, UiService,
};
use sdk_packer_protocol::spec::Encoding;
use sdk_packer_protocol::transport::CallError;
use sdk_packer_protocol::value::Typed;
use tokio_util::sync::CancellationToken;

use crate::process::Running;
use crate::values::to_wire;
use artifact::{Given, TakeError, taken};
use hook::Provisioners;
use ui::Person;

/// How long a plugin that was told to end may take to undo what it made. Below the limit of the
/// host, so that its process is not killed without a word.
const CANCEL_LIMIT: Duration = Duration::from_secs(110);
/// How long a run may take to begin, before it is told to end. The plugin SDK crashes when that
/// comes too early.
const BEGIN: Duration = Duration::from_millis(500);
/// How long a plugin may take to say all about what it made.
const ARTIFACT_LIMIT: Duration = Duration::from_secs(60);

/// Carries out the component's run.
pub(crate) async fn run(
    running: &mut Running,
    encoding: Encoding,
    cx: &RunContext,
    role: Role,
) -> Result<Outcome, Failure> {
    match (running.component.kind(), role) {
        (Kind::Builder, Role::Plain) => build(running, cx).await.map(Outcome::Built),
        (Kind::Datasource, Role::Plain) => read(running, encoding, cx).await.map(Outcome::Read),
        (Kind::Provisioner, Role::Provisioner(machine, generated)) => {
            provision(running, cx, machine, &generated).await?;
            Ok(Outcome::Provisioned)
        }
        (Kind::PostProcessor, Role::PostProcessor(input, generated)) => {
            let made = post_process(running, cx, input, generated).await?;
            Ok(Outcome::PostProcessed(made))
        }
        _ => Err(Failure::new(
            "the host started the component as one of another kind",
        )),
    }
}

async fn build(running: &mut Running, cx: &RunContext) -> Result<Option<Artifact>, Failure> {
    let component = running.component.clone();
    let begun = CancellationToken::new();
    let hook = Provisioners::new(cx, component.session(), &begun);
    let services = Services::new()
        .with(HookService::new(Arc::new(hook)))
        .with(words(cx, &begun));
    let built = supervised(running, cx, &begun, component.build(services)).await?;
    match built {
        None => Ok(None),
        Some(artifact) => described(running, &artifact).await.map(Some),
    }
}

async fn provision(
    running: &mut Running,
    cx: &RunContext,
    machine: Arc<dyn Communicator>,
    generated: &Value,
) -> Result<(), Failure> {
    let component = running.component.clone();
    let begun = CancellationToken::new();
    let services = Services::new()
        .with(MachineService::new(component.session().clone(), machine))
        .with(words(cx, &begun));
    let work = component.provision(to_wire(generated), services);
    supervised(running, cx, &begun, work).await
}

async fn post_process(
    running: &mut Running,
    cx: &RunContext,
    input: Artifact,
    generated: Value,
) -> Result<PostProcessed, Failure> {
    let component = running.component.clone();
    let begun = CancellationToken::new();
    let services = Services::new()
        .with(ArtifactService::new(Arc::new(Given::new(input, generated))))
        .with(words(cx, &begun));
    let made = supervised(running, cx, &begun, component.post_process(services)).await?;
    let artifact = match &made.artifact {
        None => None,
        Some(artifact) => Some(described(running, artifact).await?),
    };
    Ok(PostProcessed {
        artifact,
        keep_input: made.keep,
        force_keep_input: made.keep && made.force,
    })
}

async fn read(
    running: &mut Running,
    encoding: Encoding,
    cx: &RunContext,
) -> Result<Value, Failure> {
    let component = running.component.clone();
    // There is nothing to undo: a data source that is cancelled is ended.
    let bytes = cx.until_cancelled(component.execute()).await?;
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(CallError::Ended { .. }) => return Err(running.post_mortem("`Execute`").await),
        Err(error) => return Err(Failure::from_error(&error)),
    };
    let typed = match encoding {
        Encoding::Gob => Typed::from_gob(&bytes),
        Encoding::Protobuf => Typed::from_msgpack(&bytes),
    };
    let typed = typed.map_err(|error| Failure::from_error(&error))?;
    Ok(typed.value)
}

/// What a plugin made. It is asked for also when the run is cancelled meanwhile: only who knows of
/// an artifact can remove it.
async fn described(running: &mut Running, artifact: &RemoteArtifact) -> Result<Artifact, Failure> {
    match tokio::time::timeout(ARTIFACT_LIMIT, taken(artifact)).await {
        Ok(Ok(artifact)) => Ok(artifact),
        Ok(Err(TakeError::Call(CallError::Ended { .. }))) => {
            Err(running.post_mortem("the description of its artifact").await)
        }
        Ok(Err(error)) => Err(Failure::from_error(&error)),
        Err(_) => Err(Failure::new(format!(
            "the Packer plugin did not describe its artifact within {} s",
            ARTIFACT_LIMIT.as_secs()
        ))),
    }
}

fn words(cx: &RunContext, begun: &CancellationToken) -> UiService {
    UiService::new(Arc::new(Person::new(cx, begun)))
}

/// Waits for `work`, tells it to end when the run is cancelled, and says what became of a plugin
/// that is gone.
async fn supervised<T>(
    running: &mut Running,
    cx: &RunContext,
    begun: &CancellationToken,
    work: impl Future<Output = Result<T, CallError>>,
) -> Result<T, Failure> {
    if cx.cancel().is_cancelled() {
        // What has not begun need not be undone, and the plugin cannot be told yet.
        return Err(Failure::cancelled());
    }
    let component = running.component.clone();
    let cancel = async {
        cx.cancel().cancelled().await;
        // Either is fine: it has begun for certain, or it had time to.
        drop(tokio::time::timeout(BEGIN, begun.cancelled()).await);
        if let Err(error) = component.cancel().await {
            tracing::warn!(%error, "a plugin could not be told to end");
        }
        tokio::time::sleep(CANCEL_LIMIT).await;
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = cancel => {
            let limit = CANCEL_LIMIT.as_secs();
            return Err(Failure::new(format!(
                "the Packer plugin did not end within {limit} s after it was told to; it was killed"
            )));
        }
    };
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(CallError::Ended { .. }) => Err(running.post_mortem("its run").await),
        Err(_) if cx.cancel().is_cancelled() => Err(Failure::cancelled()),
        Err(error) => Err(Failure::from_error(&error)),
    }
}
