//! Live progress below the lines, on a terminal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use host_plugin_client::{Progress, ProgressUnit};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::color;
use crate::control::{self, Returns};
use crate::redact::Redactor;

/// The most builds that have a line of their own.
const SHOWN_BUILDS: usize = 8;
/// Time between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// One line for each running build and one for each piece of long work. Clones are the same display.
#[derive(Clone)]
pub struct Live {
    display: MultiProgress,
    redactor: Redactor,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    builds: HashMap<String, ProgressBar>,
    /// By what is downloaded.
    downloads: HashMap<String, ProgressBar>,
    work: HashMap<u64, Work>,
}

/// Long work of a build.
struct Work {
    build: String,
    bar: ProgressBar,
}

impl Live {
    pub(crate) fn new(redactor: Redactor) -> Self {
        Self {
            display: MultiProgress::new(),
            redactor,
            state: Arc::default(),
        }
    }

    /// Draws nothing until [`Live::show`], so that a prompt can be read and answered.
    pub(crate) fn hide(&self) {
        // A display that cannot be cleared is only untidy.
        drop(self.display.clear());
        self.display.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Draws again.
    pub(crate) fn show(&self) {
        self.display.set_draw_target(ProgressDrawTarget::stderr());
    }

    /// Runs `print` while the display is out of the way.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.display.suspend(print);
    }

    /// Shows a line for a build, unless there are so many that nothing else could be seen.
    pub(crate) fn begin(&self, build: &str) {
        if self.locked(|state| state.builds.len() >= SHOWN_BUILDS) {
            return;
        }
        let bar = self.display.add(ProgressBar::new_spinner());
        bar.set_style(style("{spinner} {prefix} [{elapsed}] {wide_msg}"));
        bar.set_prefix(self.redactor.clean(build));
        bar.set_message("starting");
        bar.enable_steady_tick(TICK);
        self.locked(|state| state.builds.insert(build.to_owned(), bar));
    }

    /// Tells what a build does now.
    pub(crate) fn status(&self, build: &str, text: &str) {
        self.locked(|state| {
            if let Some(bar) = state.builds.get(build) {
                bar.set_message(self.one_line(text));
            }
        });
    }

    /// Removes the line of a build, and those of work it did not end.
    pub(crate) fn end(&self, build: &str) {
        self.locked(|state| {
            let unfinished = state.work.extract_if(|_, work| work.build == build);
            for (_, work) in unfinished {
                work.bar.finish_and_clear();
            }
            if let Some(bar) = state.builds.remove(build) {
                bar.finish_and_clear();
            }
        });
    }

    /// Shows how far long work is.
    pub(crate) fn progress(&self, build: &str, progress: &Progress) {
        self.locked(|state| {
            if progress.ended {
                if let Some(work) = state.work.remove(&progress.number) {
                    work.bar.finish_and_clear();
                }
                return;
            }
            let State { builds, work, .. } = state;
            let work = work.entry(progress.number).or_insert_with(|| {
                let bar =
                    ProgressBar::with_draw_target(progress.total, ProgressDrawTarget::hidden());
                let bar = match builds.get(build) {
                    Some(line) => self.display.insert_after(line, bar),
                    None => self.display.add(bar),
                };
                bar.set_style(work_style(progress));
                let label = self.one_line(&progress.label);
                bar.set_prefix(format!("{}: {label}", self.redactor.clean(build)));
                Work {
                    build: build.to_owned(),
                    bar,
                }
            });
            if let Some(total) = progress.total
                && work.bar.length() != Some(total)
            {
                work.bar.set_style(work_style(progress));
                work.bar.set_length(total);
            }
            work.bar.set_position(progress.done);
        });
    }

    /// Shows how far a download is that belongs to no build.
    pub(crate) fn download(&self, what: &str, done: u64, total: Option<u64>) {
        self.locked(|state| {
            let bar = state.downloads.entry(what.to_owned()).or_insert_with(|| {
                let bar = self.display.add(ProgressBar::no_length());
                bar.set_style(style("{prefix} {bytes} {bytes_per_sec} {wide_bar} {eta}"));
                bar.set_prefix(self.one_line(what));
                bar
            });
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        });
    }

    /// Removes a download.
    pub(crate) fn download_ended(&self, what: &str) {
        self.locked(|state| {
            if let Some(bar) = state.downloads.remove(what) {
                bar.finish_and_clear();
            }
        });
    }

    /// A text for the display, which has one line for each thing, in no colour: it may be cut off
    /// before the colour ends.
    fn one_line(&self, text: &str) -> String {
        let text = self.redactor.clean(text);
        let text = color::unpainted(&control::without(&text, Returns::EndLines));
        self.redactor.clean(&text.replace(char::is_control, " "))
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn work_style(progress: &Progress) -> ProgressStyle {
    match (progress.unit, progress.total.is_some()) {
        (ProgressUnit::Bytes, true) => {
            style("  {prefix} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec}, {eta} left")
        }
        (ProgressUnit::Bytes, false) => style("  {prefix} {bytes} {bytes_per_sec}"),
        (ProgressUnit::Percent, _) => style("  {prefix} [{bar:24}] {percent}%, {eta} left"),
        (ProgressUnit::Items, true) => style("  {prefix} [{bar:24}] {pos}/{len}, {eta} left"),
        (ProgressUnit::Items, false) => style("  {prefix} {pos}"),
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_display_is_one_line_without_colours_and_secrets() {
        let redactor = Redactor::default();
        redactor.add("hunter2");
        redactor.add("two\tparts");
        let live = Live::new(redactor);
        for (text, expected) in [
            (
                "\u{1b}]0;owned\u{7}\u{1b}[31mred\r\nnext\u{1b}[2J",
                "red next",
            ),
            ("10%\r20%\tx", "10% 20% x"),
            ("hun\u{1b}[1mter2 hun\u{7}ter2", "<sensitive> <sensitive>"),
            ("two\tparts", "<sensitive>"),
        ] {
            assert_eq!(live.one_line(text), expected, "{text:?}");
        }
    }
}
