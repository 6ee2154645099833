//! Asking the person at the controlling terminal.

use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::os::fd::AsFd;

use host_engine::Echo;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};
use tokio::sync::oneshot;

use crate::screen::is_foreground;

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
    // Closes when nobody waits for the answer any more; the line that is typed then is another's.
    let (abandoned, _waiting) = std::io::pipe().ok()?;
    // A thread of its own: the program must be able to end without it.
    std::thread::spawn(move || {
        let mut terminal = terminal;
        let asked = terminal.write_all(format!("{prompt} ").as_bytes());
        let line = asked.and_then(|()| read_line(&mut terminal, &abandoned));
        // Nobody may be waiting any more.
        drop(answer.send(line.ok().flatten()));
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

/// Reads a line, without its end; `None` when `abandoned` closes before it has come.
fn read_line(
    terminal: &mut (impl Read + AsFd),
    abandoned: &PipeReader,
) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        // The end of a pipe is told whether it is asked for or not.
        let mut both = [
            PollFd::new(terminal, PollFlags::IN),
            PollFd::new(abandoned, PollFlags::empty()),
        ];
        match poll(&mut both, None) {
            Err(Errno::INTR) => continue,
            ready => ready?,
        };
        if !both[1].revents().is_empty() {
            return Ok(None);
        }
        // A terminal gives a line at a time, so that nothing of the next answer is taken.
        let mut piece = [0; 4096];
        let count = terminal.read(&mut piece)?;
        line.extend_from_slice(&piece[..count]);
        if count == 0 || line.ends_with(b"\n") {
            let line = String::from_utf8_lossy(&line);
            return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_come_in_pieces() {
        let (mut terminal, mut keys) = std::io::pipe().unwrap();
        let (abandoned, _waiting) = std::io::pipe().unwrap();
        let typing = std::thread::spawn(move || {
            for piece in ["ye", "s\r\n"] {
                keys.write_all(piece.as_bytes()).unwrap();
            }
        });
        let line = read_line(&mut terminal, &abandoned).unwrap();
        typing.join().unwrap();
        assert_eq!(line.as_deref(), Some("yes"));
    }

    #[test]
    fn who_stops_waiting_leaves_the_next_line_to_others() {
        let (mut terminal, mut keys) = std::io::pipe().unwrap();
        let (abandoned, waiting) = std::io::pipe().unwrap();
        let mut reader = terminal.try_clone().unwrap();
        let reading = std::thread::spawn(move || read_line(&mut reader, &abandoned).unwrap());
        drop(waiting);
        assert_eq!(reading.join().unwrap(), None);
        keys.write_all(b"mine\n").unwrap();
        let (abandoned, _waiting) = std::io::pipe().unwrap();
        let line = read_line(&mut terminal, &abandoned).unwrap();
        assert_eq!(line.as_deref(), Some("mine"));
    }
}
