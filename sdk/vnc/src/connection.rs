//! The task that owns a connection: writes keys, reads everything the server sends.

use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, oneshot};
use vnc::{ClientKeyEvent, VncClient, VncEvent, X11Event};

use crate::screen::{Picture, Screen};

/// What the task can be asked for.
pub(crate) enum Command {
    /// Send a transition of a key.
    Key(ClientKeyEvent),
    /// Ask for the whole screen and answer when all of it came in.
    Capture(oneshot::Sender<Picture>),
    /// End the connection.
    Close,
}

/// Runs until the connection ends, [`Command::Close`] comes, or nobody can send commands any more.
pub(crate) async fn run(
    client: VncClient,
    mut commands: mpsc::Receiver<Command>,
    ended: Arc<OnceLock<String>>,
) {
    let mut connection = Connection {
        client,
        screen: Screen::default(),
        waiting: Vec::new(),
    };
    let reason = loop {
        // Nobody else uses the client, so this wait holds no lock against its own input.
        let result = tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Key(event)) => connection.input(X11Event::KeyEvent(event)).await,
                Some(Command::Capture(reply)) => connection.capture(reply).await,
                Some(Command::Close) | None => break "it was closed here".to_owned(),
            },
            event = connection.client.recv_event() => match event {
                Ok(VncEvent::Error(reason)) => Err(reason),
                Ok(event) => connection.receive(&event).await,
                Err(err) => Err(err.to_string()),
            },
        };
        if let Err(reason) = result {
            break reason;
        }
    };
    tracing::debug!(reason, "vnc connection ended");
    // The first reason stays; there is only one task that sets it.
    ended.get_or_init(|| reason);
    if let Err(err) = connection.client.close().await {
        tracing::debug!(error = %err, "vnc connection did not close cleanly");
    }
}

struct Connection {
    client: VncClient,
    screen: Screen,
    waiting: Vec<oneshot::Sender<Picture>>,
}

impl Connection {
    async fn input(&self, event: X11Event) -> Result<(), String> {
        self.client
            .input(event)
            .await
            .map_err(|err| err.to_string())
    }

    async fn capture(&mut self, reply: oneshot::Sender<Picture>) -> Result<(), String> {
        self.waiting.retain(|waiting| !waiting.is_closed());
        self.waiting.push(reply);
        self.screen.expect();
        self.input(X11Event::FullRefresh).await
    }

    async fn receive(&mut self, event: &VncEvent) -> Result<(), String> {
        let resized = self.screen.apply(event);
        if resized && !self.waiting.is_empty() {
            return self.input(X11Event::FullRefresh).await;
        }
        if !self.waiting.is_empty()
            && let Some(picture) = self.screen.picture()
        {
            for reply in self.waiting.drain(..) {
                // Whoever asked may have given up meanwhile.
                drop(reply.send(picture.clone()));
            }
        }
        Ok(())
    }
}
