//! One component of the plugin, as the host sees it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kiln_sdk::config::Schema;
use kiln_sdk::plugin_server::{Component, Kind as HostKind, Outcome, Role};
use kiln_sdk::{BuildInfo, Diagnostic, Failure, Prepared, RunContext, Severity, Value};
use sdk_packer_protocol::Kind;
use sdk_packer_protocol::endpoint::PrepareError;
use sdk_packer_protocol::spec::{Spec, to_schema};
use sdk_packer_protocol::transport::CallError;
use tokio::sync::OnceCell;

use crate::options;
use crate::process::{Executable, Running};
use crate::run;

/// How long a plugin may take to describe its options or to check some. Checking may ask a cloud.
const PREPARE_LIMIT: Duration = Duration::from_secs(300);
const SPEC_LIMIT: Duration = Duration::from_secs(30);

/// A component of a plugin made for Packer.
pub(crate) struct Bridged {
    executable: Arc<Executable>,
    kind: Kind,
    raw_name: String,
    spec: OnceCell<Spec>,
}

impl Bridged {
    pub(crate) fn new(executable: Arc<Executable>, kind: Kind, raw_name: String) -> Self {
        Self {
            executable,
            kind,
            raw_name,
            spec: OnceCell::new(),
        }
    }

    async fn start(&self, cx: Option<&RunContext>) -> Result<Running, Failure> {
        let started = self.executable.start(self.kind, &self.raw_name, cx);
        Box::pin(started).await
    }

    /// The description of the options, read from `running` once.
    async fn spec(&self, running: &mut Running) -> Result<&Spec, Failure> {
        let read = self.spec.get_or_try_init(|| async {
            let bytes = limited(running, SPEC_LIMIT, "ConfigSpec", async |component| {
                component.config_spec().await
            });
            self.decoded(&bytes.await?)
        });
        read.await
    }

    fn decoded(&self, bytes: &[u8]) -> Result<Spec, Failure> {
        let spec = Spec::decode(bytes, self.executable.encoding);
        spec.map_err(|error| Failure::from_error(&error))
    }

    async fn described(&self, running: &mut Running) -> Result<Schema, Failure> {
        let spec = self.spec(running).await?.clone();
        let results = if self.kind == Kind::Datasource {
            let bytes = limited(running, SPEC_LIMIT, "OutputSpec", async |component| {
                component.output_spec().await
            });
            Some(self.decoded(&bytes.await?)?)
        } else {
            None
        };
        to_schema(&spec, results.as_ref()).map_err(|error| Failure::from_error(&error))
    }

    /// Checks `options`. Problems with them are no failure.
    async fn prepared(
        &self,
        running: &mut Running,
        options: &Value,
        build: &BuildInfo,
    ) -> Result<Prepared, Failure> {
        let spec = self.spec(running).await?;
        let configs = match options::configs(self.kind, spec, options, build) {
            Ok(configs) => configs,
            Err(problems) => return Ok(problems.into()),
        };
        let prepared = limited(running, PREPARE_LIMIT, "Prepare", async |component| {
            component.prepare(&configs).await
        });
        let prepared = prepared.await?;
        let warnings = prepared.warnings.iter().map(|text| options::warning(text));
        let error = prepared.error.as_deref();
        let error = error.map(|message| options::refusal(message, spec));
        Ok(Prepared {
            diagnostics: warnings.chain(error).collect(),
            generated: prepared.generated,
        })
    }

    /// A run in a process of its own.
    async fn carried_out(
        &self,
        cx: &RunContext,
        options: &Value,
        role: Role,
    ) -> Result<Outcome, Failure> {
        let mut running = self.start(Some(cx)).await?;
        let work = async {
            let prepared = tokio::select! {
                biased;
                () = cx.cancel().cancelled() => Err(Failure::cancelled()),
                prepared = self.prepared(&mut running, options, cx.build()) => prepared,
            };
            refused(prepared?)?;
            Box::pin(run::run(&mut running, self.executable.encoding, cx, role)).await
        };
        let outcome = work.await;
        running.end().await;
        outcome
    }
}

/// Makes a failure of a preparation that found an error.
fn refused(prepared: Prepared) -> Result<(), Failure> {
    let error = |problem: &&Diagnostic| problem.severity == Severity::Error;
    let Some(first) = prepared.diagnostics.iter().find(error) else {
        return Ok(());
    };
    Err(Failure {
        diagnostics: prepared.diagnostics.clone(),
        ..Failure::new(format!("{}: {}", first.summary, first.detail))
    })
}

/// Makes one call, with a limit, and says what became of a plugin that does not answer.
async fn limited<T, E>(
    running: &mut Running,
    limit: Duration,
    what: &str,
    call: impl AsyncFnOnce(&sdk_packer_protocol::endpoint::RemoteComponent) -> Result<T, E>,
) -> Result<T, Failure>
where
    E: Into<PrepareError>,
{
    let component = running.component.clone();
    match tokio::time::timeout(limit, call(&component)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => match error.into() {
            PrepareError::Call(CallError::Ended { .. }) => Err(running.post_mortem(what).await),
            error => Err(Failure::from_error(&error)),
        },
        Err(_) => Err(Failure::new(format!(
            "the Packer plugin did not answer `{what}` within {} s",
            limit.as_secs()
        ))),
    }
}

impl Component for Bridged {
    fn kind(&self) -> HostKind {
        match self.kind {
            Kind::Builder => HostKind::Builder,
            Kind::Provisioner => HostKind::Provisioner,
            Kind::PostProcessor => HostKind::PostProcessor,
            Kind::Datasource => HostKind::DataSource,
        }
    }

    fn schema(self: Arc<Self>) -> BoxFuture<'static, Result<Schema, Failure>> {
        Box::pin(async move {
            let mut running = self.start(None).await?;
            let schema = self.described(&mut running).await;
            running.end().await;
            schema
        })
    }

    fn prepare(self: Arc<Self>, config: Value, build: BuildInfo) -> BoxFuture<'static, Prepared> {
        Box::pin(async move {
            let prepared = async {
                let mut running = self.start(None).await?;
                let prepared = self.prepared(&mut running, &config, &build).await;
                running.end().await;
                prepared
            };
            prepared.await.unwrap_or_else(|failure: Failure| {
                let detail = format!("{failure}.");
                vec![Diagnostic::error("The plugin failed", detail)].into()
            })
        })
    }

    fn run(
        self: Arc<Self>,
        cx: RunContext,
        config: Value,
        role: Role,
    ) -> BoxFuture<'static, Result<Outcome, Failure>> {
        Box::pin(async move { self.carried_out(&cx, &config, role).await })
    }
}
