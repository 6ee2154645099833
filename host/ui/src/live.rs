//! Live progress below the lines, on a terminal.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::Term;
use host_plugin_client::{Progress, ProgressUnit};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::color;
use crate::control::{self, Returns};
use crate::redact::Redactor;
use crate::screen::{Screen, is_foreground};

/// The most builds that have a line of their own.
const SHOWN_BUILDS: usize = 8;
/// Time between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(120);
/// Pictures a second, at most.
const PICTURES: u8 = 20;

/// One line for each running build and one for each piece of long work. Clones are the same display.
#[derive(Clone)]
pub struct Live {
    display: MultiProgress,
    redactor: Redactor,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Those that run, in the order in which they began. Two may have the same name: nothing tells
    /// them apart, so what one of them does is shown for both.
    builds: Vec<Build>,
    /// Says how many builds have no line.
    more: Option<ProgressBar>,
    /// By what is downloaded.
    downloads: HashMap<String, ProgressBar>,
    work: HashMap<u64, Work>,
}

/// A running build.
struct Build {
    name: String,
    begun: Instant,
    doing: String,
    /// Its line, when there is room for one.
    line: Option<ProgressBar>,
}

/// Long work of a build.
struct Work {
    build: String,
    bar: ProgressBar,
}

impl Live {
    pub(crate) fn new(redactor: Redactor) -> Self {
        Self {
            display: MultiProgress::with_draw_target(target()),
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
        self.display.set_draw_target(target());
    }

    /// Runs `print` while the display is out of the way.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.display.suspend(print);
    }

    /// Shows a line for a build, when there is room for one.
    pub(crate) fn begin(&self, build: &str) {
        self.locked(|state| {
            state.builds.push(Build {
                name: build.to_owned(),
                begun: Instant::now(),
                doing: "starting".to_owned(),
                line: None,
            });
            self.fill(state);
        });
    }

    /// Tells what a build does now.
    pub(crate) fn status(&self, build: &str, text: &str) {
        self.locked(|state| {
            for known in state.builds.iter_mut().filter(|known| known.name == build) {
                known.doing = self.one_line(text);
                if let Some(line) = &known.line {
                    line.set_message(known.doing.clone());
                }
            }
        });
    }

    /// Removes the line of a build, and those of work it did not end; the next build gets its place.
    pub(crate) fn end(&self, build: &str) {
        self.locked(|state| {
            let Some(at) = state.builds.iter().position(|known| known.name == build) else {
                return;
            };
            let ended = state.builds.remove(at);
            if !state.builds.iter().any(|known| known.name == build) {
                let unfinished = state.work.extract_if(|_, work| work.build == build);
                for (_, work) in unfinished {
                    work.bar.finish_and_clear();
                }
            }
            if let Some(line) = ended.line {
                line.finish_and_clear();
            }
            self.fill(state);
        });
    }

    /// Gives lines to the builds that have waited longest for one, and says how many are left.
    fn fill(&self, state: &mut State) {
        for build in state.builds.iter_mut().take(SHOWN_BUILDS) {
            build.line.get_or_insert_with(|| {
                let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
                let line = line.with_elapsed(build.begun.elapsed());
                let line = match &state.more {
                    Some(more) => self.display.insert_before(more, line),
                    None => self.display.add(line),
                };
                line.set_style(style("{spinner} {prefix} [{elapsed}] {wide_msg}"));
                line.set_prefix(self.redactor.clean(&build.name));
                line.set_message(build.doing.clone());
                line.enable_steady_tick(TICK);
                line
            });
        }
        let hidden = state.builds.len().saturating_sub(SHOWN_BUILDS);
        if hidden == 0 {
            if let Some(more) = state.more.take() {
                more.finish_and_clear();
            }
            return;
        }
        let more = state.more.get_or_insert_with(|| {
            let more = self.display.add(ProgressBar::no_length());
            more.set_style(style("  {msg}"));
            more
        });
        more.set_message(format!("+{hidden} more"));
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
            let mut lines = builds.iter().filter(|known| known.name == build);
            // There is no room for the work of a build that has no line itself.
            let Some(line) = lines.find_map(|known| known.line.as_ref()) else {
                return;
            };
            let work = work.entry(progress.number).or_insert_with(|| {
                let bar =
                    ProgressBar::with_draw_target(progress.total, ProgressDrawTarget::hidden());
                let bar = self.display.insert_after(line, bar);
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

/// Where the display is drawn: on a terminal, as long as the program is in its foreground.
fn target() -> ProgressDrawTarget {
    if !std::io::stderr().is_terminal() {
        return ProgressDrawTarget::hidden();
    }
    let screen = Screen::new(Term::buffered_stderr(), || is_foreground(std::io::stderr()));
    ProgressDrawTarget::term_like_with_hz(Box::new(screen), PICTURES)
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

    /// What the display shows of builds.
    fn shown(live: &Live) -> Vec<String> {
        live.locked(|state| {
            let lines = state.builds.iter().filter_map(|build| build.line.as_ref());
            let texts = lines.map(|line| format!("{}: {}", line.prefix(), line.message()));
            let more = state.more.iter().map(ProgressBar::message);
            texts.chain(more).collect()
        })
    }

    #[test]
    fn builds_that_had_to_wait_for_a_line_get_one_in_their_order() {
        let live = Live::new(Redactor::default());
        for number in 0..11 {
            live.begin(&format!("null.{number}"));
        }
        let of = |numbers: &[usize]| -> Vec<String> {
            let lines = numbers.iter();
            lines.map(|one| format!("null.{one}: starting")).collect()
        };
        let first = [of(&[0, 1, 2, 3, 4, 5, 6, 7]), vec!["+3 more".to_owned()]].concat();
        assert_eq!(shown(&live), first);
        live.status("null.9", "at work");
        live.end("null.3");
        live.end("null.10");
        let next = [of(&[0, 1, 2, 4, 5, 6, 7, 8]), vec!["+1 more".to_owned()]].concat();
        assert_eq!(shown(&live), next);
        live.end("null.0");
        let last = [
            of(&[1, 2, 4, 5, 6, 7, 8]),
            vec!["null.9: at work".to_owned()],
        ]
        .concat();
        assert_eq!(shown(&live), last);
    }

    #[test]
    fn the_work_of_a_build_without_a_line_is_shown_when_it_has_one() {
        let live = Live::new(Redactor::default());
        for number in 0..9 {
            live.begin(&format!("null.{number}"));
        }
        let progress = |done| Progress {
            number: 1,
            label: "copying".into(),
            done,
            total: Some(10),
            unit: ProgressUnit::Bytes,
            ended: false,
        };
        let work = || live.locked(|state| state.work.len());
        live.progress("null.8", &progress(1));
        assert_eq!(work(), 0);
        live.end("null.0");
        live.progress("null.8", &progress(2));
        assert_eq!(work(), 1);
        live.end("null.8");
        assert_eq!(work(), 0);
    }

    #[test]
    fn builds_of_the_same_name_have_a_line_each_until_they_end() {
        let live = Live::new(Redactor::default());
        live.begin("null.a");
        live.begin("null.a");
        live.end("null.a");
        live.status("null.a", "at work");
        assert_eq!(shown(&live), ["null.a: at work"]);
        live.end("null.a");
        assert_eq!(shown(&live), [] as [&str; 0]);
    }

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
