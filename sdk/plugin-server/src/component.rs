//! Components without their types.
//!
//! Most plugins never see these: [`crate::Plugin::builder`] and its siblings wrap typed components.
//! [`Component`] itself is for plugins that learn at run time what they offer.

use std::sync::Arc;

use futures::future::BoxFuture;
use sdk_component::{
    Artifact, BuildInfo, Builder, Communicator, DataSource, Failure, PostProcessed, PostProcessor,
    Prepared, Provisioner, RunContext,
};
use sdk_config::{Config, Diagnostics, Schema, Severity, Value, decode};

/// What a component is, as templates know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Makes a machine and an artifact.
    Builder,
    /// Changes a machine.
    Provisioner,
    /// Works on an artifact.
    PostProcessor,
    /// Looks something up.
    DataSource,
}

/// What a component is started with besides its configuration.
pub enum Role {
    /// Builders and data sources.
    Plain,
    /// Provisioners.
    Provisioner(Arc<dyn Communicator>, Value),
    /// Post-processors.
    PostProcessor(Artifact, Value),
}

/// What a component came to.
pub enum Outcome {
    /// Builders.
    Built(Option<Artifact>),
    /// Provisioners.
    Provisioned,
    /// Post-processors.
    PostProcessed(PostProcessed),
    /// Data sources.
    Read(Value),
}

/// A component of any kind.
pub trait Component: Send + Sync + 'static {
    /// Kind.
    fn kind(&self) -> Kind;

    /// What it takes and, for data sources, returns.
    ///
    /// # Errors
    ///
    /// A [`Failure`] when that cannot be found out.
    fn schema(self: Arc<Self>) -> BoxFuture<'static, Result<Schema, Failure>>;

    /// Checks `config`, which may have unknown values, and touches nothing.
    fn prepare(self: Arc<Self>, config: Value, build: BuildInfo) -> BoxFuture<'static, Prepared>;

    /// Runs it. It has to check `config` again, as a host need not have asked for that. What it
    /// comes to is of the component's kind.
    ///
    /// # Errors
    ///
    /// A [`Failure`] when it did not do what it was asked to.
    fn run(
        self: Arc<Self>,
        cx: RunContext,
        config: Value,
        role: Role,
    ) -> BoxFuture<'static, Result<Outcome, Failure>>;
}

/// Decodes and completes `config`: the struct when there is no error, and every problem.
fn prepared<C: Config>(
    config: &Value,
    prepare: impl FnOnce(&mut C) -> Prepared,
) -> (Option<C>, Prepared) {
    match decode::<C>(config) {
        Ok((mut config, mut warnings)) => {
            let mut prepared = prepare(&mut config);
            warnings.append(&mut prepared.diagnostics);
            prepared.diagnostics = warnings;
            let failed = prepared
                .diagnostics
                .iter()
                .any(|it| it.severity == Severity::Error);
            ((!failed).then_some(config), prepared)
        }
        Err(problems) => (None, problems.into()),
    }
}

/// The struct to run with.
fn ready<C: Config>(
    config: &Value,
    prepare: impl FnOnce(&mut C) -> Prepared,
) -> Result<C, Failure> {
    let (config, prepared) = prepared(config, prepare);
    config.ok_or_else(|| refused(prepared.diagnostics))
}

fn refused(diagnostics: Diagnostics) -> Failure {
    let first = diagnostics
        .iter()
        .find(|problem| problem.severity == Severity::Error);
    let message = first.map_or_else(
        || "the configuration cannot be used".to_owned(),
        |problem| format!("{}: {}", problem.summary, problem.detail),
    );
    Failure {
        diagnostics,
        ..Failure::new(message)
    }
}

fn wrong_role() -> Failure {
    Failure::new("the host started the component as one of another kind")
}

pub(crate) struct BuilderComponent<T>(pub(crate) T);

impl<T: Builder> Component for BuilderComponent<T> {
    fn kind(&self) -> Kind {
        Kind::Builder
    }

