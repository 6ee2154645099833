//! Answering a host as a component does.

use std::sync::Arc;

use async_trait::async_trait;

use super::component::Prepared;
use super::hook::number;
use super::ui::texts_to_wire;
use super::{ArtifactService, RemoteArtifact, RemoteHook, RemoteUi, Services};
use crate::Kind;
use crate::transport::{Client, Fault, Service, Session, Wire, serve};
use crate::transport::{field, map, wire_text};
use crate::value::{Configs, Element};

/// A component that a host of Packer's plugins can use. Methods of other kinds than its own are
/// never called.
#[async_trait]
pub trait Component: Send + Sync + 'static {
    /// What it is.
    fn kind(&self) -> Kind;

    /// The description of its options, in the encoding the host asked for at the start.
    ///
    /// # Errors
    ///
    /// What the host is told.
    async fn config_spec(&self) -> Result<Vec<u8>, String>;

    /// Checks options; may be called several times.
    async fn prepare(&self, configs: Configs) -> Prepared;

    /// Builds. The artifact is `None` when there is none.
    ///
    /// # Errors
    ///
    /// What the host is told.
    async fn build(
        &self,
        hook: RemoteHook,
        ui: RemoteUi,
    ) -> Result<Option<Arc<dyn super::Artifact>>, String>;

    /// Provisions the machine behind `client`; `data` are its values by name, or null.
    ///
    /// # Errors
    ///
    /// What the host is told.
    async fn provision(&self, data: Wire, client: Client, ui: RemoteUi) -> Result<(), String>;

    /// Processes `input`.
    ///
    /// # Errors
    ///
    /// What the host is told.
    async fn post_process(&self, input: RemoteArtifact, ui: RemoteUi) -> Result<Processed, String>;

    /// The description of the results of a data source, in the encoding the host asked for.
    ///
    /// # Errors
    ///
    /// What the host is told.
    async fn output_spec(&self) -> Result<Vec<u8>, String>;

    /// Looks it up; the value in the encoding the host asked for.
    ///
    /// # Errors
    ///
    /// What the host is told.
    async fn execute(&self) -> Result<Vec<u8>, String>;

    /// Ends a run that is under way.
    async fn cancel(&self);
}

/// What a post-processor made.
#[derive(Clone)]
pub struct Processed {
    /// The result; `None` when there is none.
    pub artifact: Option<Arc<dyn super::Artifact>>,
    /// Whether the input should stay.
    pub keep: bool,
    /// Whether the template may not override `keep`.
    pub force: bool,
}

/// Answers a host.
pub struct ComponentService {
    session: Session,
    component: Arc<dyn Component>,
}

impl ComponentService {
    /// Calls go to `component`; its streams are of `session`.
    #[must_use]
    pub fn new(session: Session, component: Arc<dyn Component>) -> Self {
        Self { session, component }
    }

    /// Serves the host until it closes the control stream or the connection ends. A host that does
    /// not take it up within the limit of the plugin SDK is given up.
    pub async fn serve(self) {
        let session = self.session.clone();
        let expected = session.expect(0);
        let Ok(Ok(stream)) =
            tokio::time::timeout(crate::transport::UNCLAIMED, expected.accept()).await
        else {
            tracing::warn!("the host did not take up the control stream");
            return;
        };
        let end = session.end().clone();
        let served = end.run_until_cancelled(serve(stream, Arc::new(self)));
        if served.await.is_none() {
            tracing::debug!("the connection ended");
        }
    }

    async fn client(&self, id: &Wire) -> Result<Client, Fault> {
        let id = number(id).ok_or(Fault::Argument)?;
        let dialed = self.session.dial(id).await;
        let stream = dialed.map_err(|error| Fault::Failed(error.to_string()))?;
        Ok(Client::new(stream))
    }

