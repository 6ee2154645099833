//! The host's provisioners, as a builder of Packer calls for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// Cancelled when the builder gives up the provisioning that is under way.
    given_up: Mutex<CancellationToken>,
}

impl Provisioners {
    /// `begun` is cancelled at the first call.
    pub(super) fn new(cx: &RunContext, session: &Session, begun: &CancellationToken) -> Self {
        Self {
            cx: cx.clone(),
            session: session.clone(),
            begun: begun.clone(),
            given_up: Mutex::default(),
        }
    }

    fn given_up(&self) -> MutexGuard<'_, CancellationToken> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine on the stream of the call, until `end`.
    async fn machine(
        &self,
        call: &HookCall,
        end: CancellationToken,
    ) -> Result<Arc<dyn Communicator>, Failure> {
        let dialed = self.session.dial(call.stream).await;
        let stream = dialed.map_err(|error| Failure::from_error(&error))?;
        // A builder that says nothing about its machine has none.
        if matches!(call.data, Wire::Nil) {
            return Ok(Arc::new(Inert));
        }
        let spool = &self.cx.build().run_dir;
        let machine = RemoteMachine::new(self.session.clone(), Client::new(stream), spool);
        Ok(Arc::new(machine.until(end)))
    }

    async fn provision(&self, call: HookCall, end: CancellationToken) -> Result<(), Failure> {
        let generated = facts_from_wire(&call.data);
        let generated = generated.map_err(|error| Failure::from_error(&error))?;
        self.keep_secret(&generated).await;
        let communicator = self.machine(&call, end).await?;
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
        if call.name == CLEANUP_PROVISION {
            // What was given up before is being cleaned up now.
            *self.given_up() = CancellationToken::new();
        }
        let end = self.given_up().clone();
        let work = async {
            match call.name.as_str() {
                PROVISION => self.provision(call, end.clone()).await,
                CLEANUP_PROVISION => self.cx.cleanup_provision("the builder failed").await,
                // What later builders may call for does nothing here.
                _ => Ok(()),
            }
        };
        let done = tokio::select! {
            done = work => done,
            () = end.cancelled() => Err(Failure::cancelled()),
        };
        done.map_err(|failure| failure.message)
    }

    async fn cancel(&self) {
        if self.cx.cancel().is_cancelled() {
            // The host has cancelled its provisioners already, and they may clean up.
            tracing::debug!("the builder gave its provisioners up");
        } else {
            self.given_up().cancel();
        }
    }
}
