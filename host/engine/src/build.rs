//! One build: its builder with the provisioners, then the post-processors.

use std::time::Instant;

use host_plugin_client::{Artifact, Role};
use tokio_util::sync::CancellationToken;

use crate::component::{Scope, Task};
use crate::failure::{CANCELLED, Failure};
use crate::observer::Event;
use crate::post_process::{Plugins, run_chains};
use crate::prepare::PreparedBuild;
use crate::provision::Provisioning;
use crate::schedule::Outcome;

/// Runs a build from its first event to its last.
pub(crate) async fn run(
    scope: &Scope<'_>,
    prepared: &PreparedBuild,
    cancel: &CancellationToken,
) -> Outcome {
    let build = prepared.build.name.clone();
    scope.observer.notify(Event::BuildBegun {
        build: build.clone(),
    });
    let begun = Instant::now();
    let result = artifacts(scope, prepared, cancel).await;
    let cancelled = cancel.is_cancelled();
    let result = result.map_err(|failure| failure.message);
    let elapsed = begun.elapsed();
    scope.observer.notify(Event::BuildEnded {
        build: build.clone(),
        error: result.as_ref().err().cloned(),
        cancelled,
        elapsed,
    });
    Outcome {
        build,
        result,
        cancelled,
        elapsed,
    }
}

async fn artifacts(
    scope: &Scope<'_>,
    prepared: &PreparedBuild,
    cancel: &CancellationToken,
) -> Result<Vec<Option<Artifact>>, Failure> {
    let info = scope.options.build_info(&prepared.build);
    let provisioning = Provisioning::new(scope, &prepared.build, &info, &prepared.generated);
    let builder = Task {
        scope,
        component: &prepared.build.source,
        config: &prepared.config,
        info: &info,
        role: Role::Plain,
        voice: scope.voice(&prepared.build.name),
        machine: Some(&provisioning),
        cancel,
        cancel_limit: scope.options.builder_cancel_limit,
        relay: None,
    };
    let made = builder.run().await?.artifact;
    if cancel.is_cancelled() {
        return Err(Failure::new(CANCELLED));
    }
    let Some(original) = made else {
        tracing::debug!(build = prepared.build.name, "the builder made no artifact");
        return Ok(Vec::new());
    };
    let plugins = Plugins {
        scope,
        build: &prepared.build,
        info: &info,
        names: &prepared.generated,
        cancel,
    };
    run_chains(&plugins.links(), original, &plugins, cancel).await
}
