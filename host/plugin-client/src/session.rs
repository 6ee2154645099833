//! One running plugin process, seen from the engine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use host_diag::Diagnostics;
use host_template::{AttributeSchema, ComponentKind, Components, Configured};
use plugin_wire::v1 as wire;

use crate::convert::{
    build_to_wire, component_to_wire, diagnostics_from_wire, kind_word, value_to_wire,
};
use crate::error::ClientError;
use crate::process::Process;
use crate::registry::Registry;
use crate::run::{Role, Run, Start};
use crate::run_directory::RunDirectory;

/// How long checking a configuration may take; it may fetch checksums over the network.
const PREPARE_LIMIT: Duration = Duration::from_secs(300);

/// What to do when a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnError {
    /// Undo everything.
    #[default]
    Cleanup,
    /// Leave everything as it is.
    Abort,
    /// Ask the person.
    Ask,
    /// Only run the error-cleanup provisioner.
    RunCleanupProvisioner,
}

/// Facts about the build a component works for.
#[derive(Clone, Debug, Default)]
pub struct BuildInfo {
    /// Full name.
    pub name: String,
    /// Label of the source block, or the builder's name in a JSON template.
    pub source_name: String,
    /// Type of the builder.
    pub builder_type: String,
    /// The version templates see.
    pub core_version: String,
    /// Whether to pause between steps.
    pub debug: bool,
    /// Whether to replace what an earlier run left.
    pub force: bool,
    /// What to do when a step fails.
    pub on_error: OnError,
    /// Absolute folder of the template.
    pub template_dir: PathBuf,
    /// Path of a legacy JSON template.
    pub template_path: PathBuf,
    /// Identity of this run.
    pub run_uuid: String,
    /// User variables of a legacy JSON template.
    pub user_variables: BTreeMap<String, String>,
    /// Start of the process, in nanoseconds since 1970 UTC.
    pub started_at_unix_nanos: i64,
    /// Values that must not appear in any output.
    pub secrets: Vec<String>,
    /// The files the template consists of, as the user named them, with the SHA-256 of each.
    pub template_files: BTreeMap<String, String>,
    /// The template's variables that are not sensitive, with their values.
    pub variables: BTreeMap<String, String>,
}

/// One running plugin process that serves one component. Dropping it ends the process; call
/// [`Session::stop`] to end it kindly.
#[derive(Debug)]
pub struct Session {
    process: Arc<Process>,
    directory: Arc<RunDirectory>,
    kind: ComponentKind,
    name: String,
    outputs: Vec<AttributeSchema>,
}

impl Session {
    /// Starts the plugin that offers the component. A confined one may change the files and folders
    /// that `config` names; without it, it can only check configurations.
    ///
    /// # Errors
    ///
    /// When there is none, when it cannot be started, or when its handshake is wrong or late; the
    /// error holds its last log lines.
    pub async fn launch(
        registry: &Registry,
        directory: &Arc<RunDirectory>,
        kind: ComponentKind,
        name: &str,
        config: Option<&Configured>,
    ) -> Result<Self, ClientError> {
        let installed = registry.find(kind, name)?;
        let mut folder = directory.private_folder()?;
        if let Some(config) = config {
            folder = folder.named_by(&config.value);
        }
        let process = Process::start(installed.owner(), folder).await?;
        let outputs = match kind {
            ComponentKind::DataSource => registry.schema(kind, name).map(|one| one.outputs.clone()),
            _ => None,
        };
        Ok(Self {
            process: Arc::new(process),
            directory: Arc::clone(directory),
            kind,
            name: name.to_owned(),
            outputs: outputs.unwrap_or_default(),
        })
    }

    /// The same before the component's turn, for a plugin that is not confined: what a confined one
    /// may change is known only then. `None` for that.
    ///
    /// # Errors
    ///
    /// As [`Session::launch`].
    pub async fn launch_early(
        registry: &Registry,
        directory: &Arc<RunDirectory>,
        kind: ComponentKind,
        name: &str,
    ) -> Result<Option<Self>, ClientError> {
        if registry.find(kind, name)?.owner().confined.is_some() {
            return Ok(None);
        }
        let session = Self::launch(registry, directory, kind, name, None).await?;
        Ok(Some(session))
    }

    /// Whether the process still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process.is_running()
    }

    /// Checks a configuration; problems have template positions. Also the names of generated values.
    ///
    /// # Errors
    ///
    /// When the plugin died or broke the protocol.
    pub async fn prepare(
        &mut self,
        config: &Configured,
        build: &BuildInfo,
    ) -> Result<(Diagnostics, Vec<String>), ClientError> {
        self.prepare_other((self.kind, &self.name), config, build)
            .await
    }

    /// Checks a configuration of any component of the same plugin. Several checks may go on at the
    /// same time.
    ///
    /// # Errors
    ///
    /// When the plugin died or broke the protocol.
    pub async fn prepare_other(
        &self,
        (kind, name): (ComponentKind, &str),
        config: &Configured,
        build: &BuildInfo,
    ) -> Result<(Diagnostics, Vec<String>), ClientError> {
        let request = wire::PrepareRequest {
            component: Some(component_to_wire(kind, name)),
            config: Some(value_to_wire(&config.value)),
            build: Some(self.build(build)),
        };
        let doing = format!("check the options of the {} `{name}`", kind_word(kind));
        let call =
            |mut client: crate::process::Client| async move { client.prepare(request).await };
        let answer = self.process.call(&doing, PREPARE_LIMIT, call).await?;
        Ok((
            diagnostics_from_wire(answer.diagnostics, config),
            answer.generated,
        ))
    }

    /// Starts the component.
    ///
    /// # Errors
    ///
    /// When the plugin died or broke the protocol.
    pub async fn run(
        &mut self,
        config: &Configured,
        build: &BuildInfo,
        role: Role,
    ) -> Result<Run, ClientError> {
        Ok(Run::start(Start {
            process: Arc::clone(&self.process),
            directory: Arc::clone(&self.directory),
            doing: format!("run the {} `{}`", kind_word(self.kind), self.name),
            component: component_to_wire(self.kind, &self.name),
            build: self.build(build),
            on_error: build.on_error,
            config: config.clone(),
            outputs: self.outputs.clone(),
            role,
        }))
    }

    /// Ends the process: closes its standard input, waits, then kills its process group.
    pub async fn stop(self) {
        self.process.stop().await;
    }

    /// Ends the process by force and at once.
    pub async fn kill(self) {
        self.process.kill().await;
    }

    fn build(&self, build: &BuildInfo) -> wire::BuildInfo {
        build_to_wire(build, self.directory.cache_folder(), self.process.files())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A run holds the process as well, so that it can tell how it died.
        self.process.kill_soon();
    }
}
