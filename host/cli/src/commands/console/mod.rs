//! `kiln console`: expressions and template calls, answered with a template's values.
//!
//! [`session`] answers a line, [`statement`] tells where one ends, [`editor`] reads lines from a
//! terminal and [`candidates`] completes them; lines from elsewhere are read here. Not here: what
//! expressions mean.

mod candidates;
mod editor;
mod session;
mod statement;

use std::io::{self, BufRead, Read};

use host_diag::{Diagnostic, SourceMap};
use host_plugin_client::{Prereleases, Registry};
use host_template::{LoadOptions, Template};
use host_ui::{Mode, Ui};
use rustix::fs::{FileType, fstat};

use self::session::{Answer, Session};
use self::statement::Statements;
use crate::arguments::ConsoleArguments;
use crate::commands::build::{report_leftover, usage};
use crate::world::World;
use crate::{exit, needed, template};

/// Most bytes of one line.
const LONGEST_LINE: u64 = 1 << 20;

/// Answers what is typed, or what comes through a pipe.
///
/// Packer's rule: from a pipe every line is evaluated but only the last result printed, and the
/// exit code tells of problems; anything else is a session that answers each line and ends with 0.
pub async fn run(world: &World, ui: &Ui, arguments: ConsoleArguments) -> u8 {
    let mut options = match template::optional(world, &arguments.template) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "console"),
    };
    if options.path == "-" {
        let text = "The console reads what it evaluates from standard input, so the template must \
                    be a file or a folder.";
        return usage(ui, text, "console");
    }
    // What has no value yet is unknown, and everything else can be tried out.
    options.unset_variables_allowed = true;
    let mut sources = SourceMap::default();
    let Some(mut template) = template::load(ui, &options, &mut sources) else {
        return exit::FAILED;
    };
    let problems = initialize(world, ui, (&mut template, &options)).await;
    template::hide_secrets(ui, &template);
    let session = Session::new(template);
    if world.is_interactive() && ui.mode() != Mode::Machine {
        // Packer says nothing of these; a person would wonder why a value is not known.
        template::report(ui, &problems, &sources);
        return match editor::run(world, ui, session) {
            Ok(()) => exit::DONE,
            Err(error) => {
                ui.error(&format!("Cannot read from the terminal: {error}"));
                exit::FAILED
            }
        };
    }
    let shown = match is_pipe() {
        true => Shown::Last,
        false => Shown::Each,
    };
    match answer_all(&session, ui, shown, io::stdin().lock()) {
        Ok(status) => status,
        Err(error) => {
            ui.error(&format!("Cannot read standard input: {error}"));
            exit::FAILED
        }
    }
}

/// Computes variables and locals, and reads data sources; plugins run for these only.
async fn initialize(
    world: &World,
    ui: &Ui,
    (template, options): (&mut Template, &LoadOptions),
) -> Vec<Diagnostic> {
    if template.data_sources().is_empty() {
        return template.initialize(&Registry::default(), true).await;
    }
    let found = needed::registry(world, template, options, Prereleases::Used).await;
    let registry = match found {
        Ok(registry) => registry,
        Err(problem) => return vec![*problem],
    };
    let problems = template.initialize(&registry, true).await;
    if let Some(directory) = registry.made_run_directory() {
        for leftover in directory.finish(&registry).await {
            report_leftover(ui, &leftover);
        }
    }
    problems
}

fn is_pipe() -> bool {
    let status = fstat(io::stdin());
    status.is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Fifo)
}

/// Which results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Each,
    Last,
}

/// Answers every line of `input`; the exit code.
///
/// Differs: Packer evaluates each line by itself, so that it cannot be given an expression of
/// several lines.
fn answer_all(session: &Session, ui: &Ui, shown: Shown, mut input: impl BufRead) -> io::Result<u8> {
    let mut statements = Statements::new(session.language());
    let mut results = Results {
        ui,
        shown,
        last: None,
        status: exit::DONE,
    };
    while let Some(line) = next_line(&mut input)? {
        let Some(statement) = statements.add(&line) else {
            continue;
        };
        if results.take(session.answer(&statement)) {
            return Ok(results.end());
        }
    }
    // Brackets that nobody closed join nothing: each line is on its own, as in Packer.
    for line in statements.rest() {
        if results.take(session.answer(&line)) {
            break;
        }
    }
    Ok(results.end())
}

/// What has been answered so far.
struct Results<'a> {
    ui: &'a Ui,
    shown: Shown,
    last: Option<String>,
    status: u8,
}

impl Results<'_> {
    /// Prints what is to be printed; whether the session is over.
    fn take(&mut self, answer: Answer) -> bool {
        match answer {
            // A pipe is read to its end, as Packer does.
            Answer::Leave if self.shown == Shown::Last => self.last = Some(String::new()),
            Answer::Leave => return true,
            Answer::Text(text) if self.shown == Shown::Last => self.last = Some(text),
            Answer::Text(text) => self.ui.say(&text),
            Answer::Problems(problems, sources) => {
                self.last = None;
                let fine = template::report(self.ui, &problems, &sources);
                self.status = if fine { exit::DONE } else { exit::FAILED };
            }
        }
        false
    }

    fn end(self) -> u8 {
        match self.shown {
            // A session ends well, whatever was typed in it.
            Shown::Each => exit::DONE,
            Shown::Last => {
                if let Some(last) = self.last {
                    self.ui.say(&last);
                }
                self.status
            }
        }
    }
}

/// The next line without its line break; `None` at the end.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = input
        .by_ref()
        .take(LONGEST_LINE + 1)
        .read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() as u64 > LONGEST_LINE {
        let text = format!("a line has more than {LONGEST_LINE} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}
