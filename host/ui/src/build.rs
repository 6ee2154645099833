//! The observer of a run: events of all builds to output.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};

use futures::future::BoxFuture;
use host_diag::{Diagnostics, SourceMap, render_text};
use host_engine::{Event, Observer};
use jiff::Timestamp;
use tokio::sync::{Mutex, oneshot};

use crate::color::Color;
use crate::duration::human_duration;
use crate::live::Live;
use crate::ui::{Mode, Ui};

/// Shows the events of a run.
pub struct BuildUi {
    ui: Ui,
    colors: HashMap<String, Color>,
    timestamps: bool,
    sources: SourceMap,
    /// One prompt at a time.
    asking: Mutex<()>,
}

impl BuildUi {
    /// An observer for builds with these names, in order. `color` says whether each build gets a
    /// colour, `timestamps` whether each message gets the time.
    #[must_use]
    pub fn new(
        ui: Ui,
        builds: &[String],
        color: bool,
        timestamps: bool,
        sources: SourceMap,
    ) -> Self {
        let colors = if color && ui.mode() != Mode::Machine {
            let colored = |(index, name): (usize, &String)| (name.clone(), Color::of_build(index));
            builds.iter().enumerate().map(colored).collect()
        } else {
            HashMap::new()
        };
        Self {
            ui,
            colors,
            timestamps,
            sources,
            asking: Mutex::new(()),
        }
    }

    /// Text of a message as it is printed: every line with its target, the whole with time and
    /// colour.
    fn dress(&self, target: &str, text: &str, error: bool) -> String {
        let text = text.trim_end();
        let mut lines: Vec<String> = Vec::new();
        for line in text.split('\n') {
            lines.push(format!("==> {target}: {line}").trim_end().to_owned());
        }
        self.finish(target, lines.join("\n"), error)
    }

    /// The text with time and colour.
    fn finish(&self, target: &str, mut text: String, error: bool) -> String {
        if self.timestamps {
            let now = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%SZ", Timestamp::now());
            text = format!("{}: {text}", now.unwrap_or_default());
        }
        let build = target.split(" (").next().unwrap_or(target);
        match self.colors.get(target).or_else(|| self.colors.get(build)) {
            Some(_) if error => Color::Red.paint(&text),
            Some(color) => color.paint(&text),
            None => text,
        }
    }

    fn ended(&self, build: &str, error: Option<&str>, elapsed: std::time::Duration) {
        if let Some(live) = self.ui.live() {
            live.end(build);
        }
        let elapsed = human_duration(elapsed);
        match error {
            None => {
                let text = format!("Build '{build}' finished after {elapsed}.");
                self.ui.say(&self.finish(build, text, false));
            }
            Some(error) => {
                let text = format!("Build '{build}' errored after {elapsed}: {error}");
                self.ui.error(&self.finish(build, text, true));
            }
        }
    }

    fn diagnostics(&self, diagnostics: &Diagnostics) {
        let text = render_text(diagnostics, &self.sources);
        if diagnostics.iter().any(host_diag::Diagnostic::is_error) {
            self.ui.error(text.strip_suffix('\n').unwrap_or(&text));
        } else {
            self.ui.say(text.strip_suffix('\n').unwrap_or(&text));
        }
    }

    fn status(&self, build: &str, text: &str) {
        if let Some(live) = self.ui.live() {
            live.status(build, text);
        }
    }

    async fn read_answer(&self, prompt: &str) -> Option<String> {
        let _one_at_a_time = self.asking.lock().await;
        if self.ui.mode() == Mode::Machine {
            tracing::warn!("machine-readable output cannot ask");
            return None;
        }
        let _hidden = self.ui.live().map(Hidden::new);
        let (answer, answered) = oneshot::channel();
        let prompt = prompt.to_owned();
        // A thread of its own: it may wait for ever, and the program must be able to end without it.
        std::thread::spawn(move || {
            // Nobody may be waiting any more.
            drop(answer.send(ask_terminal(&prompt)));
        });
        answered.await.ok().flatten()
    }
}

/// Keeps the live display out of the way of a prompt.
struct Hidden<'a>(&'a Live);

impl<'a> Hidden<'a> {
    fn new(live: &'a Live) -> Self {
        live.hide();
        Self(live)
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        self.0.show();
    }
}

/// Asks at the controlling terminal; `None` when there is none, or when the program runs in its
/// background, where reading would stop it.
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

