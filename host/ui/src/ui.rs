//! The one door all output goes through.

use std::borrow::Cow;
use std::io::{BufWriter, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use host_diag::{Diagnostic, Diagnostics, SourceMap, render_clean_text};

use crate::color;
use crate::control::{self, Returns};
use crate::document;
use crate::event_line::EventLine;
use crate::live::Live;
use crate::machine;
use crate::outlet::{Outlet, Patience};
use crate::redact::Redactor;

/// What output looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Lines for people, as Packer prints them.
    Lines,
    /// The same, with live progress below them.
    Terminal,
    /// Lines for programs, as Packer prints them.
    Machine,
    /// One JSON object a line for each event.
    Json,
}

/// Everything the program prints. All of it goes to standard output, errors too: scripts expect
/// that. Clones are the same door.
#[derive(Clone)]
pub struct Ui {
    mode: Mode,
    redactor: Redactor,
    sink: Arc<Mutex<Box<dyn Write + Send>>>,
    /// Why something could not be written.
    failure: Arc<OnceLock<String>>,
    patience: Patience,
    live: Option<Live>,
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ui")
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl Ui {
    /// Output to standard output, for as long as there is patience with who reads it.
    #[must_use]
    pub fn new(mode: Mode, redactor: Redactor, patience: &Patience) -> Self {
        let outlet = Outlet::new(std::io::stdout(), patience.clone());
        Self {
            patience: patience.clone(),
            ..Self::to(mode, redactor, Box::new(BufWriter::new(outlet)))
        }
    }

    /// The same output in another form.
    #[must_use]
    pub fn with_mode(&self, mode: Mode) -> Self {
        Self {
            sink: Arc::clone(&self.sink),
            failure: Arc::clone(&self.failure),
            ..Self::new(mode, self.redactor.clone(), &self.patience)
        }
    }

    /// Output to `sink`.
    #[must_use]
    pub fn to(mode: Mode, redactor: Redactor, sink: Box<dyn Write + Send>) -> Self {
        let live = (mode == Mode::Terminal).then(|| Live::new(redactor.clone()));
        Self {
            mode,
            redactor,
            sink: Arc::new(Mutex::new(sink)),
            failure: Arc::default(),
            patience: Patience::default(),
            live,
        }
    }

    /// From now on, what nobody reads for some seconds is dropped: the program shall end.
    pub fn hurry(&self) {
        self.patience.end();
    }

    /// What output looks like.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether who reads the output may take their time.
    #[must_use]
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// The filter that keeps secrets out.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The live display, when there is one.
    pub(crate) fn live(&self) -> Option<&Live> {
        self.live.as_ref()
    }

    /// News.
    pub fn say(&self, text: &str) {
        self.print("say", text);
    }

    /// Something went wrong.
    pub fn error(&self, text: &str) {
        self.print("error", text);
    }

    /// Problems with their places, all at once; an error among them makes them all errors.
    pub fn diagnostics(&self, diagnostics: &Diagnostics, sources: &SourceMap) {
        if diagnostics.is_empty() {
            return;
        }
        // Before lines are broken, which would break a secret in two.
        let clean = |one: &Diagnostic| clean_texts(one, |text| self.clean(text));
        let diagnostics: &Diagnostics = &diagnostics.iter().map(clean).collect();
        let text = render_clean_text(diagnostics, sources, &|line| self.clean(line));
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let kind = if diagnostics.iter().any(Diagnostic::is_error) {
            "error"
        } else {
            "say"
        };
        if self.mode == Mode::Json {
            log(kind, text);
            self.event(&EventLine::diagnostics(diagnostics, sources));
        } else {
            self.print(kind, text);
        }
    }

    /// Shows how far a download is, where there is a display for it: bytes done and in total, when
    /// that is known.
    pub fn download(&self, what: &str, done: u64, total: Option<u64>) {
        if let Some(live) = &self.live {
            live.download(what, done, total);
        }
    }

    /// Removes a download from the display.
    pub fn download_ended(&self, what: &str) {
        if let Some(live) = &self.live {
            live.download_ended(what);
        }
    }

    /// What a plugin says without what would change the terminal. Secrets are gone then, too, that
    /// such characters stood in.
    pub(crate) fn plain<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let returns = match self.mode {
            Mode::Lines | Mode::Terminal => Returns::EndLines,
            // They are told with letters there.
            Mode::Machine => Returns::Stay,
            // All of them are.
            Mode::Json => return Cow::Borrowed(text),
        };
        match control::without(text, returns) {
            Cow::Borrowed(text) => Cow::Borrowed(text),
            Cow::Owned(_) => {
                let clean = self.redactor.clean(text);
                Cow::Owned(control::without(&clean, returns).into_owned())
            }
        }
    }

