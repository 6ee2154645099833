//! Asking the person at the controlling terminal.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};

use host_engine::Echo;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcgetpgrp, tcsetattr,
};
use tokio::sync::oneshot;

/// Switches a key of the terminal off (POSIX' `_POSIX_VDISABLE`).
const NO_KEY: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// Prints the prompt and gives the line that was typed, without its end; `None` when there is no
/// terminal, or when the program runs in its background, where reading would stop it. A terminal
/// that was made not to show the answer shows what is typed again when this ends or is dropped.
pub(crate) async fn ask(prompt: String, echo: Echo) -> Option<String> {
    let terminal = open()?;
    // Before the prompt is seen, so that nobody types too early.
    let _silence = match echo {
        Echo::Shown => None,
        Echo::Hidden => Some(Silence::over(terminal.try_clone().ok()?)?),
    };
    let (answer, answered) = oneshot::channel();
    // A thread of its own: it may wait for ever, and the program must be able to end without it.
    std::thread::spawn(move || {
        // Nobody may be waiting any more.
        drop(answer.send(read_line(terminal, &prompt)));
    });
    answered.await.ok().flatten()
}

/// The controlling terminal, when the program is in its foreground.
fn open() -> Option<File> {
    let terminal = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    is_foreground(&terminal).then_some(terminal)
}

/// Whether the program may change the terminal and read from it without being stopped.
fn is_foreground(terminal: &File) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

fn read_line(mut terminal: File, prompt: &str) -> Option<String> {
    terminal.write_all(format!("{prompt} ").as_bytes()).ok()?;
    terminal.flush().ok()?;
    let mut line = String::new();
    BufReader::new(terminal).read_line(&mut line).ok()?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    /// `None` when the terminal refuses: then nobody may be asked for a secret.
    fn over(terminal: File) -> Option<Self> {
        let before = tcgetattr(&terminal).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // The end of the line is shown; otherwise what follows would stand behind the prompt.
        silent.local_modes.insert(LocalModes::ECHONL);
        // The keys that would end or stop the program without a chance to undo this.
        silent.special_codes[SpecialCodeIndex::VQUIT] = NO_KEY;
        silent.special_codes[SpecialCodeIndex::VSUSP] = NO_KEY;
        tcsetattr(&terminal, OptionalActions::Now, &silent).ok()?;
        let silence = Self { terminal, before };
        // What was typed before was seen; it is no answer.
        tcflush(&silence.terminal, QueueSelector::IFlush).ok()?;
        Some(silence)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if !is_foreground(&self.terminal) {
            // It belongs to a shell again, which has its own modes; changing them would stop us.
            return;
        }
        if let Err(error) = tcsetattr(&self.terminal, OptionalActions::Now, &self.before) {
            tracing::warn!(%error, "the terminal may not show what is typed; `stty sane` mends it");
        }
    }
}
