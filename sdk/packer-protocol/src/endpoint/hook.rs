//! A builder's call for its provisioners.

use std::sync::Arc;

use async_trait::async_trait;

use crate::transport::{CallError, Client, Fault, Service, Session, Wire};
use crate::transport::{field, lossy_text, map, wire_text};

/// The machine is ready: run the provisioners.
pub const PROVISION: &str = "packer_provision";
/// A step failed: run the error-cleanup provisioner.
pub const CLEANUP_PROVISION: &str = "packer_cleanup_provision";

/// What a builder says when it calls.
#[derive(Debug)]
pub struct HookCall {
    /// [`PROVISION`], [`CLEANUP_PROVISION`], or something later hosts know.
    pub name: String,
    /// The machine's values by name, or null.
    pub data: Wire,
    /// Number of the stream with the builder's machine and its words.
    pub stream: u32,
}

/// What runs provisioners.
#[async_trait]
pub trait Hook: Send + Sync + 'static {
    /// Runs them.
    ///
    /// # Errors
    ///
    /// The text that the builder fails with.
    async fn run(&self, call: HookCall) -> Result<(), String>;

    /// Ends a run.
    async fn cancel(&self);
}

/// Answers a builder's calls.
pub struct HookService(Arc<dyn Hook>);

impl HookService {
    /// Calls go to `hook`.
    #[must_use]
    pub fn new(hook: Arc<dyn Hook>) -> Self {
        Self(hook)
    }
}

#[async_trait]
impl Service for HookService {
    fn offers(&self, name: &str) -> bool {
        name == "Hook"
    }

    async fn call(&self, _service: &str, method: &str, argument: Wire) -> Result<Wire, Fault> {
        match method {
            "Run" => {
                let call = HookCall {
                    name: lossy_text(field(&argument, "Name")).ok_or(Fault::Argument)?,
                    data: field(&argument, "Data").clone(),
                    stream: number(field(&argument, "StreamId")).ok_or(Fault::Argument)?,
                };
                self.0.run(call).await.map_err(Fault::Failed)?;
            }
            "Cancel" => self.0.cancel().await,
            _ => return Err(Fault::NoMethod),
        }
        Ok(Wire::Nil)
    }
}

/// The number of a stream; null is zero.
pub(super) fn number(value: &Wire) -> Option<u32> {
    match value {
        Wire::Nil => Some(0),
        value => value.as_u64().and_then(|number| u32::try_from(number).ok()),
    }
}

/// The host's provisioners, for a builder.
#[derive(Clone, Debug)]
pub struct RemoteHook {
    session: Session,
    client: Client,
}

impl RemoteHook {
    /// Calls on the stream of `client`.
    #[must_use]
    pub fn new(session: Session, client: Client) -> Self {
        Self { session, client }
    }

    /// Runs what is meant by `name` on the machine that `services` offer.
    ///
    /// # Errors
    ///
    /// [`CallError::Remote`] with the provisioner's failure.
    pub async fn run(
        &self,
        name: &str,
        data: Wire,
        services: super::Services,
    ) -> Result<(), CallError> {
        let argument = map([
            ("Name", wire_text(name)),
            ("Data", data),
            ("StreamId", services.offer(&self.session).into()),
        ]);
        self.client.call("Hook.Run", argument).await.map(drop)
    }

    /// Ends the run.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn cancel(&self) -> Result<(), CallError> {
        self.client.call("Hook.Cancel", Wire::Nil).await.map(drop)
    }
}
