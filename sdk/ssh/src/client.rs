//! Our side of a session: what the server may ask of us.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelOpenFailure};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::Tunnel;

/// How a session ended; shared with those who use it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    /// Cancelled once the session is over, however it ended.
    pub(crate) over: CancellationToken,
    /// To be cancelled when nobody needs the session any more: it then ends even where it waits
    /// for a machine that does not answer.
    pub(crate) given_up: CancellationToken,
    why: Arc<Mutex<Option<String>>>,
}

impl Ended {
    /// What was seen at the end; `None` while nothing was.
    pub(crate) fn why(&self) -> Option<String> {
        self.why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps `why`, unless there is a reason already: the first is the cause of the others.
    pub(crate) fn set(&self, why: String) {
        self.why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(why);
    }

    /// Keeps what broke the stream.
    pub(crate) fn note(&self, error: std::io::Error) -> std::io::Error {
        self.set(error.to_string());
        error
    }
}

/// Answers the server. Every host key is taken, as documented for the crate.
pub(crate) struct Client {
    ended: Ended,
    agent: Option<PathBuf>,
    tunnels: Vec<Tunnel>,
    /// The session drops us when it ends, even when it says nothing.
    _over: DropGuard,
}

impl Client {
    pub(crate) fn new(ended: Ended, agent: Option<PathBuf>, tunnels: Vec<Tunnel>) -> Self {
        let over = ended.over.clone().drop_guard();
        Self {
            ended,
            agent,
            tunnels,
            _over: over,
        }
    }
}

const PROHIBITED: ChannelOpenFailure = ChannelOpenFailure::AdministrativelyProhibited;

impl Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        Ok(true)
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(agent) = self.agent.clone() else {
            reply.reject(PROHIBITED).await;
            return Ok(());
        };
        reply.accept().await;
        let over = self.ended.over.clone();
        tokio::spawn(over.run_until_cancelled_owned(async move {
            match UnixStream::connect(&agent).await {
                Ok(mut local) => {
                    let mut remote = channel.into_stream();
                    let copied = tokio::io::copy_bidirectional(&mut remote, &mut local).await;
                    if let Err(error) = copied {
                        tracing::debug!(%error, "forwarded agent connection broke");
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot reach the ssh agent"),
            }
        }));
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        _connected_address: &str,
        connected_port: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let wanted = |tunnel: &&Tunnel| u32::from(tunnel.listen_port) == connected_port;
        let Some(tunnel) = self.tunnels.iter().find(wanted).cloned() else {
            reply.reject(PROHIBITED).await;
            return Ok(());
        };
        reply.accept().await;
        let over = self.ended.over.clone();
        tokio::spawn(over.run_until_cancelled_owned(async move {
            let Tunnel { host, port, .. } = tunnel;
            match TcpStream::connect((host.as_str(), port)).await {
                Ok(mut local) => {
                    let mut remote = channel.into_stream();
                    let copied = tokio::io::copy_bidirectional(&mut remote, &mut local).await;
                    if let Err(error) = copied {
                        tracing::debug!(%error, port, "remote tunnel connection broke");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, host, port, "target of a remote tunnel is unreachable");
                }
            }
        }));
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.reject(PROHIBITED).await;
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.reject(PROHIBITED).await;
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.reject(PROHIBITED).await;
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.reject(PROHIBITED).await;
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.reject(PROHIBITED).await;
        Ok(())
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.ended
                    .set(format!("the server ended the connection: {}", info.message));
                Ok(())
            }
            DisconnectReason::Error(error) => {
                self.ended.set(match &error {
                    russh::Error::KeepaliveTimeout => {
                        "the machine has stopped to answer keep-alives \
                         (`ssh_keep_alive_interval`)"
                            .to_owned()
                    }
                    error => crate::chain(error),
                });
                Err(error)
            }
        }
    }
}