    async fn prepare(&self, argument: &Wire) -> Result<Wire, Fault> {
        let Wire::Array(list) = field(argument, "Configs") else {
            return Err(Fault::Argument);
        };
        let elements = list.iter().map(|element| {
            Element::from_msgpack(&crate::transport::bytes_of(element))
                .map_err(|error| Fault::Failed(error.to_string()))
        });
        let configs = Configs(elements.collect::<Result<_, _>>()?);
        let prepared = self.component.prepare(configs).await;
        let or_null = |list: &[String]| match list {
            [] => Wire::Nil,
            list => texts_to_wire(list),
        };
        match (self.component.kind(), prepared.error) {
            (Kind::Builder, error) => Ok(map([
                ("GeneratedVars", or_null(&prepared.generated)),
                ("Warnings", or_null(&prepared.warnings)),
                ("Error", error.map_or(Wire::Nil, basic_error)),
            ])),
            (_, Some(error)) => Err(Fault::Failed(error)),
            (Kind::Datasource, None) => Ok(map([("Error", Wire::Nil)])),
            (_, None) => Ok(Wire::Nil),
        }
    }

    fn offer(&self, artifact: Option<Arc<dyn super::Artifact>>) -> u32 {
        artifact.map_or(0, |artifact| {
            let services = Services::new().with(ArtifactService::new(artifact));
            services.offer(&self.session)
        })
    }

    async fn run(&self, argument: &Wire) -> Result<Wire, Fault> {
        let client = self.client(argument).await?;
        let hook = RemoteHook::new(self.session.clone(), client.clone());
        let built = self.component.build(hook, RemoteUi::new(client)).await;
        Ok(self.offer(built.map_err(Fault::Failed)?).into())
    }

    async fn provision(&self, argument: &Wire) -> Result<Wire, Fault> {
        let client = self.client(field(argument, "StreamID")).await?;
        let data = field(argument, "GeneratedData").clone();
        let ui = RemoteUi::new(client.clone());
        let done = self.component.provision(data, client, ui).await;
        done.map(|()| Wire::Nil).map_err(Fault::Failed)
    }

    async fn post_process(&self, argument: &Wire) -> Result<Wire, Fault> {
        let client = self.client(argument).await?;
        let input = RemoteArtifact::new(client.clone());
        let made = self.component.post_process(input, RemoteUi::new(client));
        let made = made.await.map_err(Fault::Failed)?;
        Ok(map([
            ("Err", Wire::Nil),
            ("Keep", made.keep.into()),
            ("ForceOverride", made.force.into()),
            ("StreamId", self.offer(made.artifact).into()),
        ]))
    }
}

fn basic_error(message: String) -> Wire {
    map([("Message", wire_text(message))])
}

#[async_trait]
impl Service for ComponentService {
    fn offers(&self, name: &str) -> bool {
        name == self.component.kind().service()
    }

    async fn call(&self, _service: &str, method: &str, argument: Wire) -> Result<Wire, Fault> {
        let bytes = |key, bytes: Result<Vec<u8>, String>| {
            let bytes = bytes.map_err(Fault::Failed)?;
            Ok(map([(key, Wire::Binary(bytes)), ("Error", Wire::Nil)]))
        };
        let spec = |key, bytes: Result<Vec<u8>, String>| {
            let bytes = bytes.map_err(Fault::Failed)?;
            Ok(map([(key, Wire::Binary(bytes))]))
        };
        match (self.component.kind(), method) {
            (_, "ConfigSpec") => spec(method, self.component.config_spec().await),
            (Kind::Datasource, "OutputSpec") => spec(method, self.component.output_spec().await),
            (Kind::Datasource, "Execute") => bytes("Value", self.component.execute().await),
            (Kind::Builder | Kind::Provisioner, "Prepare")
            | (Kind::PostProcessor | Kind::Datasource, "Configure") => {
                self.prepare(&argument).await
            }
            (Kind::Builder, "Run") => self.run(&argument).await,
            (Kind::Provisioner, "Provision") => self.provision(&argument).await,
            (Kind::PostProcessor, "PostProcess") => self.post_process(&argument).await,
            (_, "Cancel") => {
                self.component.cancel().await;
                Ok(Wire::Nil)
            }
            _ => Err(Fault::NoMethod),
        }
    }
}
