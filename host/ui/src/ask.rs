//! Asking the person at the controlling terminal.

use std::io::{BufRead, BufReader, Write};

use tokio::sync::oneshot;

/// Prints the prompt and gives the line that was typed, without its end; `None` when there is no
/// terminal, or when the program runs in its background, where reading would stop it.
pub(crate) async fn ask(prompt: String) -> Option<String> {
    let (answer, answered) = oneshot::channel();
    // A thread of its own: it may wait for ever, and the program must be able to end without it.
    std::thread::spawn(move || {
        // Nobody may be waiting any more.
        drop(answer.send(ask_terminal(&prompt)));
    });
    answered.await.ok().flatten()
}

fn ask_terminal(prompt: &str) -> Option<String> {
    let mut terminal = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    let foreground = rustix::termios::tcgetpgrp(&terminal).ok()?;
    if foreground != rustix::process::getpgrp() {
        return None;
    }
    terminal.write_all(format!("{prompt} ").as_bytes()).ok()?;
    terminal.flush().ok()?;
    let mut line = String::new();
    BufReader::new(terminal).read_line(&mut line).ok()?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}
