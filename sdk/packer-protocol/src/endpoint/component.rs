//! What a host asks of a component.

use super::hook::number;
use super::ui::texts;
use super::{RemoteArtifact, Services};
use crate::Kind;
use crate::transport::{CallError, Client, Session, SessionError, Wire};
use crate::transport::{field, lossy_text, map};
use crate::value::{Configs, ValueError};

/// What a preparation came to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Prepared {
    /// Names of the machine's values that a builder adds to the common ones.
    pub generated: Vec<String>,
    /// What deserves a look.
    pub warnings: Vec<String>,
    /// Why the options cannot be used; `None` when they can.
    pub error: Option<String>,
}

/// What a post-processor came to.
#[derive(Clone, Debug)]
pub struct PostProcessed {
    /// The result; `None` when there is none.
    pub artifact: Option<RemoteArtifact>,
    /// Whether the input should stay.
    pub keep: bool,
    /// Whether the template may not override `keep`.
    pub force: bool,
}

/// A component in another process.
#[derive(Clone, Debug)]
pub struct RemoteComponent {
    kind: Kind,
    session: Session,
    client: Client,
}

impl RemoteComponent {
    /// Takes up the control stream.
    ///
    /// # Errors
    ///
    /// [`SessionError`], when the plugin does not.
    pub async fn connect(session: Session, kind: Kind) -> Result<Self, SessionError> {
        let stream = session.dial(0).await?;
        Ok(Self {
            kind,
            session,
            client: Client::new(stream),
        })
    }

    /// The connection.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What the component is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The description of the options, encoded.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn config_spec(&self) -> Result<Vec<u8>, CallError> {
        self.bytes("ConfigSpec", "ConfigSpec").await
    }

    /// The description of the results of a data source, encoded.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn output_spec(&self) -> Result<Vec<u8>, CallError> {
        self.bytes("OutputSpec", "OutputSpec").await
    }

    /// Has a data source look it up; the value is encoded.
    ///
    /// # Errors
    ///
    /// As any call, with the data source's failure.
    pub async fn execute(&self) -> Result<Vec<u8>, CallError> {
        self.bytes("Execute", "Value").await
    }

    /// Checks options. A component may be prepared several times.
    ///
    /// # Errors
    ///
    /// As any call; options that cannot be used are no error of the call.
    pub async fn prepare(&self, configs: &Configs) -> Result<Prepared, PrepareError> {
        let elements = configs.0.iter().map(|element| {
            let bytes = element.to_msgpack()?;
            let read = rmpv::decode::read_value(&mut bytes.as_slice());
            read.map_err(|_| ValueError::Msgpack {
                wanted: "value",
                offset: 0,
            })
        });
        let elements = elements.collect::<Result<_, _>>()?;
        let argument = map([("Configs", Wire::Array(elements))]);
        let method = self.method(match self.kind {
            Kind::Builder | Kind::Provisioner => "Prepare",
            Kind::PostProcessor | Kind::Datasource => "Configure",
        });
        let reply = match self.client.call(&method, argument).await {
            // Where a builder answers in the body, the others fail.
            Err(CallError::Remote { message }) => {
                return Ok(Prepared {
                    error: Some(message),
                    ..Prepared::default()
                });
            }
            reply => reply?,
        };
        let list = |key| {
            let wanted = "list of texts";
            texts(field(&reply, key)).ok_or_else(|| CallError::unexpected(&method, wanted))
        };
        Ok(Prepared {
            generated: list("GeneratedVars")?,
            warnings: list("Warnings")?,
            error: basic_error(&reply, "Error"),
        })
    }

    /// Builds. `services` are the hook and the words, see [`Services`]. The artifact is `None`
    /// when there is none.
    ///
    /// # Errors
    ///
    /// As any call, with the builder's failure.
    pub async fn build(&self, services: Services) -> Result<Option<RemoteArtifact>, CallError> {
        let id = services.offer(&self.session);
        let reply = self.client.call("Builder.Run", id.into()).await?;
        self.artifact("Builder.Run", &reply).await
    }

    /// Provisions the machine among `services`.
    ///
    /// # Errors
    ///
    /// As any call, with the provisioner's failure.
    pub async fn provision(&self, data: Wire, services: Services) -> Result<(), CallError> {
        let argument = map([
            ("GeneratedData", data),
            ("StreamID", services.offer(&self.session).into()),
        ]);
        let method = "Provisioner.Provision";
        self.client.call(method, argument).await.map(drop)
    }

    /// Processes the artifact among `services`. They are asked as long as the connection lasts: a
    /// post-processor may return what it was given.
    ///
    /// # Errors
    ///
    /// As any call, with the post-processor's failure.
    pub async fn post_process(&self, services: Services) -> Result<PostProcessed, CallError> {
        let id = services.offer(&self.session);
        let method = "PostProcessor.PostProcess";
        let reply = self.client.call(method, id.into()).await?;
        if let Some(message) = basic_error(&reply, "Err") {
            return Err(CallError::Remote { message });
        }
        let truth = |key| matches!(field(&reply, key), Wire::Boolean(true));
        Ok(PostProcessed {
            artifact: self.artifact(method, field(&reply, "StreamId")).await?,
            keep: truth("Keep"),
            force: truth("ForceOverride"),
        })
    }

    /// Ends a run. Only while one is under way: the plugin SDK crashes otherwise.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn cancel(&self) -> Result<(), CallError> {
        let method = self.method("Cancel");
        self.client.call(&method, Wire::Nil).await.map(drop)
    }

    fn method(&self, name: &str) -> String {
        format!("{}.{name}", self.kind.service())
    }

    async fn artifact(&self, method: &str, id: &Wire) -> Result<Option<RemoteArtifact>, CallError> {
        let id = number(id).ok_or_else(|| CallError::unexpected(method, "number of a stream"))?;
        if id == 0 {
            return Ok(None);
        }
        let stream = self.session.dial(id).await;
        let stream = stream.map_err(|source| CallError::Stream {
            method: method.to_owned(),
            source,
        })?;
        Ok(Some(RemoteArtifact::new(Client::new(stream))))
    }

    async fn bytes(&self, name: &str, key: &str) -> Result<Vec<u8>, CallError> {
        let method = self.method(name);
        let reply = self.client.call(&method, Wire::Nil).await?;
        if let Some(message) = basic_error(&reply, "Error") {
            return Err(CallError::Remote { message });
        }
        match field(&reply, key) {
            Wire::Binary(bytes) => Ok(bytes.clone()),
            Wire::String(text) => Ok(text.as_bytes().to_vec()),
            _ => Err(CallError::unexpected(&method, "bytes")),
        }
    }
}

/// Options could not be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The options have no form on the wire.
    #[error("the options cannot be handed over")]
    Value(#[from] ValueError),
}

/// The words of an error that travels in a result.
fn basic_error(reply: &Wire, key: &str) -> Option<String> {
    match field(reply, key) {
        Wire::Nil => None,
        error => Some(lossy_text(field(error, "Message")).unwrap_or_default()),
    }
}
