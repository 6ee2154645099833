//! The observer of a run: events of all builds to output.

use std::collections::HashMap;
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use host_diag::SourceMap;
use host_engine::{Echo, Event, Observer, Progress};
use tokio::sync::Mutex;

use crate::ask;
use crate::color::Color;
use crate::dress::Dress;
use crate::duration::human_duration;
use crate::event_line::EventLine;
use crate::live::Live;
use crate::record::record;
use crate::timings::Timings;
use crate::ui::{Mode, Ui, log};

/// Programs hear of progress not more often than this.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Shows the events of a run.
pub struct BuildUi {
    ui: Ui,
    dress: Dress,
    sources: SourceMap,
    timings: Timings,
    /// When programs heard of a piece of work last.
    heard: StdMutex<HashMap<u64, Instant>>,
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
        let colors = if color && matches!(ui.mode(), Mode::Lines | Mode::Terminal) {
            let colored = |(index, name): (usize, &String)| (name.clone(), Color::of_build(index));
            builds.iter().enumerate().map(colored).collect()
        } else {
            HashMap::new()
        };
        Self {
            ui,
            dress: Dress { colors, timestamps },
            sources,
            timings: Timings::default(),
            heard: StdMutex::default(),
            asking: Mutex::new(()),
        }
    }

    pub(crate) fn ui(&self) -> &Ui {
        &self.ui
    }

    pub(crate) fn timings(&self) -> &Timings {
        &self.timings
    }

    /// Shows an event to people.
    fn show(&self, event: Event) {
        match event {
            Event::BuildBegun { build } => {
                if let Some(live) = self.ui.live() {
                    live.begin(&build);
                }
            }
            Event::Say { target, text } => {
                let text = self.ui.plain(&text);
                if let Some(first) = text.lines().next() {
                    self.status(&target, first);
                }
                self.ui.say(&self.dress.message(&target, &text, false));
            }
            Event::Error { target, text } => {
                let text = self.ui.plain(&text);
                self.ui.error(&self.dress.message(&target, &text, true));
            }
            Event::Progress { build, progress } => {
                if let Some(live) = self.ui.live() {
                    live.progress(&build, &progress);
                }
            }
            Event::StepBegun { build, step } => self.status(&build, &step),
            Event::ProvisionerBegun {
                build, type_name, ..
            } => self.status(&build, &format!("provisioner {type_name}")),
            Event::PostProcessorBegun {
                build, type_name, ..
            } => self.status(&build, &format!("post-processor {type_name}")),
            Event::BuildEnded {
                build,
                error,
                elapsed,
                ..
            } => self.ended(&build, error.as_deref(), elapsed),
            Event::Diagnostics(diagnostics) => self.ui.diagnostics(&diagnostics, &self.sources),
            Event::StepEnded { .. }
            | Event::ProvisionerEnded { .. }
            | Event::PostProcessorEnded { .. } => {}
        }
    }

    /// Tells an event to a program.
    fn tell(&self, event: &Event) {
        match event {
            Event::Say { target, text } => log("say", &format!("{target}: {text}")),
            Event::Error { target, text } => log("error", &format!("{target}: {text}")),
            Event::Progress { progress, .. } if !self.is_due(progress) => return,
            Event::Diagnostics(diagnostics) => {
                self.ui.diagnostics(diagnostics, &self.sources);
                return;
            }
            _ => {}
        }
        self.ui.event(&EventLine::of(event, &self.sources));
    }

    /// Whether programs shall hear of this report: the first, the last, and some in between.
    fn is_due(&self, progress: &Progress) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.ended {
            heard.remove(&progress.number);
            return true;
        }
        let now = Instant::now();
        let recent = |last: &Instant| now.duration_since(*last) < PROGRESS_INTERVAL;
        if heard.get(&progress.number).is_some_and(recent) {
            return false;
        }
        heard.insert(progress.number, now);
        true
    }

    fn ended(&self, build: &str, error: Option<&str>, elapsed: Duration) {
        if let Some(live) = self.ui.live() {
            live.end(build);
        }
        let elapsed = human_duration(elapsed);
        match error {
            None => {
                let text = format!("Build '{build}' finished after {elapsed}.");
                self.ui.say(&self.dress.whole(build, text, false));
            }
            Some(error) => {
                let error = self.ui.plain(error);
                let text = format!("Build '{build}' errored after {elapsed}: {error}");
                self.ui.error(&self.dress.whole(build, text, true));
            }
        }
    }

    fn status(&self, build: &str, text: &str) {
        if let Some(live) = self.ui.live() {
            live.status(build, text);
        }
    }

    async fn read_answer(&self, build: &str, prompt: &str, echo: Echo) -> Option<String> {
        let _one_at_a_time = self.asking.lock().await;
        match self.ui.mode() {
            Mode::Machine => {
                tracing::warn!("machine-readable output cannot ask");
                None
            }
            Mode::Json => {
                self.ui.event(&EventLine::question(build, prompt));
                None
            }
            Mode::Lines | Mode::Terminal => {
                let prompt = self.dress.message(build, &self.ui.plain(prompt), false);
                let _hidden = self.ui.live().map(Hidden::new);
                ask::ask(self.ui.redactor().clean(&prompt), echo).await
            }
        }
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

impl Observer for BuildUi {
    fn notify(&self, event: Event) {
        self.timings.note(&event);
        record(&event);
        if self.ui.mode() == Mode::Json {
            self.tell(&event);
        } else {
            self.show(event);
        }
    }

    fn ask(&self, build: &str, prompt: &str, echo: Echo) -> BoxFuture<'_, Option<String>> {
        let (build, prompt) = (build.to_owned(), prompt.to_owned());
        Box::pin(async move { self.read_answer(&build, &prompt, echo).await })
    }

    fn secret(&self, value: &str) {
        self.ui.redactor().add(value);
    }
}

