//! The machine behind an SSH connection.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use russh::Channel;
use russh::client::Msg;
use sdk_communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::channel::ChannelIo;
use crate::config::Tunnel;
use crate::connect::{Address, AddressSource, ConnectError, establish};
use crate::connection::Connection;
use crate::exec;
use crate::forward;
use crate::route::Route;
use crate::transfer;

/// A machine reached by SSH. Clones are the same machine; the last one to go ends the connection.
///
/// A connection that broke is made again by itself when the next operation starts; operations that
/// were under way fail.
#[derive(Clone)]
pub struct SshCommunicator {
    inner: Arc<Inner>,
}

struct Inner {
    route: Arc<Route>,
    addresses: Arc<dyn AddressSource>,
    /// The connection of this moment; locked only to look at or replace it.
    current: StdMutex<Option<Arc<Connection>>>,
    /// Held while a new connection is made, so that only one is.
    connecting: Mutex<()>,
    tools: transfer::Tools,
    tunnels: StdMutex<JoinSet<()>>,
}

impl std::fmt::Debug for SshCommunicator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshCommunicator")
            .field("address", &self.address())
            .finish()
    }
}

impl SshCommunicator {
    pub(crate) fn new(
        route: Arc<Route>,
        addresses: Arc<dyn AddressSource>,
        connection: Connection,
    ) -> Self {
        let inner = Inner {
            route,
            addresses,
            current: StdMutex::new(Some(Arc::new(connection))),
            connecting: Mutex::new(()),
            tools: transfer::Tools::default(),
            tunnels: StdMutex::new(JoinSet::new()),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Where the present connection leads; `None` while there is none.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.inner
            .present()
            .map(|connection| connection.address.clone())
    }

    /// Ends the connection; the next operation makes a new one.
    pub async fn disconnect(&self) {
        let connection = self.inner.lock().take();
        if let Some(connection) = connection {
            connection.leave().await;
        }
    }

    /// Listens on the ports of `ssh_local_tunnels` for as long as this machine lives.
    pub(crate) async fn open_local_tunnels(&self) -> Result<(), ConnectError> {
        let mut tasks = JoinSet::new();
        for tunnel in &self.inner.route.settings.local_tunnels {
            let Tunnel {
                listen_port: port, ..
            } = *tunnel;
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
                .await
                .map_err(|source| ConnectError::LocalTunnel { port, source })?;
            // A weak handle, because the machine owns the task.
            let machine = Arc::downgrade(&self.inner);
            let open = move |host: String, port: u16| {
                let machine = machine.clone();
                async move {
                    match machine.upgrade() {
                        Some(inner) => Self { inner }.open_forward(&host, port).await,
                        None => Err(CommunicatorError::Unreachable {
                            seen: "the machine is not used any more".to_owned(),
                        }),
                    }
                }
            };
            tasks.spawn(forward::serve(listener, tunnel.clone(), open));
        }
        *self
            .inner
            .tunnels
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = tasks;
        Ok(())
    }

    async fn open_forward(&self, host: &str, port: u16) -> Result<ChannelIo, CommunicatorError> {
        let connection = self.inner.connection().await?;
        match connection.open_forward(host, port).await {
            Ok(channel) => return Ok(channel),
            // The guest's own refusal would only come again.
            Err(refusal) if !connection.session.handle.is_closed() => {
                return Err(forward::refused(host, port, refusal));
            }
            Err(seen) => {
                tracing::info!(seen, "ssh stream not opened, connecting again");
                self.inner.forget(&connection);
            }
        }
        let connection = self.inner.connection().await?;
        let opened = connection.open_forward(host, port).await;
        opened.map_err(|refusal| forward::refused(host, port, refusal))
    }

    /// The connection of this moment, if there is one.
    pub(crate) fn present(&self) -> Option<Arc<Connection>> {
        self.inner.present()
    }

    fn transfer(&self) -> transfer::Transfer<'_> {
        transfer::Transfer {
            machine: self,
            tools: &self.inner.tools,
            method: self.inner.route.settings.transfer,
        }
    }

