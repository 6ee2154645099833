//! The loop: messages in, answers and problems out.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use host_diag::Diagnostic;
use host_plugin_client::{Needs, Registry, Settings};
use host_template::{LoadOptions, Template};
use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    InitializeParams, PublishDiagnosticsParams,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::analysis::{Outcome, Report, Subject};
use crate::catalog::Catalog;
use crate::checks::{Checks, subject_of};
use crate::documents::{Document, Documents, Kind, Open, path_of};
use crate::navigation::url_of;
use crate::requests::{Answer, Asked, read, written};
use crate::session::{Agreed, initialized};
use crate::transport::{self, Incoming, Message, answer, code, notification};

/// Longest name of an unknown method or id that is repeated in the log.
const LONGEST_LOGGED: usize = 100;

/// What the server is told by its surroundings.
#[derive(Debug)]
pub struct World {
    /// Where plugins and their descriptions are.
    pub settings: Settings,
    /// Which installed plugins a template needs.
    pub needs: NeedsOf,
    /// The Packer version that templates see, for example `1.16.0`.
    pub core_version: String,
    /// The server's own version.
    pub version: String,
    /// Start of the process, in nanoseconds since 1970 UTC.
    pub started_at_unix_nanos: i64,
}

/// Says which installed plugins a template needs, or why that cannot be told.
#[derive(Clone)]
pub struct NeedsOf(Arc<SayNeeds>);

type SayNeeds = dyn Fn(&Template, &LoadOptions) -> Result<Needs, Box<Diagnostic>> + Send + Sync;

impl NeedsOf {
    /// Asks `say`.
    pub fn new(
        say: impl Fn(&Template, &LoadOptions) -> Result<Needs, Box<Diagnostic>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(say))
    }

    pub(crate) fn ask(
        &self,
        template: &Template,
        options: &LoadOptions,
    ) -> Result<Needs, Box<Diagnostic>> {
        (self.0)(template, options)
    }
}

impl std::fmt::Debug for NeedsOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NeedsOf(_)")
    }
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The editor said that it would end, then that it ends.
    Properly,
    /// `exit` came without `shutdown`, or the input ended.
    Abruptly,
}

/// Serves one editor until it ends the session.
///
/// # Errors
///
/// When the output cannot be written: the editor is gone.
pub async fn serve(
    world: World,
    input: impl Read + Send + 'static,
    output: impl Write,
) -> io::Result<Ended> {
    let (sender, messages) = mpsc::unbounded_channel();
    // Nobody waits for this thread: it blocks until the input ends, which may be after the session.
    std::thread::spawn(move || pump(BufReader::new(input), &sender));
    let settings = world.settings.clone();
    let mut server = Server {
        bundled: Known::Scanning(tokio::spawn(Registry::scan(settings))),
        catalogs: BTreeMap::new(),
        world,
        output,
        messages,
        queue: VecDeque::new(),
        documents: Documents::default(),
        checks: Checks::default(),
        check: None,
        agreed: None,
        shut_down: false,
    };
    server.run().await
}

/// Reads messages until the input ends.
fn pump(mut input: impl BufRead, sender: &mpsc::UnboundedSender<Incoming>) {
    loop {
        match transport::read(&mut input) {
            Ok(Some(incoming)) => {
                if sender.send(incoming).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "the editor's messages cannot be read");
                return;
            }
        }
    }
}

/// The components that came with kiln.
enum Known {
    Scanning(JoinHandle<Registry>),
    Known(Catalog),
}

struct Server<W> {
    world: World,
    output: W,
    messages: mpsc::UnboundedReceiver<Incoming>,
    /// Messages that came but were not looked at yet.
    queue: VecDeque<Incoming>,
    documents: Documents,
    bundled: Known,
    /// What there is for each template, with the installed plugins it needs.
    catalogs: BTreeMap<Subject, Catalog>,
    checks: Checks,
    check: Option<JoinHandle<Outcome>>,
    /// `None` before `initialize`.
    agreed: Option<Agreed>,
    shut_down: bool,
}

/// What happens next.
enum Event {
    Incoming(Incoming),
    InputEnded,
    CheckDue,
    CheckDone(Option<Outcome>),
}

