//! Provisioning a machine while its builder waits.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use host_eval::Value;
use host_plugin_client::{BuildInfo, CommunicatorEndpoint, Role};
use host_template::{Build, Generated, ProvisionerPlan};
use tokio_util::sync::CancellationToken;

use crate::component::{Machine, Scope, Task};
use crate::failure::Failure;
use crate::generated;
use crate::observer::{Echo, Event};
use crate::relay::Relay;
use crate::wrappers::Wrappers;

const DEBUG_PROMPT: &str = "Pausing before the next provisioner . Press enter to continue.";

/// How to reach a machine, and its values.
#[derive(Clone, Debug, Default)]
struct Facts {
    communicator: Option<CommunicatorEndpoint>,
    values: BTreeMap<String, Value>,
}

/// The provisioners of a build, run when its builder asks for them.
pub(crate) struct Provisioning<'a> {
    scope: &'a Scope<'a>,
    build: &'a Build,
    info: &'a BuildInfo,
    /// Names of generated values.
    names: &'a [String],
    /// Of the machine that was ready last, for the cleanup.
    last: Mutex<Facts>,
    relay: Relay,
}

impl<'a> Provisioning<'a> {
    pub(crate) fn new(
        scope: &'a Scope<'a>,
        build: &'a Build,
        info: &'a BuildInfo,
        names: &'a [String],
    ) -> Self {
        Self {
            scope,
            build,
            info,
            names,
            last: Mutex::default(),
            relay: Relay::default(),
        }
    }

    async fn run_all(&self, facts: Facts, cancel: CancellationToken) -> Result<(), Failure> {
        if self.build.provisioners.is_empty() {
            return Ok(());
        }
        if facts.communicator.is_none() {
            return Err(Failure::new(format!(
                "No communicator found for provisioners!\nThe builder of `{}` made a machine that \
                 cannot be talked to, and the build has provisioners.\nSet the builder's \
                 `communicator` option, or remove the provisioners.",
                self.build.name
            )));
        }
        for (index, plan) in self.build.provisioners.iter().enumerate() {
            self.pause(&cancel).await;
            if cancel.is_cancelled() {
                return Err(Failure::cancelled());
            }
            let work = self.run_one(plan, Some(index), &facts, &cancel);
            let next = self.build.provisioners.get(index + 1);
            let next = next.filter(|next| self.begins_at_once(next));
            let next = next.map(|next| &next.component);
            self.relay.meanwhile(self.scope, next, work).await?;
        }
        Ok(())
    }

    /// Whether nothing has to happen between the end of another provisioner and this one.
    fn begins_at_once(&self, plan: &ProvisionerPlan) -> bool {
        !self.scope.options.debug && plan.pause_before.is_none()
    }

    /// In debug mode, waits for the person.
    async fn pause(&self, cancel: &CancellationToken) {
        if self.scope.options.debug {
            let observer = self.scope.observer;
            let answer = observer.ask(&self.build.name, DEBUG_PROMPT, Echo::Shown);
            // Any answer means go on.
            drop(cancel.run_until_cancelled(answer).await);
        }
    }

    async fn run_one(
        &self,
        plan: &ProvisionerPlan,
        index: Option<usize>,
        facts: &Facts,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let (build, type_name) = (&self.build.name, &plan.component.type_name);
        let observer = self.scope.observer;
        observer.notify(Event::ProvisionerBegun {
            build: build.clone(),
            type_name: type_name.clone(),
            index,
        });
        let begun = Instant::now();
        let voice = self.scope.voice(build);
        let attempt = |token| self.attempt(plan, facts, token).boxed();
        let result = Wrappers::from(plan).run(&voice, cancel, &attempt).await;
        observer.notify(Event::ProvisionerEnded {
            build: build.clone(),
            type_name: type_name.clone(),
            index,
            error: result.as_ref().err().map(|failure| failure.message.clone()),
            elapsed: begun.elapsed(),
        });
        result
    }

    /// Runs a provisioner once, with a configuration that knows the machine.
    async fn attempt(
        &self,
        plan: &ProvisionerPlan,
        facts: &Facts,
        cancel: CancellationToken,
    ) -> Result<(), Failure> {
        let values = Generated::Values(facts.values.clone());
        let config = self.scope.configure(&plan.component, &values)?;
        let task = Task {
            scope: self.scope,
            component: &plan.component,
            config: &config,
            info: self.info,
            role: Role::Provisioner {
                communicator: facts.communicator.clone(),
                generated: facts.values.clone(),
            },
            voice: self.scope.voice(&self.build.name),
            machine: None,
            cancel: &cancel,
            cancel_limit: self.scope.options.component_cancel_limit,
            relay: Some(&self.relay),
        };
        task.run().await.map(drop)
    }
}

impl Machine for Provisioning<'_> {
    fn provision(
        &self,
        communicator: Option<CommunicatorEndpoint>,
        given: BTreeMap<String, Value>,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        let values = generated::complete(given, self.names, &self.info.run_uuid);
        let facts = Facts {
            communicator,
            values,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = facts.clone();
        async move {
            let result = self.run_all(facts, cancel).await;
            self.relay.finish().await;
            result
        }
        .boxed()
    }

    fn clean_up(
        &self,
        error: String,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        let facts = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        async move {
            let Some(plan) = &self.build.error_cleanup else {
                return Ok(());
            };
            tracing::debug!(
                build = self.build.name,
                error,
                "running the cleanup provisioner"
            );
            let result = self.run_one(plan, None, &facts, &cancel).await;
            self.relay.finish().await;
            result
        }
        .boxed()
    }
}
