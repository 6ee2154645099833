//! Completion of command lines by shells.
//!
//! A shell runs kiln with the line typed so far in `COMP_LINE` ([`answer`]): [`mod@line`] splits it,
//! [`position`] tells what is due at the cursor, [`paths`] and [`names`] find files and what a
//! template declares. [`mod@install`] tells shells to do so. Nothing is started, and whatever goes wrong
//! means no candidates: a shell shows anything else in the middle of the user's line.

mod install;
mod line;
mod names;
mod paths;
mod position;

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

pub use self::install::{install, uninstall};
use self::line::Line;
use crate::world::World;

/// Longer than this nobody waits for a suggestion.
const LIMIT: Duration = Duration::from_secs(2);
/// As the main thread has; templates may nest deeply.
const STACK_BYTES: usize = 8 << 20;
/// More candidates help nobody.
const MOST_CANDIDATES: usize = 2000;

/// What a shell asks.
#[derive(Debug)]
pub struct Question {
    /// The line; whether it is whole or only goes to the cursor, differs between shells.
    line: String,
    /// The cursor, in characters from the start of the line.
    cursor: usize,
    /// The part of the word at the cursor that a candidate replaces, where the shell tells: bash
    /// ends words at `=` and `:`, too.
    replaced: Option<String>,
}

/// The question in the environment, when a shell runs the program for completion.
pub fn question() -> Option<Question> {
    let line = std::env::var_os("COMP_LINE").filter(|line| !line.is_empty())?;
    let line = line.to_string_lossy().into_owned();
    let point = std::env::var("COMP_POINT").ok();
    let point = point.and_then(|point| point.parse().ok());
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    // Name of the command, word at the cursor, word before: only bash gives these.
    let replaced = match words.as_slice() {
        [_, word, _] => Some(word.to_string_lossy().into_owned()),
        _ => None,
    };
    Some(Question {
        cursor: point.unwrap_or(usize::MAX),
        line,
        replaced,
    })
}

/// Prints the candidates, one in each line; nothing else, ever.
pub fn answer(question: Question) {
    // A bug must not show up in the user's line either.
    std::panic::set_hook(Box::new(|_| {}));
    let (sender, receiver) = mpsc::channel();
    let worker = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || sender.send(candidates(&question)));
    if worker.is_err() {
        return;
    }
    // A template on a slow disk, or a bug: nothing is suggested.
    let found = receiver.recv_timeout(LIMIT).unwrap_or_default();
    let mut text = String::new();
    for candidate in found {
        text.push_str(&candidate);
        text.push('\n');
    }
    // The shell may have lost interest.
    drop(std::io::stdout().write_all(text.as_bytes()));
}

fn candidates(question: &Question) -> Vec<String> {
    let Ok(world) = World::read() else {
        return Vec::new();
    };
    let line = Line::read(&question.line, question.cursor);
    let places = Places {
        working_dir: world.working_dir.clone(),
        home: world.home(),
    };
    let mut found = position::candidates(&world, &places, &line);
    found.retain(|text| text.starts_with(&line.current.text) && !text.contains(char::is_control));
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST_CANDIDATES);
    let written = found
        .iter()
        .filter_map(|text| line.current.written(text, question.replaced.as_deref()));
    written.filter(|text| !text.is_empty()).collect()
}

/// Where file names are looked for.
#[derive(Debug)]
struct Places {
    working_dir: PathBuf,
    home: Option<PathBuf>,
}
