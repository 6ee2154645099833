//! What the engine holds, removed by a process that did not make it.

use std::process::Stdio;
use std::time::Duration;

use kiln_sdk::{Failure, Resource};

/// Kind of an image: `id` is its name or its digest.
pub(crate) const IMAGE: &str = "docker-image";
/// Keys of what is needed to remove something.
const PROGRAM: &str = "program";
const HOST: &str = "host";
/// Variable that says where the engine is.
const HOST_VARIABLE: &str = "DOCKER_HOST";
/// The longest a removal may take: nothing is asked to stop.
const LIMIT: Duration = Duration::from_secs(60);

/// Something that the engine holds, which `program` talks to.
pub(crate) fn held_by_engine(kind: &str, id: &str, program: &str) -> Resource {
    Resource::of(kind, id)
        .with(PROGRAM, program)
        .with(HOST, std::env::var(HOST_VARIABLE).unwrap_or_default())
}

/// Removes the image of an artifact; one that is gone already is fine.
///
/// # Errors
///
/// When the engine does not do that, for example because a container uses it.
pub(crate) async fn reclaim_image(resource: Resource) -> Result<(), Failure> {
    remove(&resource, &["rmi"], "no such image").await
}

/// Removes something by the program's `words`. `gone` is what an engine says of what it does not
/// have; Docker and Podman do not agree on case.
///
/// # Errors
///
/// When the engine does not do that.
pub(crate) async fn remove(resource: &Resource, words: &[&str], gone: &str) -> Result<(), Failure> {
    let value = |key: &str| resource.reclaim.get(key).cloned().unwrap_or_default();
    let mut command = tokio::process::Command::new(value(PROGRAM));
    if !value(HOST).is_empty() {
        command.env(HOST_VARIABLE, value(HOST));
    }
    let removing = command
        .args(words)
        .arg(&resource.id)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, removing)
        .await
        .map_err(|_| {
            Failure::new(format!(
                "`{} {}` did not end within {} s; {} may still be there",
                value(PROGRAM),
                words[0],
                LIMIT.as_secs(),
                resource.id
            ))
        })?
        .map_err(|error| Failure::new(format!("cannot start `{}`: {error}", value(PROGRAM))))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() || said.to_lowercase().contains(gone) {
        return Ok(());
    }
    Err(Failure::new(said.trim().to_owned()))
}
