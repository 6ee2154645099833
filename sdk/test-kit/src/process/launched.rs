//! A plugin process, in the hands of a test.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use hyper_util::rt::TokioIo;
use plugin_wire::handshake::{
    AUTHORIZATION, BEARER, COOKIE, COOKIE_VARIABLE, DEADLINE, DIRECTORY_VARIABLE,
    HANDSHAKE_VERSION, PROTOCOL_MAJOR, TOKEN_VARIABLE,
};
use plugin_wire::v1 as wire;
use plugin_wire::v1::plugin_client::PluginClient;
use plugin_wire::v1::run_request::Request as Message;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use super::LIMIT;

/// Puts the token into requests.
#[derive(Clone)]
pub(super) struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(AUTHORIZATION, self.0.clone());
        Ok(request)
    }
}

/// A plugin that has shaken hands.
pub(super) struct Launched {
    pub(super) token: String,
    child: Child,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Launched {
    /// Starts the plugin and checks its handshake.
    pub(super) async fn start(path: &Path) -> Self {
        // Short, because the path of a socket may not be long.
        let folder = tempfile::Builder::new().prefix("kt").tempdir();
        let folder = folder.expect("a folder can be made");
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path(), private).expect("the mode can be set");
        let token = "5a".repeat(32);
        let mut child = Command::new(path)
            .env(COOKIE_VARIABLE, COOKIE)
            .env(TOKEN_VARIABLE, &token)
            .env(DIRECTORY_VARIABLE, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("the plugin can be started");
        let stdout = child.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(DEADLINE, lines.next_line()).await;
        let line = line
            .expect("the handshake comes in time")
            .expect("it can be read");
        let socket = shaken(&line.expect("there is a handshake"), folder.path());
        Self {
            token,
            child,
            socket,
            _folder: folder,
        }
    }

    pub(super) fn client(&self, token: &str) -> PluginClient<InterceptedService<Channel, Bearer>> {
        let socket = self.socket.clone();
        let connector = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        let channel =
            Endpoint::from_static("http://plugin.invalid").connect_with_connector_lazy(connector);
        let value = format!("{BEARER}{token}")
            .parse()
            .expect("a token is plain text");
        PluginClient::with_interceptor(channel, Bearer(value))
    }

    /// Starts a run. The run is cancelled when the sender is dropped.
    pub(super) async fn run(
        &self,
        start: wire::Start,
    ) -> (mpsc::Sender<wire::RunRequest>, Streaming<wire::RunEvent>) {
        let (requests, stream) = mpsc::channel(4);
        let start = wire::RunRequest {
            request: Some(Message::Start(start)),
        };
        requests.send(start).await.expect("there is room");
        let running = self
            .client(&self.token)
            .run(ReceiverStream::new(stream))
            .await;
        (
            requests,
            running.expect("a run can be started").into_inner(),
        )
    }

    /// Closes standard input, as a host does that is done or dead.
    pub(super) async fn stop(mut self) {
        drop(self.child.stdin.take());
        let ended = tokio::time::timeout(LIMIT, self.child.wait()).await;
        let status = ended
            .expect("it ends after its standard input")
            .expect("it can be waited for");
        assert!(status.success(), "it ended with {status}");
        assert!(!self.socket.exists(), "it left its socket");
    }
}

/// The socket a handshake names.
fn shaken(line: &str, folder: &Path) -> PathBuf {
    let handshake: serde_json::Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
    assert_eq!(handshake["kiln_plugin"], HANDSHAKE_VERSION, "{line}");
    let majors = handshake["protocol_majors"]
        .as_array()
        .expect("majors are a list");
    assert!(
        majors.iter().any(|major| *major == PROTOCOL_MAJOR),
        "{line}"
    );
    assert!(handshake["features"].is_array(), "{line}");
    let socket = PathBuf::from(handshake["socket"].as_str().expect("the socket is a path"));
    assert!(
        socket.starts_with(folder),
        "the socket has to be in the folder it was given"
    );
    let mode = std::fs::metadata(&socket)
        .expect("the socket is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "the socket has to be private");
    socket
}
