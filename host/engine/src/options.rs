//! How a run is meant to go.

use std::collections::BTreeMap;
use std::time::Duration;

use host_plugin_client::{BuildInfo, OnError};
use host_template::Build;

/// How a run is meant to go; the same for all its builds.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many builds run at the same time; `None` for all of them. Debug mode runs them one by
    /// one in any case.
    pub parallel: Option<usize>,
    /// Whether to pause between steps.
    pub debug: bool,
    /// Whether to replace what an earlier run left.
    pub force: bool,
    /// What to do when a step fails.
    pub on_error: OnError,
    /// The version templates see.
    pub core_version: String,
    /// Identity of this run.
    pub run_uuid: String,
    /// Start of the process, in nanoseconds since 1970 UTC.
    pub started_at_unix_nanos: i64,
    /// Values that must not appear in any output.
    pub secrets: Vec<String>,
    /// The files the template consists of, as the user named them, with the SHA-256 of each.
    pub template_files: BTreeMap<String, String>,
    /// The template's variables that are not sensitive, with their values.
    pub variables: BTreeMap<String, String>,
    /// How long a cancelled provisioner or post-processor may take to end before its process is
    /// killed.
    pub component_cancel_limit: Duration,
    /// How long a cancelled builder may take to undo what it made before its process is killed and
    /// the journal is used to undo the rest.
    pub builder_cancel_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallel: None,
            debug: false,
            force: false,
            on_error: OnError::Cleanup,
            core_version: String::new(),
            run_uuid: String::new(),
            started_at_unix_nanos: 0,
            secrets: Vec::new(),
            template_files: BTreeMap::new(),
            variables: BTreeMap::new(),
            component_cancel_limit: Duration::from_secs(10),
            builder_cancel_limit: Duration::from_secs(600),
        }
    }
}

impl Options {
    /// What the components of `build` are told about it.
    pub(crate) fn build_info(&self, build: &Build) -> BuildInfo {
        BuildInfo {
            name: build.name.clone(),
            source_name: build.source_name.clone(),
            builder_type: build.builder_type.clone(),
            core_version: self.core_version.clone(),
            debug: self.debug,
            force: self.force,
            on_error: self.on_error,
            template_dir: build.template_dir.clone(),
            template_path: build.template_path.clone(),
            run_uuid: self.run_uuid.clone(),
            user_variables: build.user_variables.clone(),
            started_at_unix_nanos: self.started_at_unix_nanos,
            secrets: self.secrets.clone(),
            template_files: self.template_files.clone(),
            variables: self.variables.clone(),
        }
    }
}
