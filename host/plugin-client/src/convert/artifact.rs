//! Artifacts and how a run ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host_eval::Value;
use host_template::{AttributeSchema, Configured};
use plugin_wire::v1 as wire;
use plugin_wire::v1::finished::Outcome;

use super::diagnostic::diagnostics_from_wire;
use super::value::{outputs_from_wire, value_from_wire, value_to_wire};
use super::{BadMessage, required, resource_from_wire, resource_to_wire};
use crate::journal::{Owned, Owner};
use crate::run::{Artifact, Finished};

/// The artifact of a message from the plugin `maker`, which knows those parts of others that it was
/// given.
pub(crate) fn artifact_from_wire(
    message: wire::Artifact,
    maker: &Owner,
    given: &[Owned],
) -> Result<Artifact, BadMessage> {
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
        resources: message
            .resources
            .into_iter()
            .map(|resource| owned(resource, maker, given))
            .collect(),
    })
}

fn owned(message: wire::Resource, maker: &Owner, given: &[Owned]) -> Owned {
    let resource = resource_from_wire(message);
    let mut given = given.iter();
    let other = given.find(|one| one.resource == resource);
    Owned {
        owner: other.map_or(maker, |other| &other.owner).clone(),
        resource,
    }
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
        resources: (1..)
            .zip(&artifact.resources)
            .map(|(number, owned)| resource_to_wire(number, &owned.resource))
            .collect(),
    }
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// How the run of the component that `config` belongs to ended; `maker` and `given` as with
/// [`artifact_from_wire`].
pub(crate) fn finished_from_wire(
    message: wire::Finished,
    (maker, given): (&Owner, &[Owned]),
    config: &Configured,
    outputs: &[AttributeSchema],
) -> Result<Finished, BadMessage> {
    match required(message.outcome, "outcome")? {
        Outcome::Success(success) => Ok(Finished::Success {
            artifact: success
                .artifact
                .map(|artifact| artifact_from_wire(artifact, maker, given))
                .transpose()?,
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
    use crate::journal::Resource;

    fn owner(name: &str) -> Owner {
        Owner {
            name: name.into(),
            source: String::new(),
            path: name.into(),
            behind: None,
            confined: None,
        }
    }

    #[test]
    fn artifacts_survive_the_trip_and_their_parts_stay_their_makers() {
        let owned = |owner: Owner, id: &str| Owned {
            owner,
            resource: Resource {
                kind: "image".into(),
                id: id.into(),
                reclaim: BTreeMap::from([("zone".into(), "b".into())]),
            },
        };
        let artifact = Artifact {
            builder_id: "b".into(),
            id: "i".into(),
            files: vec!["out/disk".into()],
            description: "files".into(),
            state: no_state(),
            destroy: vec!["out".into()],
            resources: vec![owned(owner("one"), "1"), owned(owner("two"), "2")],
        };
        let trip = |given: &[Owned]| {
            artifact_from_wire(artifact_to_wire(&artifact), &owner("two"), given).unwrap()
        };
        assert_eq!(trip(&artifact.resources), artifact);
        let theirs = [owned(owner("two"), "1"), owned(owner("two"), "2")];
        assert_eq!(trip(&[]).resources, theirs);
    }
}
