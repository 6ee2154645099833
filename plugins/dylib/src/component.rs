//! A library's components as kiln knows components.

use std::sync::Arc;

use futures::future::BoxFuture;
use kiln_sdk::config::Schema;
use kiln_sdk::plugin_server::{Component, Kind, Outcome, Role};
use kiln_sdk::{
    BuildInfo, Communicator, Diagnostic, Diagnostics, Failure, Prepared, RunContext, Value,
    ValueKind,
};
use serde_json::{Map, Value as Json, json};

use crate::abi;
use crate::description::Described;
use crate::host::Run;
use crate::json;
use crate::library::Library;
use crate::options;

/// A component of a library.
pub(crate) struct Foreign {
    library: Arc<Library>,
    described: Described,
}

impl Foreign {
    pub(crate) fn new(library: Arc<Library>, described: Described) -> Self {
        Self { library, described }
    }

    /// What the library is told, and every problem; the library itself is only asked when the
    /// options are in order.
    fn checked(&self, config: &Value, build: &BuildInfo) -> (Map<String, Json>, Diagnostics) {
        let (options, mut problems) = options::read(&self.described.schema, config);
        let input = json!({
            "kind": self.described.word,
            "name": self.described.name,
            "options": options,
            "build": json::build(build),
        });
        if options::is_good(&problems) {
            problems.extend(self.library.prepare(&input.to_string()));
        }
        let Json::Object(input) = input else {
            unreachable!("it was made as an object")
        };
        (input, problems)
    }

    /// Runs it on a thread that may block.
    async fn carry_out(
        self: Arc<Self>,
        cx: RunContext,
        config: Value,
        role: Role,
    ) -> Result<Outcome, Failure> {
        let (mut input, problems) = self.checked(&config, cx.build());
        if !options::is_good(&problems) {
            let first = problems.first().map(|problem| problem.summary.clone());
            return Err(Failure {
                diagnostics: problems,
                ..Failure::new(first.unwrap_or_default())
            });
        }
        let machine = self.role(role, &mut input)?;
        let input = Json::Object(input).to_string();
        let run = Run::new(cx, machine);
        let work = tokio::task::spawn_blocking(move || {
            let status = self.library.run(&run, &input);
            (self, run.finish(status))
        });
        let (this, result) = work.await.map_err(|error| Failure::from_error(&error))?;
        this.outcome(result?)
    }

    /// Adds what the role brings to what the library is told; the machine is for the run.
    fn role(
        &self,
        role: Role,
        input: &mut Map<String, Json>,
    ) -> Result<Option<Arc<dyn Communicator>>, Failure> {
        match (self.described.kind, role) {
            (Kind::Builder | Kind::DataSource, Role::Plain) => Ok(None),
            (Kind::Provisioner, Role::Provisioner(machine, generated)) => {
                input.insert("generated".to_owned(), json::to_json(&generated));
                Ok(Some(machine))
            }
            (Kind::PostProcessor, Role::PostProcessor(artifact, generated)) => {
                input.insert("artifact".to_owned(), json::artifact(&artifact));
                input.insert("generated".to_owned(), json::to_json(&generated));
                Ok(None)
            }
            _ => Err(Failure::new(
                "the host started the component as one of another kind",
            )),
        }
    }

    /// What the library's result means.
    fn outcome(&self, result: Option<Map<String, Json>>) -> Result<Outcome, Failure> {
        let wrong = |problem: String| Failure::new(format!("the library has a bug: {problem}"));
        Ok(match self.described.kind {
            Kind::Provisioner => Outcome::Provisioned,
            Kind::DataSource => {
                Outcome::Read(json::from_json(Json::Object(result.unwrap_or_default())))
            }
            Kind::Builder => {
                let made = result.map(json::made).transpose().map_err(wrong)?;
                Outcome::Built(made.and_then(|made| made.artifact))
            }
            Kind::PostProcessor => {
                let made = result.map(json::made).transpose().map_err(wrong)?;
                Outcome::PostProcessed(made.unwrap_or(kiln_sdk::PostProcessed {
                    artifact: None,
                    keep_input: true,
                    force_keep_input: false,
                }))
            }
        })
    }
}

impl Component for Foreign {
    fn kind(&self) -> Kind {
        self.described.kind
    }

    fn schema(self: Arc<Self>) -> BoxFuture<'static, Result<Schema, Failure>> {
        let schema = self.described.schema.clone();
        Box::pin(async move { Ok(schema) })
    }

    fn prepare(self: Arc<Self>, config: Value, build: BuildInfo) -> BoxFuture<'static, Prepared> {
        Box::pin(async move {
            let generated = self.described.generated.clone();
            let check = tokio::task::spawn_blocking(move || self.checked(&config, &build).1);
            match check.await {
                Ok(diagnostics) => Prepared {
                    diagnostics,
                    generated,
                },
                // Joining fails only when the check panicked.
                Err(error) => vec![Diagnostic::error("Plugin failed", format!("{error}."))].into(),
            }
        })
    }

    fn run(
        self: Arc<Self>,
        cx: RunContext,
        config: Value,
        role: Role,
    ) -> BoxFuture<'static, Result<Outcome, Failure>> {
        Box::pin(self.carry_out(cx, config, role))
    }
}

/// A result as a library gives it.
pub(crate) fn object(text: &str) -> Result<Map<String, Json>, String> {
    match serde_json::from_str(text) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err("the result is no JSON object".to_owned()),
        Err(error) => Err(format!("the result is no JSON: {error}")),
    }
}

/// The values of a machine as provisioners see them.
pub(crate) fn values(text: &str) -> Result<Value, String> {
    let value = json::from_json(Json::Object(object(text)?));
    debug_assert!(matches!(value.kind, ValueKind::Map(_)), "objects are maps");
    Ok(value)
}

/// How a library's run ended, when it did not say why.
pub(crate) fn unexplained(status: std::ffi::c_int) -> Failure {
    match status {
        abi::CANCELLED => Failure::cancelled(),
        abi::FAILED => Failure::new("the library does not say why it failed"),
        other => Failure::new(format!(
            "the library has a bug: kiln_plugin_run returned {other}"
        )),
    }
}
