//! The console on a terminal: line editing, history, completion.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use host_ui::Ui;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext,
    EventHandler, Helper, KeyEvent, RepeatCount,
};

use super::candidates::candidates;
use super::session::{Answer, Language, Session};
use super::statement::is_open;
use crate::template;
use crate::world::World;

const PROMPT: &str = "> ";
/// Lines of the history, of all sessions together.
const LONGEST_HISTORY: usize = 1000;
/// Longer lines are not worth to be kept.
const LONGEST_KEPT: usize = 4096;

/// Answers lines until the user leaves.
///
/// # Errors
///
/// When the terminal cannot be read.
pub(super) fn run(world: &World, ui: &Ui, session: Session) -> Result<(), ReadlineError> {
    let session = Arc::new(session);
    let config = Config::builder()
        .max_history_size(LONGEST_HISTORY)?
        .history_ignore_dups(true)?
        .completion_type(CompletionType::List)
        .auto_add_history(false)
        .build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant {
        session: Arc::clone(&session),
    }));
    let interrupt = Interrupt::default();
    let handler = EventHandler::Conditional(Box::new(interrupt.clone()));
    editor.bind_sequence(KeyEvent::ctrl('C'), handler);
    let history = History::open(world);
    history.load(&mut editor);
    loop {
        let line = match editor.readline(PROMPT) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) if !interrupt.was_in_empty_line() => continue,
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error),
        };
        // A line with a secret in it must not outlive the session, nor be found in it again.
        if line.len() <= LONGEST_KEPT && ui.redactor().clean(&line) == line {
            history.add(&mut editor, line.trim());
        }
        match session.answer(&line) {
            Answer::Leave => return Ok(()),
            Answer::Text(text) => ui.say(&text),
            Answer::Problems(problems, sources) => {
                template::report(ui, &problems, &sources);
            }
        }
    }
}

/// Ctrl-C, which leaves in an empty line and drops any other.
#[derive(Clone, Debug, Default)]
struct Interrupt {
    in_empty_line: Arc<AtomicBool>,
}

impl Interrupt {
    fn was_in_empty_line(&self) -> bool {
        self.in_empty_line.load(Ordering::Relaxed)
    }
}

impl ConditionalEventHandler for Interrupt {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, at: &EventContext) -> Option<Cmd> {
        let empty = at.line().is_empty();
        self.in_empty_line.store(empty, Ordering::Relaxed);
        Some(Cmd::Interrupt)
    }
}

/// What the line editor asks while a line is typed.
struct Assistant {
    session: Arc<Session>,
}

impl Helper for Assistant {}

impl Highlighter for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(candidates(&self.session, line, cursor))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let more = self.session.language() == Language::Expressions && is_open(context.input());
        Ok(match more {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

/// Earlier lines, in a file that only the user can read. Without one, for whatever reason, there is
/// no history beyond the session.
struct History {
    file: Option<PathBuf>,
}

impl History {
    fn open(world: &World) -> Self {
        let file = world.state_folder().join("console_history");
        match make_private(&file) {
            Ok(()) => Self { file: Some(file) },
            Err(error) => {
                let file = file.display();
                tracing::warn!(%error, %file, "there is no history of the console");
                Self { file: None }
            }
        }
    }

    fn load(&self, editor: &mut Editor<Assistant, FileHistory>) {
        if let Some(file) = &self.file {
            note(editor.load_history(file));
        }
    }

    /// Adds a line, in the file at once: a session may end in any way.
    fn add(&self, editor: &mut Editor<Assistant, FileHistory>, line: &str) {
        if line.is_empty() {
            return;
        }
        match (editor.add_history_entry(line), &self.file) {
            (Ok(true), Some(file)) => note(editor.append_history(file)),
            (Ok(_), _) => {}
            (Err(error), _) => note(Err(error)),
        }
    }
}

fn note(done: rustyline::Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "the history of the console cannot be used");
    }
}

fn make_private(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let opened = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)?;
    opened.set_permissions(Permissions::from_mode(0o600))
}
