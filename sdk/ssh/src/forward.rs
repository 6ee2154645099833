//! Streams to addresses seen from the guest, and ports here that lead to them.

use std::future::Future;

use sdk_communicator::CommunicatorError;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::channel::ChannelIo;
use crate::config::Tunnel;

/// The guest could not connect to `host` and `port`.
pub(crate) fn refused(host: &str, port: u16, message: String) -> CommunicatorError {
    let operation = format!("connecting to {host}:{port} from the guest");
    CommunicatorError::Refused { operation, message }
}

/// Takes connections from `listener` and leads each through a stream that `open` makes. Ends when
/// dropped, and every connection with it.
pub(crate) async fn serve<Open, Opening>(listener: TcpListener, tunnel: Tunnel, open: Open)
where
    Open: Fn(String, u16) -> Opening,
    Opening: Future<Output = Result<ChannelIo, CommunicatorError>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((local, _)) => {
                    let opening = open(tunnel.host.clone(), tunnel.port);
                    connections.spawn(lead(local, opening, tunnel.listen_port));
                }
                Err(error) => {
                    tracing::warn!(%error, port = tunnel.listen_port, "local tunnel cannot accept");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn lead(
    mut local: TcpStream,
    opening: impl Future<Output = Result<ChannelIo, CommunicatorError>>,
    port: u16,
) {
    match opening.await {
        Ok(mut remote) => {
            if let Err(error) = tokio::io::copy_bidirectional(&mut local, &mut remote).await {
                tracing::debug!(%error, port, "local tunnel connection broke");
            }
        }
        Err(error) => tracing::warn!(%error, port, "local tunnel cannot be led on"),
    }
}
