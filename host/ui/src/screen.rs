//! The terminal as the live display sees it: nothing is drawn from the background.
//!
//! A shell gives the terminal to one job at a time. A display that a background job draws stands in
//! the middle of what somebody types.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;
use rustix::termios::tcgetpgrp;

/// Whether the program runs in the foreground of this terminal: may change it, draw on it and read
/// from it without being in the way or being stopped.
#[must_use]
pub fn is_foreground(terminal: impl AsFd) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// A terminal that is only drawn on while `allowed` says so.
pub(crate) struct Screen<T, A> {
    terminal: T,
    allowed: A,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the picture that is being drawn is shown; it is decided once for each.
    shown: Option<bool>,
    /// Whether the last picture was: otherwise there is nothing of it to go back over.
    drawn: bool,
}

impl<T, A: Fn() -> bool> Screen<T, A> {
    pub(crate) fn new(terminal: T, allowed: A) -> Self {
        Self {
            terminal,
            allowed,
            state: Mutex::default(),
        }
    }

    /// The state, when the picture is shown.
    fn shown(&self) -> Option<MutexGuard<'_, State>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = *state.shown.get_or_insert_with(&self.allowed);
        shown.then_some(state)
    }

    /// Draws something new.
    fn draw(&self, draw: impl FnOnce(&T) -> io::Result<()>) -> io::Result<()> {
        match self.shown() {
            Some(_shown) => draw(&self.terminal),
            None => Ok(()),
        }
    }

    /// Goes over what was drawn before.
    fn go_back(&self, go: impl FnOnce(&T) -> io::Result<()>) -> io::Result<()> {
        match self.shown() {
            Some(state) if state.drawn => go(&self.terminal),
            _ => Ok(()),
        }
    }
}

impl<T, A> fmt::Debug for Screen<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").finish_non_exhaustive()
    }
}

impl<T: TermLike, A: Fn() -> bool + Send + Sync> TermLike for Screen<T, A> {
    fn width(&self) -> u16 {
        self.terminal.width()
    }

    fn height(&self) -> u16 {
        self.terminal.height()
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go_back(|terminal| terminal.move_cursor_up(n))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go_back(|terminal| terminal.move_cursor_down(n))
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go_back(|terminal| terminal.move_cursor_right(n))
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go_back(|terminal| terminal.move_cursor_left(n))
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.draw(|terminal| terminal.write_line(text))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.draw(|terminal| terminal.write_str(text))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.go_back(TermLike::clear_line)
    }

    fn flush(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(shown) = state.shown.take() else {
            return Ok(());
        };
        state.drawn = shown;
        match shown {
            true => self.terminal.flush(),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Recorder(Arc<Mutex<String>>);

    impl Recorder {
        fn note(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
    }

    impl TermLike for Recorder {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            self.note(&format!("<up {n}>"))
        }

        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.note(&format!("<down {n}>"))
        }

        fn move_cursor_right(&self, n: usize) -> io::Result<()> {
            self.note(&format!("<right {n}>"))
        }

        fn move_cursor_left(&self, n: usize) -> io::Result<()> {
            self.note(&format!("<left {n}>"))
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.note(&format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.note("<clear>")
        }

        fn flush(&self) -> io::Result<()> {
            self.note("|")
        }
    }

    #[test]
    fn nothing_is_drawn_from_the_background_and_nothing_of_others_is_erased_after_it() {
        let (recorder, allowed) = (Recorder::default(), Arc::new(AtomicBool::new(true)));
        let screen = Screen::new(recorder.clone(), {
            let allowed = Arc::clone(&allowed);
            move || allowed.load(Ordering::Relaxed)
        });
        let picture = |name: &str| {
            screen.move_cursor_up(1).unwrap();
            screen.clear_line().unwrap();
            screen.write_str(name).unwrap();
            // A change in the middle of a picture is for the next one.
            allowed.store(name == "one" || name == "four", Ordering::Relaxed);
            screen.flush().unwrap();
        };
        for name in ["one", "two", "three"] {
            picture(name);
        }
        allowed.store(true, Ordering::Relaxed);
        for name in ["four", "five"] {
            picture(name);
        }
        let text = recorder.0.lock().unwrap().clone();
        assert_eq!(text, "one|<up 1><clear>two|four|<up 1><clear>five|");
    }
}