impl<W: Write> Server<W> {
    async fn run(&mut self) -> io::Result<Ended> {
        loop {
            match self.next().await {
                Event::InputEnded => return Ok(Ended::Abruptly),
                Event::CheckDue => self.start_check().await,
                Event::CheckDone(outcome) => {
                    self.check = None;
                    let report = outcome.map(|outcome| {
                        if let Some(catalog) = outcome.catalog {
                            self.catalogs.insert(outcome.subject, catalog);
                        }
                        outcome.report
                    });
                    let shown = self.checks.finished(report);
                    self.publish(shown)?;
                }
                Event::Incoming(Incoming::Malformed(code, text)) => {
                    tracing::warn!(text, "the editor sent something that is no message");
                    let problem = answer(&Value::Null, Err((code, text)));
                    transport::write(&mut self.output, &problem)?;
                }
                Event::Incoming(Incoming::Message(message)) => {
                    if let Some(ended) = self.message(message).await? {
                        return Ok(ended);
                    }
                }
            }
        }
    }

    /// Messages come before checks: what they say may make a check needless.
    async fn next(&mut self) -> Event {
        while let Ok(incoming) = self.messages.try_recv() {
            self.queue.push_back(incoming);
        }
        if let Some(incoming) = self.queue.pop_front() {
            return Event::Incoming(incoming);
        }
        let due = self.checks.next();
        let timer = async {
            match due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let check = async {
            match &mut self.check {
                // A check that panicked has no result.
                Some(check) => check.await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            incoming = self.messages.recv() => match incoming {
                Some(incoming) => Event::Incoming(incoming),
                None => Event::InputEnded,
            },
            outcome = check => Event::CheckDone(outcome),
            () = timer => Event::CheckDue,
        }
    }

    /// Handles a message; says how the session ended when it has.
    async fn message(&mut self, message: Message) -> io::Result<Option<Ended>> {
        match (message.id, message.method) {
            (Some(id), Some(method)) => {
                let result = if self.take_cancelled(&id) {
                    Err((
                        code::CANCELLED,
                        "The editor does not want it any more.".to_owned(),
                    ))
                } else {
                    self.request(&method, message.params).await
                };
                transport::write(&mut self.output, &answer(&id, result))?;
            }
            (None, Some(method)) if method == "exit" => {
                return Ok(Some(match self.shut_down {
                    true => Ended::Properly,
                    false => Ended::Abruptly,
                }));
            }
            (None, Some(method)) if self.agreed.is_some() && !self.shut_down => {
                self.notification(&method, message.params)?;
            }
            // Nothing is asked of the editor, so its answers mean nothing.
            _ => {}
        }
        Ok(None)
    }

    /// Whether the request was cancelled by a message that waits behind it.
    fn take_cancelled(&mut self, id: &Value) -> bool {
        let cancels = |incoming: &Incoming| {
            matches!(incoming, Incoming::Message(message)
                if message.method.as_deref() == Some("$/cancelRequest")
                    && message.params.get("id") == Some(id))
        };
        let position = self.queue.iter().position(cancels);
        position
            .and_then(|position| self.queue.remove(position))
            .is_some()
    }

    async fn request(&mut self, method: &str, params: Value) -> Answer {
        let refused = |code: i32, text: &str| Err((code, text.to_owned()));
        match (method, self.agreed) {
            _ if self.shut_down => refused(code::INVALID_REQUEST, "The server was shut down."),
            ("initialize", None) => {
                let params: InitializeParams = read(params)?;
                let (agreed, result) = initialized(&params, &self.world.version);
                self.agreed = Some(agreed);
                written(&result)
            }
            ("initialize", Some(_)) => {
                refused(code::INVALID_REQUEST, "The server was initialized before.")
            }
            (_, None) => refused(code::NOT_INITIALIZED, "The server is not initialized yet."),
            ("shutdown", Some(_)) => {
                self.shut_down = true;
                Ok(Value::Null)
            }
            (method, Some(agreed)) => {
                let catalog = self.catalog_for(&params).await;
                let asked = Asked {
                    documents: &self.documents,
                    catalog: &catalog,
                    agreed,
                };
                let work = AssertUnwindSafe(|| asked.answer(method, params));
                // The panic itself has been printed; the next request may go well.
                catch_unwind(work).unwrap_or_else(|_| {
                    refused(
                        code::INTERNAL_ERROR,
                        "This failed because of a bug in kiln.",
                    )
                })
            }
        }
    }

    /// The components there are for the template that a request is about.
    async fn catalog_for(&mut self, params: &Value) -> Catalog {
        let bundled = self.bundled().await;
        let url = params
            .pointer("/textDocument/uri")
            .and_then(|url| lsp_types::Url::parse(url.as_str()?).ok());
        let open = url.and_then(|url| self.documents.get(&url));
        let subject = open.map(|open| subject_of(open, &self.documents));
        let own = subject.and_then(|subject| self.catalogs.get(&subject));
        own.cloned().unwrap_or(bundled)
    }

    /// The components that came with kiln; waits until they are known.
    async fn bundled(&mut self) -> Catalog {
        if let Known::Scanning(scan) = &mut self.bundled {
            let catalog = match scan.await {
                Ok(registry) => Catalog::new(registry),
                Err(error) => {
                    tracing::error!(%error, "plugins could not be looked for");
                    Catalog::default()
                }
            };
            self.bundled = Known::Known(catalog);
        }
        match &self.bundled {
            Known::Known(catalog) => catalog.clone(),
            Known::Scanning(_) => Catalog::default(),
        }
    }

    fn notification(&mut self, method: &str, params: Value) -> io::Result<()> {
        match method {
            "textDocument/didOpen" => {
                if let Some(params) = self.params(method, params) {
                    self.opened(params);
                }
            }
            "textDocument/didChange" => {
                if let Some(params) = self.params(method, params) {
                    self.changed(params);
                }
            }
            "textDocument/didClose" => {
                if let Some(params) = self.params(method, params) {
                    self.closed(&params)?;
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                self.checks.all_changed(&self.documents);
            }
            _ => {
                let method: String = method.chars().take(LONGEST_LOGGED).collect();
                tracing::debug!(method, "a notification that means nothing here");
            }
        }
        Ok(())
    }

    fn params<T: serde::de::DeserializeOwned>(&self, method: &str, params: Value) -> Option<T> {
        match read(params) {
            Ok(params) => Some(params),
            Err((_, text)) => {
                tracing::warn!(method, text, "a notification cannot be read");
                None
            }
        }
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) {
        let opened = params.text_document;
        let kind = Kind::of(&opened.uri, &opened.language_id);
        let (Some(kind), Some(path)) = (kind, path_of(&opened.uri)) else {
            return;
        };
        let url = opened.uri;
        let open = Open {
            url: url.clone(),
            path,
            kind,
            version: opened.version,
            document: Arc::new(Document::new(kind, opened.text)),
        };
        self.documents.insert(open);
        // A new file may have made its folder that of a template, and that of values below it.
        let concerned = self.documents.iter();
        let concerned = concerned.filter(|one| one.kind.is_values() || one.url == url);
        for open in concerned {
            self.checks.changed(subject_of(open, &self.documents));
        }
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let changed = params.text_document;
        let encoding = self.agreed.unwrap_or_default().encoding;
        let changes = params.content_changes;
        let known = self
            .documents
            .change(&changed.uri, changed.version, changes, encoding);
        if let Some(open) = self.documents.get(&changed.uri).filter(|_| known) {
            let subject = subject_of(open, &self.documents);
            self.checks.changed(subject);
        }
    }

    fn closed(&mut self, params: &DidCloseTextDocumentParams) -> io::Result<()> {
        let Some(closed) = self.documents.remove(&params.text_document.uri) else {
            return Ok(());
        };
        let mut shown = self.checks.closed(&closed, &self.documents);
        let documents = &self.documents;
        let is_open = |subject: &Subject| {
            let mut open = documents.iter();
            open.any(|open| subject_of(open, documents) == *subject)
        };
        self.catalogs.retain(|subject, _| is_open(subject));
        if url_of(&closed.path).as_ref() != Some(&closed.url) {
            // It had no place on disk, so nothing else knows its address.
            shown.remove(&closed.path);
            self.publish_one(&closed.url, None, Value::Array(Vec::new()))?;
        }
        self.publish(shown)
    }

    async fn start_check(&mut self) {
        let catalog = self.bundled().await;
        let agreed = self.agreed.unwrap_or_default();
        let job = self
            .checks
            .start(&self.documents, &catalog, agreed, &self.world);
        let Some(job) = job else {
            return;
        };
        let runtime = tokio::runtime::Handle::current();
        // It computes for as long as the template takes; messages are handled meanwhile.
        self.check = Some(tokio::task::spawn_blocking(move || {
            runtime.block_on(job.run())
        }));
    }

    fn publish(&mut self, report: Report) -> io::Result<()> {
        for (path, problems) in report {
            let open = self.documents.at(&path);
            let version = open.map(|open| open.version);
            let Some(url) = open.map(|open| open.url.clone()).or_else(|| url_of(&path)) else {
                continue;
            };
            let params = PublishDiagnosticsParams::new(url, problems, version);
            let params = serde_json::to_value(params).unwrap_or_else(|_| json!({}));
            let message = notification("textDocument/publishDiagnostics", params);
            transport::write(&mut self.output, &message)?;
        }
        Ok(())
    }

    fn publish_one(
        &mut self,
        url: &lsp_types::Url,
        version: Option<i32>,
        problems: Value,
    ) -> io::Result<()> {
        let params = json!({ "uri": url, "version": version, "diagnostics": problems });
        let message = notification("textDocument/publishDiagnostics", params);
        transport::write(&mut self.output, &message)
    }
}
