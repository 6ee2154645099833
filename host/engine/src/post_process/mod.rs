//! Post-processor chains: what runs on which artifact, and which artifacts stay.

use std::path::PathBuf;
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use host_plugin_client::{Artifact, BuildInfo, Role};
use host_template::{Build, PostProcessor};
use tokio_util::sync::CancellationToken;

use crate::component::{Scope, Success, Task};
use crate::failure::{Failure, combined};
use crate::observer::Event;
use crate::{generated, retention};

/// Where a post-processor is: its chain and its place there, both from zero.
pub(crate) type Place = (usize, usize);

/// What the chains need to know of a post-processor.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) type_name: String,
    /// What the template says about its input.
    pub(crate) keep_input: Option<bool>,
}

impl From<&PostProcessor> for Link {
    fn from(processor: &PostProcessor) -> Self {
        Self {
            type_name: processor.component.type_name.clone(),
            keep_input: processor.keep_input_artifact,
        }
    }
}

/// Runs post-processors and destroys artifacts.
pub(crate) trait Workshop: Sync {
    /// Runs the post-processor at `place`.
    fn process<'s>(
        &'s self,
        place: Place,
        input: &'s Artifact,
    ) -> BoxFuture<'s, Result<Success, Failure>>;

    /// Removes an artifact, except what is among the files `kept` of others; the error says what is
    /// still there.
    fn destroy<'s>(
        &'s self,
        artifact: &'s Artifact,
        kept: Vec<PathBuf>,
    ) -> BoxFuture<'s, Result<(), String>>;
}

/// Runs every chain on `original` and gives the artifacts that stay: the original first, then those
/// of the chains in order. A failing chain does not stop the others.
pub(crate) async fn run_chains(
    chains: &[Vec<Link>],
    original: Artifact,
    workshop: &dyn Workshop,
    cancel: &CancellationToken,
) -> Result<Vec<Option<Artifact>>, Failure> {
    let mut chains_run = Chains {
        workshop,
        cancel,
        kept: Vec::new(),
        errors: Vec::new(),
    };
    let mut keep_original = chains.is_empty();
    for (number, chain) in chains.iter().enumerate() {
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        keep_original |= chains_run.run(number, chain, &original).await;
    }
    // What was cancelled half way is left as it is, the original above all.
    if cancel.is_cancelled() {
        return Err(Failure::cancelled());
    }
    let Chains {
        mut kept,
        mut errors,
        ..
    } = chains_run;
    if keep_original {
        kept.insert(0, original);
    } else if let Err(error) = workshop.destroy(&original, files_of(&kept)).await {
        errors.push(format!("Failed to destroy the builder's artifact: {error}"));
    }
    match combined(&errors) {
        None => Ok(kept.into_iter().map(Some).collect()),
        Some(message) => Err(Failure::new(message)),
    }
}

struct Chains<'a> {
    workshop: &'a dyn Workshop,
    cancel: &'a CancellationToken,
    kept: Vec<Artifact>,
    errors: Vec<String>,
}

impl Chains<'_> {
    /// Runs one chain; whether the original shall stay because of it.
    async fn run(&mut self, number: usize, chain: &[Link], original: &Artifact) -> bool {
        let mut keep_original = false;
        // `None` is the original, which the other chains still need.
        let mut current: Option<Artifact> = None;
        for (index, link) in chain.iter().enumerate() {
            if self.cancel.is_cancelled() {
                return keep_original;
            }
            let input = current.as_ref().unwrap_or(original);
            let success = match self.workshop.process((number, index), input).await {
                Ok(success) => success,
                Err(failure) => {
                    self.errors
                        .push(format!("Post-processor failed: {}", failure.message));
                    return keep_original;
                }
            };
            let keep = keeps_input(link, &success);
            let Some(made) = success.artifact else {
                tracing::debug!(processor = link.type_name, "no artifact, the chain ends");
                return keep_original;
            };
            match current.replace(made) {
                None => keep_original |= keep,
                Some(input) if keep => self.kept.push(input),
                Some(input) => {
                    let others = self.kept.iter().chain(&current);
                    let kept = files_of(others.chain([original]));
                    self.destroy(link, &input, kept).await;
                }
            }
        }
        self.kept.extend(current);
        keep_original
    }

    async fn destroy(&mut self, link: &Link, input: &Artifact, kept: Vec<PathBuf>) {
        if let Err(error) = self.workshop.destroy(input, kept).await {
            let name = &link.type_name;
            self.errors
                .push(format!("Failed to destroy the input of `{name}`: {error}"));
        }
    }
}

