//! Facts about a build, and what checking gave.

use std::path::PathBuf;

use plugin_wire::v1 as wire;
use sdk_component::{BuildInfo, OnError, Prepared};

use super::diagnostic_to_wire;

/// Without a message every fact has its default.
pub(crate) fn build_from_wire(build: Option<wire::BuildInfo>) -> BuildInfo {
    let build = build.unwrap_or_default();
    let on_error = match build.on_error() {
        wire::OnError::Unspecified | wire::OnError::Cleanup => OnError::Cleanup,
        wire::OnError::Abort => OnError::Abort,
        wire::OnError::Ask => OnError::Ask,
        wire::OnError::RunCleanupProvisioner => OnError::RunCleanupProvisioner,
    };
    BuildInfo {
        on_error,
        name: build.name,
        source_name: build.source_name,
        builder_type: build.builder_type,
        core_version: build.core_version,
        debug: build.debug,
        force: build.force,
        template_dir: PathBuf::from(build.template_dir),
        template_path: PathBuf::from(build.template_path),
        run_uuid: build.run_uuid,
        cache_dir: PathBuf::from(build.cache_dir),
        user_variables: build.user_variables.into_iter().collect(),
        started_at_unix_nanos: build.started_at_unix_nanos,
        run_dir: PathBuf::from(build.run_dir),
        secrets: build.secrets,
        template_files: build.template_files.into_iter().collect(),
        variables: build.variables.into_iter().collect(),
    }
}

pub(crate) fn prepared_to_wire(prepared: Prepared) -> wire::PrepareResponse {
    wire::PrepareResponse {
        diagnostics: prepared
            .diagnostics
            .into_iter()
            .map(diagnostic_to_wire)
            .collect(),
        generated: prepared.generated,
    }
}
