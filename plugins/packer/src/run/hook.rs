//! The host's provisioners, as a builder of Packer calls for them.

use std::sync::Arc;

use async_trait::async_trait;
use kiln_sdk::communicator::Inert;
use kiln_sdk::{Communicator, Failure, Ready, RunContext, Value};
use sdk_packer_protocol::endpoint::{CLEANUP_PROVISION, Hook, HookCall, PROVISION, RemoteMachine};
use sdk_packer_protocol::transport::{Client, Session, Wire};
use tokio_util::sync::CancellationToken;

use crate::values::{facts_from_wire, secrets_of};

/// Has the machine provisioned by the host.
pub(super) struct Provisioners {
    cx: RunContext,
    session: Session,
    begun: CancellationToken,
}

impl Provisioners {
    /// `begun` is cancelled at the first call.
    pub(super) fn new(cx: &RunContext, session: &Session, begun: &CancellationToken) -> Self {
        Self {
            cx: cx.clone(),
            session: session.clone(),
            begun: begun.clone(),
        }
    }

    /// The machine on the stream of the call.
    async fn machine(&self, call: &HookCall) -> Result<Arc<dyn Communicator>, Failure> {
        let dialed = self.session.dial(call.stream).await;
        let stream = dialed.map_err(|error| Failure::from_error(&error))?;
        // A builder that says nothing about its machine has none.
        if matches!(call.data, Wire::Nil) {
            return Ok(Arc::new(Inert));
        }
        let spool = &self.cx.build().run_dir;
        let machine = RemoteMachine::new(self.session.clone(), Client::new(stream), spool);
        Ok(Arc::new(machine))
    }

    async fn provision(&self, call: HookCall) -> Result<(), Failure> {
        let generated = facts_from_wire(&call.data);
        let generated = generated.map_err(|error| Failure::from_error(&error))?;
        self.keep_secret(&generated).await;
        let communicator = self.machine(&call).await?;
        self.cx
            .provision(Ready {
                communicator: Some(communicator),
                generated,
            })
            .await
    }

    async fn keep_secret(&self, generated: &Value) {
        for secret in secrets_of(generated) {
            self.cx.secret(secret).await;
        }
    }
}

#[async_trait]
impl Hook for Provisioners {
    async fn run(&self, call: HookCall) -> Result<(), String> {
        self.begun.cancel();
        let done = match call.name.as_str() {
            PROVISION => self.provision(call).await,
            CLEANUP_PROVISION => self.cx.cleanup_provision("the builder failed").await,
            // What later builders may call for does nothing here.
            _ => Ok(()),
        };
        done.map_err(|failure| failure.message)
    }

    async fn cancel(&self) {
        // Where a builder is cancelled, the host has cancelled its provisioners already.
        tracing::debug!("the builder gave its provisioners up");
    }
}
