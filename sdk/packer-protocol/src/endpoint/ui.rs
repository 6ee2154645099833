//! Telling the person who builds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::transport::{CallError, Client, Fault, Service, Wire};
use crate::transport::{as_text, field, lossy_text, map, wire_text};

/// Pieces of work that report progress at the same time.
const MAX_TRACKS: usize = 1024;

/// Where a component's words go.
#[async_trait]
pub trait Ui: Send + Sync + 'static {
    /// News; may have several lines.
    async fn say(&self, text: String);

    /// Something went wrong.
    async fn error(&self, text: String);

    /// Facts for programs.
    async fn machine(&self, category: String, facts: Vec<String>);

    /// Asks the person.
    ///
    /// # Errors
    ///
    /// When there is no answer, with the reason.
    async fn ask(&self, question: String) -> Result<String, String>;

    /// Long work begins: `source`, of which `done` bytes of `total` are there already; zero is an
    /// unknown total.
    fn track(&self, source: String, done: u64, total: u64) -> Arc<dyn Track>;
}

/// Progress of long work.
#[async_trait]
pub trait Track: Send + Sync + 'static {
    /// So many more bytes are done.
    async fn add(&self, bytes: u64);

    /// The work is over.
    async fn close(&self);
}

/// Answers a component's words.
pub struct UiService {
    ui: Arc<dyn Ui>,
    tracks: Mutex<HashMap<String, Arc<dyn Track>>>,
    next: AtomicU64,
}

impl UiService {
    /// Words go to `ui`.
    #[must_use]
    pub fn new(ui: Arc<dyn Ui>) -> Self {
        Self {
            ui,
            tracks: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    fn tracks(&self) -> MutexGuard<'_, HashMap<String, Arc<dyn Track>>> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, argument: &Wire) -> Result<Wire, Fault> {
        let source = lossy_text(field(argument, "Src")).ok_or(Fault::Argument)?;
        // Go counts unknown as zero or less.
        let size = |key| field(argument, key).as_i64().unwrap_or_default().max(0);
        let (total, done) = (size("TotalSize"), size("CurrentSize"));
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{source}{number:06}");
        let track = self
            .ui
            .track(source, done.unsigned_abs(), total.unsigned_abs());
        let mut tracks = self.tracks();
        if tracks.len() >= MAX_TRACKS {
            return Err(Fault::Failed("too many pieces of work".to_owned()));
        }
        tracks.insert(name.clone(), track);
        Ok(wire_text(name))
    }

    async fn tracked(&self, name: &str, method: &str, argument: &Wire) -> Result<Wire, Fault> {
        let found = self.tracks().get(name).cloned();
        let track = found.ok_or(Fault::NoService)?;
        match method {
            "Add" => {
                let bytes = argument.as_i64().ok_or(Fault::Argument)?;
                track.add(u64::try_from(bytes).unwrap_or_default()).await;
            }
            "Close" => {
                self.tracks().remove(name);
                track.close().await;
            }
            _ => return Err(Fault::NoMethod),
        }
        Ok(Wire::Nil)
    }
}

#[async_trait]
impl Service for UiService {
    fn offers(&self, name: &str) -> bool {
        name.starts_with("Ui")
    }

    async fn call(&self, service: &str, method: &str, argument: Wire) -> Result<Wire, Fault> {
        if let Some(name) = service.strip_prefix("Ui").filter(|name| !name.is_empty()) {
            return self.tracked(name, method, &argument).await;
        }
        let text = || lossy_text(&argument).ok_or(Fault::Argument);
        match method {
            "Say" | "Message" => self.ui.say(text()?).await,
            "Error" => self.ui.error(text()?).await,
            "Machine" => {
                let category = lossy_text(field(&argument, "Category")).ok_or(Fault::Argument)?;
                let facts = texts(field(&argument, "Args")).ok_or(Fault::Argument)?;
                self.ui.machine(category, facts).await;
            }
            "Ask" => {
                let answer = self.ui.ask(text()?).await;
                return answer.map(wire_text).map_err(Fault::Failed);
            }
            "NewTrackProgress" => return self.begin(&argument),
            _ => return Err(Fault::NoMethod),
        }
        Ok(Wire::Nil)
    }
}

/// A list of texts; null is empty.
pub(super) fn texts(list: &Wire) -> Option<Vec<String>> {
    match list {
        Wire::Nil => Some(Vec::new()),
        Wire::Array(items) => items.iter().map(lossy_text).collect(),
        _ => None,
    }
}

/// A list of texts for the wire.
pub(super) fn texts_to_wire(texts: &[String]) -> Wire {
    Wire::Array(texts.iter().map(|text| wire_text(text.as_str())).collect())
}

/// The words of a component, on their way to a host.
#[derive(Clone, Debug)]
pub struct RemoteUi(Client);

/// The methods fail as any call does; a component goes on without its words.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
impl RemoteUi {
    /// Calls on the stream of `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// News; may have several lines.
    pub async fn say(&self, text: &str) -> Result<(), CallError> {
        self.0.call("Ui.Say", wire_text(text)).await.map(drop)
    }

    /// Something went wrong.
    pub async fn error(&self, text: &str) -> Result<(), CallError> {
        self.0.call("Ui.Error", wire_text(text)).await.map(drop)
    }

    /// Facts for programs.
    pub async fn machine(&self, category: &str, facts: &[String]) -> Result<(), CallError> {
        let argument = map([
            ("Category", wire_text(category)),
            ("Args", texts_to_wire(facts)),
        ]);
        self.0.call("Ui.Machine", argument).await.map(drop)
    }

    /// Asks the person.
    pub async fn ask(&self, question: &str) -> Result<String, CallError> {
        let answer = self.0.call("Ui.Ask", wire_text(question)).await?;
        lossy_text(&answer).ok_or_else(|| CallError::unexpected("Ui.Ask", "text"))
    }

    /// Long work begins. Returns the name under which [`RemoteUi::add`] and [`RemoteUi::close`]
    /// report on it.
    pub async fn track(&self, source: &str, done: u64, total: u64) -> Result<String, CallError> {
        let argument = map([
            ("Src", wire_text(source)),
            ("TotalSize", total.into()),
            ("CurrentSize", done.into()),
        ]);
        let name = self.0.call("Ui.NewTrackProgress", argument).await?;
        let name = as_text(&name).map(str::to_owned);
        name.ok_or_else(|| CallError::unexpected("Ui.NewTrackProgress", "text"))
    }

    /// So many more bytes of the work `name` are done.
    pub async fn add(&self, name: &str, bytes: u64) -> Result<(), CallError> {
        let method = format!("Ui{name}.Add");
        self.0.call(&method, bytes.into()).await.map(drop)
    }

    /// The work `name` is over.
    pub async fn close(&self, name: &str) -> Result<(), CallError> {
        let method = format!("Ui{name}.Close");
        self.0.call(&method, Wire::Nil).await.map(drop)
    }
}