    /// A channel on a live connection, which is made again first when it is broken.
    pub(crate) async fn open_channel(
        &self,
    ) -> Result<(Arc<Connection>, Channel<Msg>), CommunicatorError> {
        let connection = self.inner.connection().await?;
        match connection.open_channel().await {
            Ok(channel) => return Ok((connection, channel)),
            Err(seen) => {
                tracing::info!(seen, "ssh session not opened, connecting again");
                self.inner.forget(&connection);
            }
        }
        let connection = self.inner.connection().await?;
        match connection.open_channel().await {
            Ok(channel) => Ok((connection, channel)),
            Err(seen) => Err(CommunicatorError::Unreachable { seen }),
        }
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Connection>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, if there is one that is not known to be broken.
    fn present(&self) -> Option<Arc<Connection>> {
        let current = self.lock();
        current
            .as_ref()
            .filter(|connection| !connection.session.ended.over.is_cancelled())
            .map(Arc::clone)
    }

    /// Takes `connection` out of use, unless that happened already.
    fn forget(&self, connection: &Arc<Connection>) {
        let mut current = self.lock();
        if current
            .as_ref()
            .is_some_and(|present| Arc::ptr_eq(present, connection))
        {
            *current = None;
        }
    }

    /// The connection; a new one when there is none.
    async fn connection(&self) -> Result<Arc<Connection>, CommunicatorError> {
        match self.present() {
            Some(connection) => Ok(connection),
            None => self.make(self.route.settings.way_back()).await,
        }
    }

    /// Makes a connection, or waits for the one that is being made.
    async fn make(&self, limit: Duration) -> Result<Arc<Connection>, CommunicatorError> {
        let _only_one = self.connecting.lock().await;
        if let Some(connection) = self.present() {
            return Ok(connection);
        }
        let made = establish(&self.route, self.addresses.as_ref(), Some(limit)).await;
        let connection = made.map_err(|error| CommunicatorError::Unreachable {
            seen: crate::chain(&error),
        })?;
        let connection = Arc::new(connection);
        *self.lock() = Some(Arc::clone(&connection));
        tracing::info!(address = %connection.address, "ssh connection made again");
        Ok(connection)
    }
}

/// Whether the agent answers; one that does not is not offered to the guest.
async fn agent_works(socket: Option<&std::path::Path>) -> bool {
    match socket {
        Some(socket) => UnixStream::connect(socket).await.is_ok(),
        None => false,
    }
}

#[async_trait]
impl Communicator for SshCommunicator {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        let settings = &self.inner.route.settings;
        let (connection, channel) = self.open_channel().await?;
        let with = exec::Options {
            terminal: settings.pty || command.pty,
            agent: agent_works(settings.forwarded_agent.as_deref()).await,
        };
        exec::run(
            channel,
            connection.session.ended.clone(),
            command,
            with,
            output,
        )
        .await
    }

    async fn upload(&self, target: FileTarget, source: Reader) -> Result<u64, CommunicatorError> {
        self.transfer().upload(target, source).await
    }

    async fn download(&self, path: &str, sink: Writer) -> Result<u64, CommunicatorError> {
        self.transfer().download(path, sink).await
    }

    async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        self.transfer().upload_tree(path, entries).await
    }

    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        self.transfer().download_tree(path, exclude).await
    }

    async fn reconnect(&self, limit: Option<Duration>) -> Result<(), CommunicatorError> {
        self.disconnect().await;
        let limit = limit.unwrap_or(self.inner.route.settings.way_back());
        self.inner.make(limit).await.map(drop)
    }

    async fn forward(&self, host: &str, port: u16) -> Result<(Reader, Writer), CommunicatorError> {
        let (reader, writer) = tokio::io::split(self.open_forward(host, port).await?);
        Ok((Box::new(reader), Box::new(writer)))
    }
}
