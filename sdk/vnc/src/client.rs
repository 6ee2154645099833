//! The client: connect, type, look.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sdk_boot_command::{KeySink, SinkError};
use sdk_config::Secret;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use vnc::{ClientKeyEvent, PixelFormat, VncConnector, VncEncoding};

use crate::connection::{Command, run};
use crate::error::VncError;
use crate::screen::Picture;

/// Between two attempts to connect.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// For the server to take a key.
const KEY_LIMIT: Duration = Duration::from_secs(30);
/// How far keys may run ahead of the server's own queue. QEMU drops keys when 1024 entries wait,
/// two for each key event.
const QUEUE_LEAD: Duration = Duration::from_millis(500);
/// For the server to send its screen.
const CAPTURE_LIMIT: Duration = Duration::from_secs(20);

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// The VNC password; only its first eight bytes count. `None` when the server wants none.
    pub password: Option<Secret<String>>,
    /// How long to try, handshake included.
    pub limit: Duration,
    /// How long the server itself holds back each key event: QEMU's `key-delay-ms`.
    pub server_key_delay: Duration,
}

impl Default for ConnectOptions {
    /// No password, 30 seconds, QEMU's default delay of 10 ms.
    fn default() -> Self {
        Self {
            password: None,
            limit: Duration::from_secs(30),
            server_key_delay: Duration::from_millis(10),
        }
    }
}

/// A connection to a VNC server. Clones share it; it ends with the last one or [`Self::close`].
#[derive(Clone, Debug)]
pub struct VncClient {
    commands: mpsc::Sender<Command>,
    ended: Arc<OnceLock<String>>,
    server_key_delay: Duration,
    /// When the server will have passed on every key sent so far.
    queue_empty_at: Arc<Mutex<Instant>>,
}