#[cfg(test)]
mod tests {
    use host_engine::ProgressUnit;

    use super::*;
    use crate::redact::Redactor;
    use crate::ui::capture::Capture;

    fn run(mode: Mode, events: Vec<Event>) -> String {
        let capture = Capture::default();
        let ui = Ui::to(mode, Redactor::default(), Box::new(capture.clone()));
        let build_ui = BuildUi::new(ui, &[], true, false, SourceMap::default());
        build_ui.secret("hunter2");
        for event in events {
            build_ui.notify(event);
        }
        capture.text()
    }

    fn say(text: &str) -> Event {
        Event::Say {
            target: "null.a".into(),
            text: text.into(),
        }
    }

    #[test]
    fn secrets_do_not_reach_the_output() {
        let text = run(Mode::Machine, vec![say("password is hunter2")]);
        let end = ",ui,say,==> null.a: password is <sensitive>\n";
        assert!(text.ends_with(end), "{text}");
    }

    #[test]
    fn a_secret_in_a_long_diagnostic_is_not_broken_in_two() {
        let capture = Capture::default();
        let ui = Ui::to(Mode::Lines, Redactor::default(), Box::new(capture.clone()));
        let secret = "correct horse battery staple";
        ui.redactor().add(secret);
        let long = format!("{} {secret}", "word ".repeat(12));
        let problem = host_diag::Diagnostic::error("A problem")
            .detail(long.clone())
            .hint(long);
        ui.diagnostics(&[problem].into_iter().collect(), &SourceMap::default());
        let text = capture.text();
        assert_eq!(text.matches("<sensitive>").count(), 2, "{text}");
        assert!(!text.contains("horse"), "{text}");
    }

    #[test]
    fn programs_hear_of_the_first_and_the_last_report_of_fast_work() {
        let report = |done, ended| Event::Progress {
            build: "null.a".into(),
            progress: Progress {
                number: 1,
                label: "copying hunter2".into(),
                done,
                total: Some(1000),
                unit: ProgressUnit::Bytes,
                ended,
            },
        };
        let mut events: Vec<Event> = (0..1000).map(|done| report(done, false)).collect();
        events.push(report(1000, true));
        let text = run(Mode::Json, events);
        assert!(text.lines().count() < 100, "{text}");
        assert!(text.contains(r#""done":0,"#), "{text}");
        let last = text.lines().last().unwrap_or_default();
        for part in [
            r#""done":1000"#,
            r#""ended":true"#,
            r#""label":"copying <sensitive>""#,
        ] {
            assert!(last.contains(part), "{text}");
        }
    }

    #[test]
    fn what_plugins_say_cannot_change_the_terminal() {
        let tricks = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31mred\r\nfake: line\rover";
        let error = || Event::Error {
            target: "null.a".into(),
            text: tricks.into(),
        };
        let ended = || Event::BuildEnded {
            build: "null.a".into(),
            error: Some("a\u{1b}[1Ab".into()),
            cancelled: false,
            elapsed: Duration::ZERO,
        };
        let lines = "==> null.a: \u{1b}[31mred\n==> null.a: fake: line\n==> null.a: over\n";
        for mode in [Mode::Lines, Mode::Terminal] {
            let text = run(mode, vec![say(tricks), error(), ended()]);
            assert!(text.starts_with(&lines.repeat(2)), "{mode:?}: {text:?}");
            assert!(text.ends_with(": ab\n"), "{mode:?}: {text:?}");
        }
        let text = run(Mode::Machine, vec![say(tricks), ended()]);
        let said = ",ui,say,==> null.a: \u{1b}[31mred\\n==> null.a: fake: line\\rover\n";
        assert!(text.contains(said), "{text:?}");
        assert!(text.ends_with(": ab\n"), "{text:?}");
        let text = run(Mode::Json, vec![say(&format!("{tricks}\u{9b}2J"))]);
        let bytes = text.trim_end();
        assert!(!bytes.contains(char::is_control), "{text:?}");
        let event: serde_json::Value = serde_json::from_str(bytes).unwrap();
        assert_eq!(event["text"], format!("{tricks}\u{9b}2J"));
    }

    #[test]
    fn a_secret_with_control_characters_in_it_is_none_the_less_secret() {
        for text in ["hun\u{7}ter2", "\u{1b}[2Jhun\u{1b}[2Kter2", "hunter2\u{8}"] {
            let shown = run(Mode::Lines, vec![say(text)]);
            assert_eq!(shown, "==> null.a: <sensitive>\n", "{text:?}");
        }
    }

    #[test]
    fn problems_that_plugins_find_cannot_change_the_terminal() {
        let problem = host_diag::Diagnostic::error("A\u{1b}[2J problem")
            .detail("with\u{7} detail")
            .hint("and a\u{1b}]0;x\u{7} hint".to_owned());
        let found = Event::Diagnostics([problem].into_iter().collect());
        let text = run(Mode::Lines, vec![found]);
        for part in ["A problem", "with detail", "and a hint"] {
            assert!(text.contains(part), "{text:?}");
        }
    }
}
