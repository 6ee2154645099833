//! The plugin's words for the person who builds.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use kiln_sdk::{Answer, Meter, RunContext};
use sdk_packer_protocol::endpoint::{Track, Ui};
use tokio_util::sync::CancellationToken;

/// Hands words on to the host.
pub(super) struct Person {
    cx: RunContext,
    begun: CancellationToken,
}

impl Person {
    /// `begun` is cancelled at the first word.
    pub(super) fn new(cx: &RunContext, begun: &CancellationToken) -> Self {
        Self {
            cx: cx.clone(),
            begun: begun.clone(),
        }
    }
}

#[async_trait]
impl Ui for Person {
    async fn say(&self, text: String) {
        self.begun.cancel();
        self.cx.say(text).await;
    }

    async fn error(&self, text: String) {
        self.begun.cancel();
        self.cx.error(text).await;
    }

    async fn machine(&self, category: String, facts: Vec<String>) {
        self.begun.cancel();
        // The host's protocol has no such lines.
        tracing::info!(category, ?facts, "the plugin told programs something");
    }

    async fn ask(&self, question: String) -> Result<String, String> {
        self.begun.cancel();
        match self.cx.ask(question).await {
            Answer::Line(line) => Ok(line),
            Answer::Unattended => Err("there is nobody to ask".to_owned()),
        }
    }

    fn track(&self, source: String, done: u64, total: u64) -> Arc<dyn Track> {
        let meter = Meter::bytes(&self.cx, source, (total > 0).then_some(total));
        meter.at(done);
        Arc::new(Work(Mutex::new(Some(meter))))
    }
}

/// Long work; empty when it is over.
struct Work(Mutex<Option<Meter>>);

#[async_trait]
impl Track for Work {
    async fn add(&self, bytes: u64) {
        let work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = &*work {
            meter.add(bytes);
        }
    }

    async fn close(&self) {
        // The meter tells its end when it is dropped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