impl VncClient {
    /// Connects to `address` (`host:port`) and logs in; tries again while nobody listens.
    ///
    /// # Errors
    ///
    /// [`VncError::Connect`] when nobody answers in time, [`VncError::Refused`] when the server
    /// refuses, for example the password.
    pub async fn connect(address: &str, options: &ConnectOptions) -> Result<Self, VncError> {
        let deadline = Instant::now() + options.limit;
        loop {
            let attempt = tokio::time::timeout_at(deadline, attempt(address, options)).await;
            let source = match attempt {
                Ok(Ok(client)) => return Ok(client),
                Ok(Err(vnc::VncError::IoError(source))) => source,
                Ok(Err(source)) => {
                    return Err(VncError::Refused {
                        address: address.to_owned(),
                        source,
                    });
                }
                Err(_) => io::ErrorKind::TimedOut.into(),
            };
            if Instant::now() + RETRY_PAUSE >= deadline {
                let (address, limit) = (address.to_owned(), options.limit);
                return Err(VncError::Connect {
                    address,
                    limit,
                    source,
                });
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    fn start(client: vnc::VncClient, server_key_delay: Duration) -> Self {
        let (commands, inbox) = mpsc::channel(64);
        let ended = Arc::new(OnceLock::new());
        // The task ends with the last sender, so nobody needs to keep its handle.
        tokio::spawn(run(client, inbox, Arc::clone(&ended)));
        let queue_empty_at = Arc::new(Mutex::new(Instant::now()));
        Self {
            commands,
            ended,
            server_key_delay,
            queue_empty_at,
        }
    }

    async fn command(&self, command: Command) -> Result<(), VncError> {
        match tokio::time::timeout(KEY_LIMIT, self.commands.send(command)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.closed()),
            Err(_) => Err(VncError::Silent {
                what: "take a message",
                limit: KEY_LIMIT,
            }),
        }
    }

    fn closed(&self) -> VncError {
        let reason = self
            .ended
            .get()
            .map_or("the reason is not known", String::as_str);
        VncError::Closed {
            reason: reason.to_owned(),
        }
    }

    async fn key(&self, keycode: u32, down: bool) -> Result<(), VncError> {
        let empty_at = self.queue_empty_at();
        if empty_at > Instant::now() + QUEUE_LEAD {
            tokio::time::sleep_until(empty_at - QUEUE_LEAD).await;
        }
        self.command(Command::Key(ClientKeyEvent { keycode, down }))
            .await?;
        let mut empty_at = self
            .queue_empty_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *empty_at = (*empty_at).max(Instant::now()) + self.server_key_delay;
        Ok(())
    }

    fn queue_empty_at(&self) -> Instant {
        *self
            .queue_empty_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the screen.
    ///
    /// # Errors
    ///
    /// [`VncError::Closed`] when the connection ended, [`VncError::Silent`] when the server does
    /// not send its screen in time.
    pub async fn capture(&self) -> Result<Picture, VncError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Capture(reply)).await?;
        match tokio::time::timeout(CAPTURE_LIMIT, answer).await {
            Ok(Ok(picture)) => Ok(picture),
            Ok(Err(_)) => Err(self.closed()),
            Err(_) => Err(VncError::Silent {
                what: "send its screen",
                limit: CAPTURE_LIMIT,
            }),
        }
    }

    /// Looks at the screen; the picture is a PNG file.
    ///
    /// # Errors
    ///
    /// Those of [`Self::capture`].
    pub async fn screenshot(&self) -> Result<Vec<u8>, VncError> {
        self.capture().await?.to_png()
    }

    /// Returns when every key sent so far has reached the machine's keyboard.
    ///
    /// The server reads messages in order, so its answer to a request for the screen proves that
    /// it read the keys; after that its own key queue runs empty. A server that does not send its
    /// screen is given the time of the queue only.
    ///
    /// # Errors
    ///
    /// [`VncError::Closed`] when the connection ended.
    pub async fn settle(&self) -> Result<(), VncError> {
        match self.capture().await {
            Ok(_) => {}
            Err(err @ VncError::Silent { .. }) => {
                tracing::warn!(error = %err, "vnc server is slow, typed keys may be late");
            }
            Err(err) => return Err(err),
        }
        tokio::time::sleep_until(self.queue_empty_at() + self.server_key_delay).await;
        Ok(())
    }

    /// Ends the connection after the last key has arrived.
    ///
    /// # Errors
    ///
    /// [`VncError::Closed`] when it ended before, so that keys may be missing.
    pub async fn close(self) -> Result<(), VncError> {
        self.settle().await?;
        self.command(Command::Close).await?;
        self.commands.closed().await;
        Ok(())
    }
}

async fn attempt(address: &str, options: &ConnectOptions) -> Result<VncClient, vnc::VncError> {
    let stream = TcpStream::connect(address).await?;
    // Keys are small messages; each must leave at once.
    stream.set_nodelay(true)?;
    let password = options
        .password
        .as_ref()
        .map(|password| password.expose().clone());
    let client = VncConnector::new(stream)
        .set_auth_method(async move { password.ok_or(vnc::VncError::NoPassword) })
        .add_encoding(VncEncoding::CopyRect)
        .add_encoding(VncEncoding::Raw)
        .add_encoding(VncEncoding::DesktopSizePseudo)
        .allow_shared(true)
        .set_pixel_format(PixelFormat::bgra())
        .build()?
        .try_start()
        .await?
        .finish()?;
    Ok(VncClient::start(client, options.server_key_delay))
}

#[async_trait]
impl KeySink for VncClient {
    async fn press(&mut self, keysym: u32) -> Result<(), SinkError> {
        Ok(self.key(keysym, true).await?)
    }

    async fn release(&mut self, keysym: u32) -> Result<(), SinkError> {
        Ok(self.key(keysym, false).await?)
    }

    async fn settle(&mut self) -> Result<(), SinkError> {
        Ok(Self::settle(self).await?)
    }
}
