//! The connection to a plugin: gRPC over a Unix socket.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use plugin_wire::v1::plugin_client::PluginClient;
use plugin_wire::{handshake, stream};
use tokio::net::UnixStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Endpoint, Error};
use tonic::{Request, Status};

use crate::process::Client;

/// A process that is stopped or stuck answers no ping; it is given up after both times together.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_LIMIT: Duration = Duration::from_secs(60);

/// Puts the token into every request.
#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer(<sensitive>)")
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert(handshake::AUTHORIZATION, self.0.clone());
        Ok(request)
    }
}

/// Connects to the plugin that listens at `socket`.
pub(crate) async fn connect(socket: PathBuf, token: &str) -> Result<Client, Error> {
    let mut value: MetadataValue<Ascii> = format!("{}{token}", handshake::BEARER)
        .parse()
        .expect("a hexadecimal token is a header value");
    value.set_sensitive(true);
    // The address is only for the `:authority` header; the connector knows where to go.
    let channel = Endpoint::from_static("http://plugin.invalid")
        .initial_stream_window_size(stream::WINDOW_BYTES)
        .initial_connection_window_size(stream::WINDOW_BYTES)
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_LIMIT)
        .connect_with_connector(tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(socket).await?)) }
        }))
        .await?;
    Ok(PluginClient::with_interceptor(channel, Bearer(value))
        .max_decoding_message_size(stream::MESSAGE_BYTES)
        .max_encoding_message_size(stream::MESSAGE_BYTES))
}
