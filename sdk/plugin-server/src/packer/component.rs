//! One component, between the calls of Packer and kiln's traits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use plugin_wire::handshake::CLEANUP_LIMIT;
use sdk_component::{Artifact, BuildInfo, Failure, HostLink, RunContext};
use sdk_config::{Schema, Value};
use sdk_go_template::{BuildValues, Context};
use sdk_packer_protocol::Kind;
use sdk_packer_protocol::endpoint::{
    self, Prepared, Processed, RemoteArtifact, RemoteHook, RemoteMachine, RemoteUi,
};
use sdk_packer_protocol::spec::{Encoding, from_schema, output_from_schema, read_body};
use sdk_packer_protocol::transport::{Client, Session, Wire};
use sdk_packer_protocol::value::{Configs, common_names};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::artifact::{Made, Passed, generated, is_same, received};
use super::host::Outward;
use super::options::{build_info, joined, rendered, sorted};
use super::wire::from_wire;
use crate::component::{Component, Outcome, Role};
use crate::plugin::Reclaimers;

/// A component of this process as Packer sees it.
pub(super) struct Served {
    pub(super) kind: Kind,
    pub(super) component: Arc<dyn Component>,
    pub(super) reclaimers: Reclaimers,
    pub(super) encoding: Encoding,
    pub(super) session: Session,
    /// Where the folder of a run is made, for what passes through this process.
    pub(super) directory: PathBuf,
    /// Cancelled when runs shall end; as in Packer's plugins, no later run begins then.
    pub(super) cancel: CancellationToken,
    /// Everything that has to end before the process does.
    pub(super) runs: TaskTracker,
    pub(super) prepared: Mutex<Option<State>>,
}

/// What the last preparation said.
#[derive(Clone)]
pub(super) struct State {
    options: Value,
    build: BuildInfo,
    schema: Schema,
}

impl Served {
    fn made(&self, artifact: Artifact) -> Made {
        Made(artifact, self.reclaimers.clone())
    }

    async fn schema(&self) -> Result<Schema, String> {
        let schema = Failure::catch(Arc::clone(&self.component).schema()).await;
        schema.map_err(|failure| failure.message)
    }

    async fn checked(&self, configs: &Configs) -> Result<Prepared, String> {
        let received = configs.merge();
        let schema = self.schema().await?;
        let mut build = build_info(&received.core);
        build.run_dir.clone_from(&self.directory);
        // Facts of the machine are not known yet; what names them is looked at again for the run.
        let common = common_names().into_iter().map(str::to_owned);
        let names = common.chain(received.facts_to_come);
        let context = Context {
            build: BuildValues::Placeholders(names.collect()),
            ..build.template_context()
        };
        let config = match rendered(&received.options, &schema, &context) {
            Ok(config) => config,
            Err(problems) => {
                return Ok(Prepared {
                    error: joined(&problems),
                    ..Prepared::default()
                });
            }
        };
        // Packer looks at no description for that.
        let deprecated = sdk_config::deprecated(&schema, &config);
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(State {
            options: received.options,
            build: build.clone(),
            schema,
        });
        let component = Arc::clone(&self.component);
        let prepared = Failure::catch(async { Ok(component.prepare(config, build).await) }).await;
        let prepared = prepared.map_err(|failure| failure.message)?;
        let diagnostics = [deprecated, prepared.diagnostics].concat();
        let (errors, warnings) = sorted(&diagnostics);
        if self.kind != Kind::Builder {
            for warning in &warnings {
                tracing::warn!(warning, "the options deserve a look");
            }
        }
        Ok(Prepared {
            generated: prepared.generated,
            warnings,
            error: joined(&errors),
        })
    }

    fn state(&self) -> Option<State> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.clone()
    }

    /// Runs the component to its end, also when the host leaves meanwhile.
    async fn run(
        &self,
        facts: &Value,
        role: Role,
        tell: impl FnOnce(Outward) -> Outward,
    ) -> Result<Outcome, String> {
        let state = self.state().ok_or("the component was not prepared")?;
        let folder = Folder::make(&self.directory)?;
        let context = state.build.template_context_with(facts);
        let config = rendered(&state.options, &state.schema, &context);
        let config = config.map_err(|problems| joined(&problems).unwrap_or_default())?;
        let (link, told) = HostLink::new();
        let secrets = state.build.secrets.clone();
        let cx = RunContext::new(link, self.cancel.clone(), state.build);
        let ended = CancellationToken::new();
        let outward = Outward::new(self.session.clone(), self.cancel.clone(), secrets);
        let outward = self.runs.spawn(tell(outward).pump(told, ended.clone()));
        let component = Arc::clone(&self.component);
        let run = self.runs.spawn(async move {
            let outcome = Failure::catch(component.run(cx.clone(), config, role)).await;
            let cleaned = tokio::time::timeout(CLEANUP_LIMIT, cx.cleaned_up());
            if cleaned.await.is_err() {
                tracing::warn!("cleanup did not end within its limit");
            }
            drop(cx);
            ended.cancel();
            drop(folder);
            outcome
        });
        let outcome = run.await;
        if let Err(error) = outward.await {
            tracing::debug!(%error, "not everything could be told");
        }
        match outcome {
            Ok(outcome) => outcome.map_err(|failure| failure.message),
            Err(error) => Err(format!("the component ended early: {error}")),
        }
    }
}

