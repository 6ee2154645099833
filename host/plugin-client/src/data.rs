//! What templates need of the plugins: schemas, names, data.

use async_trait::async_trait;
use host_diag::{Diagnostic, Diagnostics};
use host_eval::Value;
use host_template::{ComponentKind, Components, Configured, RequiredPlugin, Schema};

use crate::convert::unknown_outputs;
use crate::error::ClientError;
use crate::registry::Registry;
use crate::run::{Event, Finished, Reply, Role, Run};
use crate::session::Session;

#[async_trait]
impl Components for Registry {
    fn schema(&self, kind: ComponentKind, name: &str) -> Option<&Schema> {
        self.installed(kind, name)?.schema(kind, name)
    }

    fn names(&self, kind: ComponentKind) -> Vec<String> {
        self.all_names(kind)
    }

    fn missing_plugin(&self, required: &RequiredPlugin) -> Option<Vec<String>> {
        self.instead_of(required)
    }

    async fn read_data(
        &self,
        name: &str,
        config: &Configured,
        execute: bool,
    ) -> (Value, Diagnostics) {
        let outputs = self
            .schema(ComponentKind::DataSource, name)
            .map(|one| &one.outputs[..]);
        let unknown = unknown_outputs(outputs.unwrap_or_default());
        let mut diagnostics = Diagnostics::new();
        let read = self.read(name, config, execute, &mut diagnostics).await;
        match read {
            Ok(value) => (value.unwrap_or(unknown), diagnostics),
            Err(error) => {
                let summary = format!("Cannot read data source \"{name}\"");
                diagnostics.push(about(
                    Diagnostic::error(summary).detail(error.report()),
                    config,
                ));
                (unknown, diagnostics)
            }
        }
    }
}

impl Registry {
    /// What the data source returned; `None` when it was not run or did not succeed, which
    /// `diagnostics` explain then.
    async fn read(
        &self,
        name: &str,
        config: &Configured,
        execute: bool,
        diagnostics: &mut Diagnostics,
    ) -> Result<Option<Value>, ClientError> {
        let directory = self.run_directory().await?;
        let mut session = Session::launch(
            self,
            &directory,
            ComponentKind::DataSource,
            name,
            Some(config),
        )
        .await?;
        let facts = &self.settings.facts;
        let (found, _) = session.prepare(config, facts).await?;
        let refused = found.iter().any(Diagnostic::is_error);
        diagnostics.extend(found);
        let mut value = None;
        if execute && !refused {
            let mut run = session.run(config, facts, Role::Plain).await?;
            value = watch(name, config, &mut run, diagnostics).await?;
        }
        session.stop().await;
        Ok(value)
    }
}

/// Reads the events of a data source to their end. What it has to say goes to the log, as there is
/// no build yet whose output it could be part of.
async fn watch(
    name: &str,
    config: &Configured,
    run: &mut Run,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Value>, ClientError> {
    loop {
        match run.next().await? {
            Event::Ui(_, text) => tracing::info!(data = name, text, "data source"),
            Event::Diagnostics(found) => diagnostics.extend(found),
            Event::Finished(Finished::Success { output, .. }) => return Ok(output),
            Event::Finished(Finished::Failure {
                message,
                diagnostics: found,
                ..
            }) => {
                if !found.iter().any(Diagnostic::is_error) {
                    let summary = format!("Data source \"{name}\" failed");
                    diagnostics.push(about(Diagnostic::error(summary).detail(message), config));
                }
                diagnostics.extend(found);
                return Ok(None);
            }
            Event::Pause(number, prompt, _) => {
                tracing::info!(data = name, prompt, "nobody can be asked yet");
                run.reply(Reply::Continue(number, None)).await;
            }
            // It says so of its own result, which is not shown anywhere.
            Event::Secret(_) => {}
            Event::Ready(..) | Event::CleanupProvision(_) => {
                run.reply(Reply::Provisioned(None, false)).await;
            }
            Event::Progress(_) | Event::StepBegun(_) | Event::StepEnded(..) => {}
        }
    }
}

/// The diagnostic, at the block of `config`.
fn about(mut diagnostic: Diagnostic, config: &Configured) -> Diagnostic {
    diagnostic.subject = config.header_span;
    diagnostic.context = (!config.header.is_empty()).then(|| config.header.clone());
    diagnostic
}
