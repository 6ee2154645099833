//! Components and the facts about their build.

use std::path::Path;

use host_template::ComponentKind;
use plugin_wire::v1 as wire;

use crate::session::{BuildInfo, OnError};

/// The component as a message.
pub(crate) fn component_to_wire(kind: ComponentKind, name: &str) -> wire::ComponentId {
    let kind = match kind {
        ComponentKind::Builder => wire::ComponentKind::Builder,
        ComponentKind::Provisioner => wire::ComponentKind::Provisioner,
        ComponentKind::PostProcessor => wire::ComponentKind::PostProcessor,
        ComponentKind::DataSource => wire::ComponentKind::DataSource,
    };
    wire::ComponentId {
        kind: kind.into(),
        name: name.to_owned(),
    }
}

/// The kind of component a number stands for; `None` for those this host does not know.
pub(crate) fn kind_from_wire(number: i32) -> Option<ComponentKind> {
    match wire::ComponentKind::try_from(number).ok()? {
        wire::ComponentKind::Unspecified => None,
        wire::ComponentKind::Builder => Some(ComponentKind::Builder),
        wire::ComponentKind::Provisioner => Some(ComponentKind::Provisioner),
        wire::ComponentKind::PostProcessor => Some(ComponentKind::PostProcessor),
        wire::ComponentKind::DataSource => Some(ComponentKind::DataSource),
    }
}

/// The kind in words, for messages.
pub(crate) fn kind_word(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Builder => "builder",
        ComponentKind::Provisioner => "provisioner",
        ComponentKind::PostProcessor => "post-processor",
        ComponentKind::DataSource => "data source",
    }
}

/// The facts as a message, with the two folders only this crate knows.
pub(crate) fn build_to_wire(build: &BuildInfo, cache: &Path, private: &Path) -> wire::BuildInfo {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let on_error = match build.on_error {
        OnError::Cleanup => wire::OnError::Cleanup,
        OnError::Abort => wire::OnError::Abort,
        OnError::Ask => wire::OnError::Ask,
        OnError::RunCleanupProvisioner => wire::OnError::RunCleanupProvisioner,
    };
    wire::BuildInfo {
        name: build.name.clone(),
        source_name: build.source_name.clone(),
        builder_type: build.builder_type.clone(),
        core_version: build.core_version.clone(),
        debug: build.debug,
        force: build.force,
        on_error: on_error.into(),
        template_dir: text(&build.template_dir),
        template_path: text(&build.template_path),
        run_uuid: build.run_uuid.clone(),
        cache_dir: text(cache),
        user_variables: build.user_variables.clone().into_iter().collect(),
        started_at_unix_nanos: build.started_at_unix_nanos,
        run_dir: text(private),
        secrets: build.secrets.clone(),
        template_files: build.template_files.clone().into_iter().collect(),
        variables: build.variables.clone().into_iter().collect(),
    }
}