#[async_trait]
impl endpoint::Component for Served {
    fn kind(&self) -> Kind {
        self.kind
    }

    async fn config_spec(&self) -> Result<Vec<u8>, String> {
        let spec = from_schema(&self.schema().await?);
        spec.encode(self.encoding).map_err(text)
    }

    async fn prepare(&self, configs: Configs) -> Prepared {
        self.checked(&configs)
            .await
            .unwrap_or_else(|error| Prepared {
                error: Some(error),
                ..Prepared::default()
            })
    }

    async fn build(
        &self,
        hook: RemoteHook,
        ui: RemoteUi,
    ) -> Result<Option<Arc<dyn endpoint::Artifact>>, String> {
        let tell = |outward: Outward| outward.with_ui(ui).with_hook(hook);
        match self.run(&Value::empty_map(), Role::Plain, tell).await? {
            Outcome::Built(made) => Ok(made.map(|made| {
                let made: Arc<dyn endpoint::Artifact> = Arc::new(self.made(made));
                made
            })),
            _ => Err(WRONG_KIND.to_owned()),
        }
    }

    async fn provision(&self, data: Wire, client: Client, ui: RemoteUi) -> Result<(), String> {
        let facts = from_wire(&data);
        let machine = RemoteMachine::new(self.session.clone(), client, &self.directory);
        let role = Role::Provisioner(Arc::new(machine), facts.clone());
        match self
            .run(&facts, role, |outward| outward.with_ui(ui))
            .await?
        {
            Outcome::Provisioned => Ok(()),
            _ => Err(WRONG_KIND.to_owned()),
        }
    }

    async fn post_process(&self, input: RemoteArtifact, ui: RemoteUi) -> Result<Processed, String> {
        let remote = input;
        let input = received(&remote).await.map_err(|failure| failure.message)?;
        let facts = generated(&input);
        let role = Role::PostProcessor(input.clone(), facts.clone());
        match self
            .run(&facts, role, |outward| outward.with_ui(ui))
            .await?
        {
            Outcome::PostProcessed(made) => Ok(Processed {
                artifact: made.artifact.map(|made| {
                    let made: Arc<dyn endpoint::Artifact> = if is_same(&made, &input) {
                        Arc::new(Passed::new(self.made(made), remote))
                    } else {
                        Arc::new(self.made(made))
                    };
                    made
                }),
                keep: made.keep_input,
                force: made.force_keep_input,
            }),
            _ => Err(WRONG_KIND.to_owned()),
        }
    }

    async fn output_spec(&self) -> Result<Vec<u8>, String> {
        let spec = output_from_schema(&self.schema().await?.outputs);
        spec.encode(self.encoding).map_err(text)
    }

    async fn execute(&self) -> Result<Vec<u8>, String> {
        let spec = output_from_schema(&self.schema().await?.outputs);
        let nothing = Value::empty_map();
        let outcome = self.run(&nothing, Role::Plain, |outward| outward).await?;
        let Outcome::Read(value) = outcome else {
            return Err(WRONG_KIND.to_owned());
        };
        let typed = read_body(&spec, &value).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            format!(
                "the data source found something else than it says: {}",
                problems.join("; ")
            )
        })?;
        match self.encoding {
            Encoding::Gob => typed.to_gob().map_err(text),
            Encoding::Protobuf => typed.to_msgpack().map_err(text),
        }
    }

    async fn cancel(&self) {
        self.cancel.cancel();
    }
}

/// A folder for the length of a run.
struct Folder(PathBuf);

impl Folder {
    fn make(path: &Path) -> Result<Self, String> {
        super::start::make_private(path)
            .map_err(|error| format!("cannot make the folder `{}`: {error}", path.display()))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "cannot remove a folder");
        }
    }
}

const WRONG_KIND: &str = "the component did something else than its kind does";

/// An error and what led to it, in words.
fn text(error: impl std::error::Error + 'static) -> String {
    Failure::from_error(&error).message
}
