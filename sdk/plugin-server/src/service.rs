//! The calls a host makes.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use plugin_wire::handshake::PROTOCOL_MAJORS;
use plugin_wire::v1 as wire;
use plugin_wire::v1::plugin_server::{Plugin as PluginService, PluginServer};
use plugin_wire::{feature, stream};
use sdk_component::Failure;
use sdk_config::Diagnostic;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::authorization::Check;
use crate::component::Component;
use crate::convert::{
    build_from_wire, kind_from_wire, kind_to_wire, prepared_to_wire, resource_from_wire,
    schema_to_wire, value_from_wire,
};
use crate::error::ServeError;
use crate::plugin::Plugin;
use crate::session::{self, Surroundings};

/// Events of a run that may wait for the host before the component does.
const QUEUE: usize = 64;

/// A plugin and the runs it carries out.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) directory: PathBuf,
    pub(crate) shutdown: CancellationToken,
    pub(crate) runs: TaskTracker,
}

/// What a process and its service share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Life {
    /// Cancel it to end every run.
    pub(crate) shutdown: CancellationToken,
    /// Runs that are under way.
    pub(crate) runs: TaskTracker,
}

impl Service {
    pub(crate) fn new(plugin: Plugin, directory: PathBuf, life: Life) -> Self {
        let Life { shutdown, runs } = life;
        Self {
            plugin: Arc::new(plugin),
            directory,
            shutdown,
            runs,
        }
    }

    /// Serves `listener` until `stop` is cancelled.
    pub(crate) async fn serve(
        self,
        listener: UnixListener,
        token: &str,
        stop: CancellationToken,
    ) -> Result<(), ServeError> {
        let service = PluginServer::new(self)
            .max_decoding_message_size(stream::MESSAGE_BYTES)
            .max_encoding_message_size(stream::MESSAGE_BYTES);
        Server::builder()
            .initial_stream_window_size(stream::WINDOW_BYTES)
            .initial_connection_window_size(stream::WINDOW_BYTES)
            .add_service(InterceptedService::new(service, Check::new(token)))
            .serve_with_incoming_shutdown(UnixListenerStream::new(listener), stop.cancelled())
            .await
            .map_err(ServeError::Server)
    }
}

/// The component a message names.
pub(crate) fn component_of(
    plugin: &Plugin,
    id: Option<&wire::ComponentId>,
) -> Option<Arc<dyn Component>> {
    let id = id?;
    plugin.find(kind_from_wire(id.kind())?, &id.name)
}

fn unknown_component(id: Option<&wire::ComponentId>) -> Status {
    let name = id.map_or("", |id| id.name.as_str());
    Status::not_found(format!(
        "this plugin has no component `{name}` of that kind"
    ))
}

/// Components that are asked for their options at the same time.
const SCHEMAS: usize = 4;

async fn described(
    name: String,
    component: Arc<dyn Component>,
) -> Result<wire::ComponentDescription, Status> {
    Ok(wire::ComponentDescription {
        id: Some(wire::ComponentId {
            kind: kind_to_wire(component.kind()).into(),
            name: name.clone(),
        }),
        schema: Some(schema_of(&component, &name).await?),
    })
}

async fn schema_of(component: &Arc<dyn Component>, name: &str) -> Result<wire::Schema, Status> {
    let schema = Failure::catch(Arc::clone(component).schema()).await;
    schema.map(schema_to_wire).map_err(|failure| {
        Status::internal(format!("`{name}` does not say what it takes: {failure}"))
    })
}

#[tonic::async_trait]
impl PluginService for Service {
    async fn describe(
        &self,
        _request: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        let components = self.plugin.components.iter().map(|(name, component)| {
            Box::pin(described(name.clone(), Arc::clone(component))) as BoxFuture<'static, _>
        });
        let components: Vec<_> = components.collect();
        let components = futures::stream::iter(components).buffered(SCHEMAS);
        let components = components.try_collect().await?;
        Ok(Response::new(wire::DescribeResponse {
            name: self.plugin.family.clone(),
            version: self.plugin.version.clone(),
            protocol_majors: PROTOCOL_MAJORS.to_vec(),
            features: feature::ALL.iter().map(ToString::to_string).collect(),
            components,
            needs: self.plugin.needs.clone(),
        }))
    }

    async fn schema(
        &self,
        request: Request<wire::SchemaRequest>,
    ) -> Result<Response<wire::SchemaResponse>, Status> {
        let id = request.into_inner().component;
        let component = component_of(&self.plugin, id.as_ref())
            .ok_or_else(|| unknown_component(id.as_ref()))?;
        let name = id.map(|id| id.name).unwrap_or_default();
        Ok(Response::new(wire::SchemaResponse {
            schema: Some(schema_of(&component, &name).await?),
        }))
    }

    async fn prepare(
        &self,
        request: Request<wire::PrepareRequest>,
    ) -> Result<Response<wire::PrepareResponse>, Status> {
        let request = request.into_inner();
        let component = component_of(&self.plugin, request.component.as_ref())
            .ok_or_else(|| unknown_component(request.component.as_ref()))?;
        let config = value_from_wire(request.config);
        let build = build_from_wire(request.build);
        let prepared = Failure::catch(async { Ok(component.prepare(config, build).await) });
        let prepared = prepared.await.unwrap_or_else(|failure| {
            let problem = Diagnostic::error("Plugin failed", format!("{failure}."))
                .hint("this is a bug of the plugin; its log has more");
            vec![problem].into()
        });
        Ok(Response::new(prepared_to_wire(prepared)))
    }

    type RunStream = ReceiverStream<Result<wire::RunEvent, Status>>;

    async fn run(
        &self,
        request: Request<Streaming<wire::RunRequest>>,
    ) -> Result<Response<Self::RunStream>, Status> {
        if self.shutdown.is_cancelled() {
            return Err(Status::unavailable("the plugin is about to end"));
        }
        let (events, stream) = mpsc::channel(QUEUE);
        let surroundings = Surroundings {
            plugin: Arc::clone(&self.plugin),
            directory: self.directory.clone(),
            shutdown: self.shutdown.clone(),
        };
        // The run is tracked, not awaited: it has to clean up also when the host goes away.
        drop(
            self.runs
                .spawn(session::run(surroundings, request.into_inner(), events)),
        );
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn reclaim(
        &self,
        request: Request<wire::ReclaimRequest>,
    ) -> Result<Response<wire::ReclaimResponse>, Status> {
        let resources = request
            .into_inner()
            .resources
            .into_iter()
            .map(resource_from_wire);
        // One after the other, as the host orders them: what came last goes first.
        let mut results = Vec::new();
        for (number, resource) in resources {
            let error = match self.plugin.reclaimers.reclaim(resource).await {
                Ok(()) => String::new(),
                Err(error) => Failure::from_error(&error).message,
            };
            results.push(wire::ReclaimResult { number, error });
        }
        Ok(Response::new(wire::ReclaimResponse { results }))
    }
}
