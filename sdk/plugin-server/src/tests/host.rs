//! A client in the place of the host.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hyper_util::rt::TokioIo;
use plugin_wire::v1 as wire;
use plugin_wire::v1::plugin_client::PluginClient;
use plugin_wire::v1::run_event::Event;
use plugin_wire::v1::run_request::Request as Message;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Streaming;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

use crate::Plugin;
use crate::authorization::Bearer;
use crate::convert::value_to_wire;
use crate::service::{Life, Service};
use crate::socket;

pub(super) const TOKEN: &str = "0123456789abcdef";

pub(super) type Client = PluginClient<InterceptedService<Channel, Bearer>>;

/// A private folder.
pub(super) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mode = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(folder.path(), mode).expect("the mode can be set");
    folder
}

/// A plugin that serves in this process, and a client of it.
pub(super) struct Host {
    pub(super) client: Client,
    pub(super) life: Life,
    _stop: DropGuard,
}

impl Host {
    pub(super) fn start(plugin: Plugin, folder: &Path) -> Self {
        Self::with_token(plugin, folder, TOKEN)
    }

    pub(super) fn with_token(plugin: Plugin, folder: &Path, token: &str) -> Self {
        let (listener, socket) = socket::bind(folder).expect("a socket can be made");
        let (life, stop) = (Life::default(), CancellationToken::new());
        let service = Service::new(plugin, folder.to_owned(), life.clone());
        let path = socket.path().to_owned();
        let stopped = stop.clone();
        drop(tokio::spawn(async move {
            service
                .serve(listener, TOKEN, stopped)
                .await
                .expect("it serves");
            drop(socket);
        }));
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        let channel =
            Endpoint::from_static("http://test.invalid").connect_with_connector_lazy(connector);
        let bearer = Bearer::new(token).expect("the token is text");
        let client = PluginClient::with_interceptor(channel, bearer);
        Self {
            client,
            life,
            _stop: stop.drop_guard(),
        }
    }

    pub(super) async fn run(&mut self, start: wire::Start) -> Running {
        let (requests, stream) = mpsc::channel(4);
        let running = self.client.run(ReceiverStream::new(stream));
        let events = running.await.expect("the run starts").into_inner();
        let running = Running { requests, events };
        running.send(Message::Start(start)).await;
        running
    }
}

pub(super) fn id(kind: wire::ComponentKind, name: &str) -> Option<wire::ComponentId> {
    Some(wire::ComponentId {
        kind: kind.into(),
        name: name.to_owned(),
    })
}

/// The first message of a run with `options`.
pub(super) fn start(
    kind: wire::ComponentKind,
    name: &str,
    options: &[(&str, sdk_config::Value)],
) -> wire::Start {
    let config = options.iter().cloned().collect();
    wire::Start {
        component: id(kind, name),
        config: Some(value_to_wire(config)),
        ..wire::Start::default()
    }
}

/// A run that is under way.
pub(super) struct Running {
    pub(super) requests: mpsc::Sender<wire::RunRequest>,
    pub(super) events: Streaming<wire::RunEvent>,
}

impl Running {
    pub(super) async fn send(&self, message: Message) {
        let request = wire::RunRequest {
            request: Some(message),
        };
        self.requests
            .send(request)
            .await
            .expect("the plugin listens");
    }

    pub(super) async fn next(&mut self) -> Event {
        let limit = std::time::Duration::from_secs(30);
        let message = tokio::time::timeout(limit, self.events.message()).await;
        let event = message
            .expect("an event comes in time")
            .expect("the stream is whole");
        event
            .and_then(|event| event.event)
            .expect("the run is not over")
    }

    /// Everything said until the run is over, and how it ended; resources are recorded.
    pub(super) async fn finish(&mut self) -> (Vec<String>, wire::finished::Outcome) {
        let mut said = Vec::new();
        loop {
            match self.next().await {
                Event::Ui(ui) => said.push(ui.text),
                Event::ResourceCreated(resource) => {
                    let recorded = wire::Recorded {
                        number: resource.number,
                    };
                    self.send(Message::Recorded(recorded)).await;
                }
                Event::Finished(finished) => {
                    return (said, finished.outcome.expect("a run ends in some way"));
                }
                _ => {}
            }
        }
    }
}