fn files_of<'a>(artifacts: impl IntoIterator<Item = &'a Artifact>) -> Vec<PathBuf> {
    let artifacts = artifacts.into_iter();
    artifacts
        .flat_map(|one| one.files.iter().cloned())
        .collect()
}

/// Whether the input stays: as the template says, except that a post-processor may insist on it.
fn keeps_input(link: &Link, success: &Success) -> bool {
    match link.keep_input {
        None => success.keep_input,
        Some(false) if success.keep_input && success.force_keep_input => {
            tracing::info!(
                processor = link.type_name,
                "the input is kept although `keep_input_artifact` is false, because the result \
                 needs it"
            );
            true
        }
        Some(keep) => keep,
    }
}

/// The workshop that runs real plugins.
pub(crate) struct Plugins<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) build: &'a Build,
    pub(crate) info: &'a BuildInfo,
    /// Names of generated values.
    pub(crate) names: &'a [String],
    pub(crate) cancel: &'a CancellationToken,
}

impl Plugins<'_> {
    /// What the chains need to know of the build's post-processors.
    pub(crate) fn links(&self) -> Vec<Vec<Link>> {
        let chains = self.build.post_processors.iter();
        chains
            .map(|chain| chain.iter().map(Link::from).collect())
            .collect()
    }

    async fn run(&self, processor: &PostProcessor, input: &Artifact) -> Result<Success, Failure> {
        let uuid = &self.info.run_uuid;
        let (values, known) = generated::of_artifact(input, self.names, uuid);
        let component = &processor.component;
        let config = self.scope.configure(component, &known)?;
        let target = format!("{} ({})", self.build.name, component.type_name);
        let task = Task {
            scope: self.scope,
            component,
            config: &config,
            info: self.info,
            role: Role::PostProcessor {
                artifact: input.clone(),
                generated: values,
            },
            voice: self.scope.voice(target),
            machine: None,
            cancel: self.cancel,
            cancel_limit: self.scope.options.component_cancel_limit,
            relay: None,
        };
        task.run().await
    }

    fn announce(&self, processor: &PostProcessor) {
        let (name, type_name) = (&processor.name, &processor.component.type_name);
        let text = if name == type_name {
            format!("Running post-processor: {name}")
        } else {
            format!("Running post-processor: {name} (type {type_name})")
        };
        self.scope.voice(&self.build.name).say(text);
    }
}

impl Workshop for Plugins<'_> {
    fn process<'s>(
        &'s self,
        (chain, index): Place,
        input: &'s Artifact,
    ) -> BoxFuture<'s, Result<Success, Failure>> {
        async move {
            let processor = &self.build.post_processors[chain][index];
            let (build, type_name) = (&self.build.name, &processor.component.type_name);
            self.announce(processor);
            self.scope.observer.notify(Event::PostProcessorBegun {
                build: build.clone(),
                type_name: type_name.clone(),
                chain,
                index,
            });
            let begun = Instant::now();
            let result = self.run(processor, input).await;
            self.scope.observer.notify(Event::PostProcessorEnded {
                build: build.clone(),
                type_name: type_name.clone(),
                chain,
                index,
                error: result.as_ref().err().map(|failure| failure.message.clone()),
                elapsed: begun.elapsed(),
            });
            result
        }
        .boxed()
    }

    fn destroy<'s>(
        &'s self,
        artifact: &'s Artifact,
        kept: Vec<PathBuf>,
    ) -> BoxFuture<'s, Result<(), String>> {
        async move { retention::destroy(artifact, &kept, self.scope.directory).await }.boxed()
    }
}

#[cfg(test)]
mod tests;