    /// What a plugin says as it may be shown.
    fn clean(&self, text: &str) -> String {
        self.redactor.clean(&self.plain(text))
    }

    /// A JSON document, which is all that is printed.
    pub fn document(&self, json: &str) {
        log("say", json);
        let clean = document::clean(json, &self.redactor);
        match self.mode {
            Mode::Machine => self.write(&machine::line("", "ui", &["say", &clean])),
            Mode::Lines | Mode::Terminal | Mode::Json => self.write(&clean),
        }
    }

    /// Why something could not be written, as on a full disk; `None` when everything was, or when
    /// nobody reads any more.
    #[must_use]
    pub fn write_failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// A line that only programs get.
    pub fn machine(&self, target: &str, kind: &str, arguments: &[&str]) {
        if self.mode == Mode::Machine {
            self.write_machine(target, kind, arguments);
        }
    }

    /// An event that only programs get that asked for JSON.
    pub fn event(&self, event: &EventLine) {
        if self.mode == Mode::Json {
            self.write(&event.line(&self.redactor));
        }
    }

    fn print(&self, kind: &'static str, text: &str) {
        log(kind, text);
        match self.mode {
            Mode::Machine => {
                self.write_machine("", "ui", &[kind, text]);
            }
            Mode::Json => self.event(&EventLine::message(kind, None, text)),
            Mode::Lines | Mode::Terminal => self.write(&self.redactor.clean(text)),
        }
    }

    /// Writes a line for programs. Its fields are cleaned one by one, before a comma in a secret is
    /// escaped and while the fields around them are out of reach.
    fn write_machine(&self, target: &str, kind: &str, arguments: &[&str]) {
        let clean: Vec<String> = arguments
            .iter()
            .map(|argument| self.clean(argument))
            .collect();
        let clean: Vec<&str> = clean.iter().map(String::as_str).collect();
        self.write(&machine::line(&self.redactor.clean(target), kind, &clean));
    }

    /// Writes a line that has no secrets any more.
    fn write(&self, line: &str) {
        let print = || {
            let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
            let written = writeln!(sink, "{line}").and_then(|()| sink.flush());
            // A reader that closed the pipe is no error of the build.
            if let Err(error) = written
                && error.kind() != std::io::ErrorKind::BrokenPipe
            {
                // The first one is told.
                drop(self.failure.set(error.to_string()));
            }
        };
        match &self.live {
            Some(live) => live.suspend(print),
            None => print(),
        }
    }
}

/// A problem whose texts are cleaned. Its places are cleaned when they are printed.
fn clean_texts(diagnostic: &Diagnostic, cleaned: impl Fn(&str) -> String) -> Diagnostic {
    let mut clean = diagnostic.clone();
    let related = clean.related.iter_mut().map(|label| &mut label.text);
    let values = clean.values.iter_mut().map(|shown| &mut shown.value);
    let texts = [&mut clean.summary, &mut clean.detail];
    let all = texts.into_iter().chain(&mut clean.hints);
    for text in all.chain(related).chain(values) {
        *text = cleaned(text);
    }
    clean
}

/// What people read stands in the log as well, without colours and control characters.
pub(crate) fn log(kind: &str, text: &str) {
    // A plan can have many megabytes; they are not copied for nobody.
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let text = color::unpainted(&control::without(text, Returns::EndLines));
    match kind {
        "error" => tracing::info!("ui error: {text}"),
        _ => tracing::info!("ui: {text}"),
    }
}

#[cfg(test)]
pub(crate) mod capture {
    use super::{Arc, Mutex, Write};

    /// A sink whose content can be looked at.
    #[derive(Clone, Default)]
    pub(crate) struct Capture(Arc<Mutex<Vec<u8>>>);

    impl Capture {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Capture {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(data);
            Ok(data.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