impl Observer for BuildUi {
    fn notify(&self, event: Event) {
        match event {
            Event::BuildBegun { build } => {
                if let Some(live) = self.ui.live() {
                    live.begin(&build);
                }
            }
            Event::Say { target, text } => {
                if let Some(first) = text.lines().next() {
                    self.status(&target, first);
                }
                self.ui.say(&self.dress(&target, &text, false));
            }
            Event::Error { target, text } => self.ui.error(&self.dress(&target, &text, true)),
            Event::Progress { build, progress } => {
                if let Some(live) = self.ui.live() {
                    live.progress(&build, &progress);
                }
            }
            Event::StepBegun { build, step } => self.status(&build, &step),
            Event::StepEnded {
                build,
                step,
                error,
                elapsed,
            } => {
                tracing::info!(
                    build,
                    step,
                    error,
                    elapsed_ms = elapsed.as_millis(),
                    "step ended"
                );
            }
            Event::ProvisionerBegun {
                build,
                type_name,
                index,
            } => {
                tracing::info!(build, type_name, index, "provisioner begun");
                self.status(&build, &format!("provisioner {type_name}"));
            }
            Event::ProvisionerEnded {
                build,
                type_name,
                index,
                error,
                elapsed,
            } => {
                let elapsed_ms = elapsed.as_millis();
                tracing::info!(
                    build,
                    type_name,
                    index,
                    error,
                    elapsed_ms,
                    "provisioner ended"
                );
            }
            Event::PostProcessorBegun {
                build,
                type_name,
                chain,
                index,
            } => {
                tracing::info!(build, type_name, chain, index, "post-processor begun");
                self.status(&build, &format!("post-processor {type_name}"));
            }
            Event::PostProcessorEnded {
                build,
                type_name,
                chain,
                index,
                error,
                elapsed,
            } => {
                let elapsed_ms = elapsed.as_millis();
                tracing::info!(
                    build,
                    type_name,
                    chain,
                    index,
                    error,
                    elapsed_ms,
                    "post-processor ended"
                );
            }
            Event::BuildEnded {
                build,
                error,
                elapsed,
                ..
            } => {
                self.ended(&build, error.as_deref(), elapsed);
            }
            Event::Diagnostics(diagnostics) => self.diagnostics(&diagnostics),
        }
    }

    fn ask(&self, build: &str, prompt: &str) -> BoxFuture<'_, Option<String>> {
        let prompt = self.ui.redactor().clean(&self.dress(build, prompt, false));
        Box::pin(async move { self.read_answer(&prompt).await })
    }

    fn secret(&self, value: &str) {
        self.ui.redactor().add(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;
    use crate::ui::capture::Capture;

    fn check(color: bool, timestamps: bool, event: Event, expected: &str) {
        let capture = Capture::default();
        let ui = Ui::to(Mode::Lines, Redactor::default(), Box::new(capture.clone()));
        let builds = ["null.a".to_owned()];
        let build_ui = BuildUi::new(ui, &builds, color, timestamps, SourceMap::default());
        build_ui.notify(event);
        assert_eq!(capture.text(), expected);
    }

    fn say(text: &str) -> Event {
        Event::Say {
            target: "null.a".into(),
            text: text.into(),
        }
    }

    #[test]
    fn every_line_gets_its_target_and_the_end_is_trimmed() {
        check(
            false,
            false,
            say("one\n\ntwo \n\n"),
            "==> null.a: one\n==> null.a:\n==> null.a: two\n",
        );
    }

    #[test]
    fn one_pair_of_colour_codes_spans_the_message() {
        let expected = "\u{1b}[1;32m==> null.a: a\n==> null.a: b\u{1b}[0m\n";
        check(true, false, say("a\nb"), expected);
        let error = Event::Error {
            target: "null.a (compress)".into(),
            text: "bad".into(),
        };
        check(
            true,
            false,
            error,
            "\u{1b}[1;31m==> null.a (compress): bad\u{1b}[0m\n",
        );
    }

    #[test]
    fn secrets_do_not_reach_the_output() {
        let capture = Capture::default();
        let ui = Ui::to(
            Mode::Machine,
            Redactor::default(),
            Box::new(capture.clone()),
        );
        let build_ui = BuildUi::new(ui, &[], true, false, SourceMap::default());
        build_ui.secret("hunter2");
        build_ui.notify(say("password is hunter2"));
        assert!(
            capture
                .text()
                .ends_with(",ui,say,==> null.a: password is <sensitive>\n")
        );
    }
}
