//! How long builds and their parts took.

use std::cmp::Reverse;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use host_engine::Event;

/// Columns of the names in the table.
const NAME_WIDTH: usize = 44;

/// Collects what the events of a run say about time.
#[derive(Debug, Default)]
pub(crate) struct Timings(Mutex<Vec<Build>>);

#[derive(Debug)]
struct Build {
    name: String,
    begun: Instant,
    elapsed: Option<Duration>,
    /// In the order in which they began.
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    kind: Kind,
    name: String,
    begun: Instant,
    /// Whether a step was under way when it began.
    inside: bool,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Step,
    Provisioner,
    PostProcessor,
}

#[derive(Clone, Copy, Debug)]
struct End {
    elapsed: Duration,
    failed: bool,
}

impl Timings {
    /// Takes from an event what it says about time.
    pub(crate) fn note(&self, event: &Event) {
        match event {
            Event::BuildBegun { build } => self.locked(|builds| {
                builds.push(Build {
                    name: build.clone(),
                    begun: Instant::now(),
                    elapsed: None,
                    parts: Vec::new(),
                });
            }),
            Event::BuildEnded { build, elapsed, .. } => {
                self.locked(|builds| {
                    let running = running(builds, build);
                    let ended = running.min_by_key(|build| {
                        let is_at_work = build.parts.iter().any(|part| part.end.is_none());
                        let off = build.begun.elapsed().abs_diff(*elapsed);
                        (is_at_work, Reverse(build.parts.len()), off)
                    });
                    if let Some(ended) = ended {
                        ended.elapsed = Some(*elapsed);
                    }
                });
            }
            Event::StepBegun { build, step } => self.begin(build, Kind::Step, step),
            Event::StepEnded {
                build,
                step,
                error,
                elapsed,
            } => self.end(build, Kind::Step, step, error.is_some(), *elapsed),
            Event::ProvisionerBegun {
                build, type_name, ..
            } => self.begin(build, Kind::Provisioner, type_name),
            Event::ProvisionerEnded {
                build,
                type_name,
                error,
                elapsed,
                ..
            } => self.end(
                build,
                Kind::Provisioner,
                type_name,
                error.is_some(),
                *elapsed,
            ),
            Event::PostProcessorBegun {
                build, type_name, ..
            } => self.begin(build, Kind::PostProcessor, type_name),
            Event::PostProcessorEnded {
                build,
                type_name,
                error,
                elapsed,
                ..
            } => {
                let kind = Kind::PostProcessor;
                self.end(build, kind, type_name, error.is_some(), *elapsed);
            }
            Event::Say { .. }
            | Event::Error { .. }
            | Event::Progress { .. }
            | Event::Diagnostics(_) => {}
        }
    }

    /// Builds of the same name do the same things in the same order: the part is taken for one of
    /// that which is not in such a part already, has had it least often, and is the furthest then.
    fn begin(&self, build: &str, kind: Kind, name: &str) {
        self.locked(|builds| {
            let is_busy = |build: &Build| match kind {
                Kind::Provisioner => build.is_in(kind) || !build.is_in(Kind::Step),
                Kind::Step | Kind::PostProcessor => build.is_in(kind),
            };
            let fitting = running(builds, build).min_by_key(|build| {
                let same = |part: &&Part| part.kind == kind && part.name == name;
                let times = build.parts.iter().filter(same).count();
                (is_busy(build), times, Reverse(build.parts.len()))
            });
            let Some(build) = fitting else { return };
            let inside = build.is_in(Kind::Step);
            build.parts.push(Part {
                kind,
                name: name.to_owned(),
                begun: Instant::now(),
                inside,
                end: None,
            });
        });
    }

    fn end(&self, build: &str, kind: Kind, name: &str, failed: bool, elapsed: Duration) {
        self.locked(|builds| {
            let open =
                |part: &&mut Part| part.kind == kind && part.name == name && part.end.is_none();
            let parts = running(builds, build).flat_map(|build| build.parts.iter_mut().rev());
            // What began that long ago, as nearly as can be told.
            let off = |part: &&mut Part| part.begun.elapsed().abs_diff(elapsed);
            if let Some(part) = parts.filter(open).min_by_key(off) {
                part.end = Some(End { elapsed, failed });
            }
        });
    }