    fn schema(self: Arc<Self>) -> BoxFuture<'static, Result<Schema, Failure>> {
        Box::pin(async { Ok(T::Config::schema()) })
    }

    fn prepare(self: Arc<Self>, config: Value, build: BuildInfo) -> BoxFuture<'static, Prepared> {
        Box::pin(async move { prepared(&config, |config| self.0.prepare(config, &build)).1 })
    }

    fn run(
        self: Arc<Self>,
        cx: RunContext,
        config: Value,
        _role: Role,
    ) -> BoxFuture<'static, Result<Outcome, Failure>> {
        Box::pin(async move {
            let config = ready(&config, |config| self.0.prepare(config, cx.build()))?;
            self.0.run(cx, config).await.map(Outcome::Built)
        })
    }
}

pub(crate) struct ProvisionerComponent<T>(pub(crate) T);

impl<T: Provisioner> Component for ProvisionerComponent<T> {
    fn kind(&self) -> Kind {
        Kind::Provisioner
    }

    fn schema(self: Arc<Self>) -> BoxFuture<'static, Result<Schema, Failure>> {
        Box::pin(async { Ok(T::Config::schema()) })
    }

    fn prepare(self: Arc<Self>, config: Value, build: BuildInfo) -> BoxFuture<'static, Prepared> {
        Box::pin(async move { prepared(&config, |config| self.0.prepare(config, &build)).1 })
    }

    fn run(
        self: Arc<Self>,
        cx: RunContext,
        config: Value,
        role: Role,
    ) -> BoxFuture<'static, Result<Outcome, Failure>> {
        Box::pin(async move {
            let Role::Provisioner(machine, generated) = role else {
                return Err(wrong_role());
            };
            let config = ready(&config, |config| self.0.prepare(config, cx.build()))?;
            self.0.provision(cx, config, machine, generated).await?;
            Ok(Outcome::Provisioned)
        })
    }
}

pub(crate) struct PostProcessorComponent<T>(pub(crate) T);

impl<T: PostProcessor> Component for PostProcessorComponent<T> {
    fn kind(&self) -> Kind {
        Kind::PostProcessor
    }

    fn schema(self: Arc<Self>) -> BoxFuture<'static, Result<Schema, Failure>> {
        Box::pin(async { Ok(T::Config::schema()) })
    }

    fn prepare(self: Arc<Self>, config: Value, build: BuildInfo) -> BoxFuture<'static, Prepared> {
        Box::pin(async move { prepared(&config, |config| self.0.prepare(config, &build)).1 })
    }

    fn run(
        self: Arc<Self>,
        cx: RunContext,
        config: Value,
        role: Role,
    ) -> BoxFuture<'static, Result<Outcome, Failure>> {
        Box::pin(async move {
            let Role::PostProcessor(input, generated) = role else {
                return Err(wrong_role());
            };
            let config = ready(&config, |config| self.0.prepare(config, cx.build()))?;
            self.0
                .post_process(cx, config, input, generated)
                .await
                .map(Outcome::PostProcessed)
        })
    }
}

pub(crate) struct DataSourceComponent<T>(pub(crate) T);

impl<T: DataSource> Component for DataSourceComponent<T> {
    fn kind(&self) -> Kind {
        Kind::DataSource
    }

    fn schema(self: Arc<Self>) -> BoxFuture<'static, Result<Schema, Failure>> {
        let schema = || Schema {
            outputs: T::Output::schema().attributes,
            ..T::Config::schema()
        };
        Box::pin(async move { Ok(schema()) })
    }

    fn prepare(self: Arc<Self>, config: Value, build: BuildInfo) -> BoxFuture<'static, Prepared> {
        Box::pin(async move { prepared(&config, |config| self.0.prepare(config, &build)).1 })
    }

    fn run(
        self: Arc<Self>,
        cx: RunContext,
        config: Value,
        _role: Role,
    ) -> BoxFuture<'static, Result<Outcome, Failure>> {
        Box::pin(async move {
            let config = ready(&config, |config| self.0.prepare(config, cx.build()))?;
            self.0.read(cx, config).await.map(Outcome::Read)
        })
    }
}
