//! One connection: who may log in, and what each channel asks for.

use std::collections::HashMap;
use std::sync::Arc;

use kiln_sdk::communicator::{Command, Output};
use russh::keys::ssh_key::PublicKey;
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session as Link, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, Pty};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use super::Shared;
use super::channel::{self, Ending, Streams};
use super::scp;

/// What a client of SSH takes for "the connection failed".
const CONNECTION_FAILED: u32 = 255;

/// A connection from Ansible.
pub struct Session {
    shared: Arc<Shared>,
    /// Channels that are open and have not said yet what they are for.
    waiting: HashMap<ChannelId, Waiting>,
}

struct Waiting {
    channel: Channel<Msg>,
    terminal: bool,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            waiting: HashMap::new(),
        }
    }

    fn judge(&self, user: &str, key: &PublicKey) -> Auth {
        let known = self.shared.user.as_deref().is_none_or(|name| name == user);
        if known && *key.key_data() == self.shared.authorized {
            return Auth::Accept;
        }
        tracing::debug!(user, known, "login refused by the ssh proxy");
        Auth::reject()
    }

    /// Runs `work` for the channel, until it or the server ends.
    fn start<Work>(
        &self,
        channel: Channel<Msg>,
        work: impl FnOnce(Streams) -> Work + Send + 'static,
    ) where
        Work: Future<Output = Ending> + Send + 'static,
    {
        let over = self.shared.over.clone();
        drop(self.shared.tasks.spawn(async move {
            tokio::select! {
                () = over.cancelled() => {}
                () = channel::serve(channel, work) => {}
            }
        }));
    }
}

impl Handler for Session {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, offer.public_key))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _link: &mut Link,
    ) -> Result<(), Self::Error> {
        let waiting = Waiting {
            channel,
            terminal: false,
        };
        self.waiting.insert(waiting.channel.id(), waiting);
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _link: &mut Link,
    ) -> Result<(), Self::Error> {
        self.waiting.remove(&channel);
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        link: &mut Link,
    ) -> Result<(), Self::Error> {
        if let Some(waiting) = self.waiting.get_mut(&channel) {
            waiting.terminal = true;
        }
        link.channel_success(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        link: &mut Link,
    ) -> Result<(), Self::Error> {
        link.channel_success(channel)
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        link: &mut Link,
    ) -> Result<(), Self::Error> {
        link.channel_failure(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        link: &mut Link,
    ) -> Result<(), Self::Error> {
        let Some(waiting) = self.waiting.remove(&channel) else {
            return link.channel_failure(channel);
        };
        link.channel_success(channel)?;
        let command = String::from_utf8_lossy(data).into_owned();
        let shared = Arc::clone(&self.shared);
        match scp::Request::parse(&command) {
            Some(request) => self.start(waiting.channel, move |streams| async move {
                scp::serve(&*shared.machine, &shared.spool, &request, streams).await
            }),
            None => {
                let terminal = waiting.terminal;
                self.start(waiting.channel, move |streams| async move {
                    exec(&shared, command, terminal, streams).await
                });
            }
        }
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        link: &mut Link,
    ) -> Result<(), Self::Error> {
        let waiting = self.waiting.remove(&channel).filter(|_| name == "sftp");
        let Some(waiting) = waiting else {
            return link.channel_failure(channel);
        };
        link.channel_success(channel)?;
        let shared = Arc::clone(&self.shared);
        self.start(waiting.channel, move |streams| async move {
            shared.subsystem.serve(&shared, streams).await
        });
        Ok(())
    }
}

/// Runs `command` in the guest.
pub(super) async fn exec(
    shared: &Shared,
    command: String,
    terminal: bool,
    streams: Streams,
) -> Ending {
    let Streams {
        input,
        mut output,
        mut errors,
    } = streams;
    tracing::trace!(command, terminal, "command through the ssh proxy");
    let (sender, mut receiver) = mpsc::channel(64);
    let command = Command {
        command,
        pty: terminal,
        stdin: Some(Box::new(input)),
    };
    let show = async {
        while let Some(piece) = receiver.recv().await {
            // A client that closed its end gets no more, but the command goes on.
            drop(match piece {
                Output::Stdout(bytes) => output.write_all(&bytes).await,
                Output::Stderr(bytes) => errors.write_all(&bytes).await,
            });
        }
    };
    let (exit, ()) = tokio::join!(shared.machine.exec(command, sender), show);
    match exit {
        Ok(exit) => exit.status().map_or_else(
            || {
                tracing::warn!(?exit, "the connection broke during a command of ansible");
                Ending::Unknown
            },
            Ending::Status,
        ),
        Err(error) => {
            let failure = kiln_sdk::Failure::from_error(&error);
            // The client may be gone; it learns the status then as little as the text.
            drop(errors.write_all(format!("{failure}\n").as_bytes()).await);
            Ending::Status(CONNECTION_FAILED)
        }
    }
}
