//! Artifacts and how a run ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host_eval::Value;
use host_template::{AttributeSchema, Configured};
use plugin_wire::v1 as wire;
use plugin_wire::v1::finished::Outcome;

use super::diagnostic::diagnostics_from_wire;
use super::value::{outputs_from_wire, value_from_wire, value_to_wire};
use super::{BadMessage, required};
use crate::run::{Artifact, Finished};

/// The artifact of a message.
pub(crate) fn artifact_from_wire(message: wire::Artifact) -> Result<Artifact, BadMessage> {
    let paths = |texts: Vec<String>| texts.into_iter().map(PathBuf::from).collect();
    Ok(Artifact {
        builder_id: message.builder_id,
        id: message.id,
        files: paths(message.files),
        description: message.description,
        state: message
            .state
            .map_or_else(|| Ok(no_state()), value_from_wire)?,
        destroy: paths(message.destroy),
    })
}

fn no_state() -> Value {
    Value::object(BTreeMap::new())
}

/// The artifact as a message.
pub(crate) fn artifact_to_wire(artifact: &Artifact) -> wire::Artifact {
    let texts = |paths: &[PathBuf]| paths.iter().map(|path| path_text(path)).collect();
    wire::Artifact {
        builder_id: artifact.builder_id.clone(),
        id: artifact.id.clone(),
        files: texts(&artifact.files),
        description: artifact.description.clone(),
        state: Some(value_to_wire(&artifact.state)),
        destroy: texts(&artifact.destroy),
    }
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// How the run of the component that `config` belongs to ended.
pub(crate) fn finished_from_wire(
    message: wire::Finished,
    config: &Configured,
    outputs: &[AttributeSchema],
) -> Result<Finished, BadMessage> {
    match required(message.outcome, "outcome")? {
        Outcome::Success(success) => Ok(Finished::Success {
            artifact: success.artifact.map(artifact_from_wire).transpose()?,
            keep_input: success.keep_input,
            force_keep_input: success.force_keep_input,
            output: success
                .output
                .map(|value| outputs_from_wire(value, outputs))
                .transpose()?,
        }),
        Outcome::Failure(failure) => Ok(Finished::Failure {
            message: failure.message,
            cancelled: failure.cancelled,
            diagnostics: diagnostics_from_wire(failure.diagnostics, config),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_survive_the_trip() {
        let artifact = Artifact {
            builder_id: "b".into(),
            id: "i".into(),
            files: vec!["out/disk".into()],
            description: "files".into(),
            state: no_state(),
            destroy: vec!["out".into()],
        };
        assert_eq!(
            artifact_from_wire(artifact_to_wire(&artifact)).unwrap(),
            artifact
        );
    }
}