    /// A table for people: builds in the order in which they began, each with its parts; `None`
    /// when nothing ran.
    pub(crate) fn table(&self) -> Option<String> {
        let lines: Vec<String> = self.locked(|builds| builds.iter().flat_map(rows).collect());
        (!lines.is_empty()).then(|| format!("\n==> Timings:\n{}", lines.join("\n")))
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Vec<Build>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Build {
    /// Whether a part of this kind is under way.
    fn is_in(&self, kind: Kind) -> bool {
        let open = |part: &Part| part.kind == kind && part.end.is_none();
        self.parts.iter().any(open)
    }
}

/// The builds of this name that have not ended: there may be several.
fn running<'b>(builds: &'b mut [Build], name: &str) -> impl Iterator<Item = &'b mut Build> {
    builds
        .iter_mut()
        .filter(move |build| build.elapsed.is_none() && build.name == name)
}

fn rows(build: &Build) -> Vec<String> {
    let parts = build.parts.iter().map(|part| {
        let indent = if part.inside { "        " } else { "      " };
        let failed = part.end.is_some_and(|end| end.failed);
        let name = match part.kind {
            Kind::Step => format!("{indent}step {}", part.name),
            Kind::Provisioner => format!("{indent}provisioner {}", part.name),
            Kind::PostProcessor => format!("{indent}post-processor {}", part.name),
        };
        let mark = if failed { "  failed" } else { "" };
        format!("{}{mark}", row(&name, part.end.map(|end| end.elapsed)))
    });
    std::iter::once(row(&format!("    {}", build.name), build.elapsed))
        .chain(parts)
        .collect()
}

fn row(name: &str, elapsed: Option<Duration>) -> String {
    let time = elapsed.map_or_else(|| "did not end".to_owned(), clock);
    format!("{name:<NAME_WIDTH$} {time:>11}")
}

/// `1.3 s`, `2 min 05 s`, `1 h 02 min`.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.1} s", elapsed.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_under_their_build_in_the_order_they_began() {
        let timings = Timings::default();
        let build = || "null.a".to_owned();
        let seconds = Duration::from_secs;
        for event in [
            Event::BuildBegun { build: build() },
            Event::StepBegun {
                build: build(),
                step: "StepProvision".into(),
            },
            Event::ProvisionerBegun {
                build: build(),
                type_name: "shell".into(),
                index: Some(0),
            },
            Event::ProvisionerEnded {
                build: build(),
                type_name: "shell".into(),
                index: Some(0),
                error: Some("no".into()),
                elapsed: Duration::from_millis(1250),
            },
            Event::StepEnded {
                build: build(),
                step: "StepProvision".into(),
                error: Some("no".into()),
                elapsed: seconds(65),
            },
            Event::BuildEnded {
                build: build(),
                error: None,
                cancelled: false,
                elapsed: seconds(3725),
            },
        ] {
            timings.note(&event);
        }
        let expected = [
            "",
            "==> Timings:",
            "    null.a                                      1 h 02 min",
            "      step StepProvision                      1 min 05 s  failed",
            "        provisioner shell                          1.2 s  failed",
        ];
        let table = timings.table().unwrap();
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found: Vec<String> = table.lines().map(squeezed).collect();
        let expected: Vec<String> = expected.iter().map(|line| squeezed(line)).collect();
        assert_eq!(found, expected, "{table}");
    }

    /// What the table says of two builds of the same name when these things happen: a letter for
    /// each step, large when it begins and small when it ends, `>` and `<` for the builds.
    fn of_twins(happens: &str) -> String {
        let timings = Timings::default();
        for what in happens.chars() {
            let (build, step) = ("null.a".to_owned(), what.to_ascii_uppercase().to_string());
            timings.note(&match what {
                '>' => Event::BuildBegun { build },
                '<' => Event::BuildEnded {
                    build,
                    error: None,
                    cancelled: false,
                    elapsed: Duration::ZERO,
                },
                'A'..='Z' => Event::StepBegun { build, step },
                _ => Event::StepEnded {
                    build,
                    step,
                    error: None,
                    elapsed: Duration::ZERO,
                },
            });
        }
        let table = timings.table().unwrap();
        let lines = table.lines().skip(2);
        let words = lines.flat_map(str::split_whitespace);
        let kept = words.filter(|word| !matches!(*word, "step" | "0.0" | "s"));
        kept.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn builds_of_the_same_name_all_end_and_have_all_their_parts() {
        let whole = "null.a A B null.a A B";
        for happens in [
            ">>AAaaBBbb<<",
            ">>AaBAaBbb<<",
            ">>AaBb<AaBb<",
            ">>AAaBaBb<b<",
            ">AaB>Aab<Bb<",
        ] {
            assert_eq!(of_twins(happens), whole, "{happens}");
        }
        let half = of_twins(">>AAa<");
        assert_eq!(half.matches("null.a A").count(), 1, "{half}");
        assert_eq!(half.matches("did not end").count(), 2, "{half}");
    }

    #[test]
    fn without_builds_there_is_no_table() {
        assert_eq!(Timings::default().table(), None);
    }
}
