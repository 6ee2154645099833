//! What is told when all builds have ended.

use std::time::Duration;

use host_engine::{Artifact, Outcome};

use crate::build::BuildUi;
use crate::duration::human_duration;
use crate::event_line::EventLine;
use crate::ui::{Mode, Ui};

/// Prints the summary of a run that took `elapsed`; `interrupted` when it was cancelled. Returns
/// whether everything succeeded.
pub fn summarize(
    observer: &BuildUi,
    outcomes: &[Outcome],
    elapsed: Duration,
    interrupted: bool,
) -> bool {
    let ui = observer.ui();
    match ui.mode() {
        Mode::Json => artifact_events(ui, outcomes),
        _ => {
            let elapsed = human_duration(elapsed);
            ui.say(&format!("\n==> Wait completed after {elapsed}"));
            if ui.mode() == Mode::Terminal
                && let Some(table) = observer.timings().table()
            {
                ui.say(&ui.plain(&table));
            }
            if interrupted {
                ui.say("Cleanly cancelled builds after being interrupted.");
            } else {
                summary(ui, outcomes);
            }
        }
    }
    !interrupted && outcomes.iter().all(|outcome| outcome.result.is_ok())
}

fn artifact_events(ui: &Ui, outcomes: &[Outcome]) {
    for outcome in outcomes {
        let artifacts = outcome.result.iter().flatten().enumerate();
        for (index, artifact) in artifacts {
            if let Some(artifact) = artifact {
                ui.event(&EventLine::artifact(&outcome.build, index, artifact));
            }
        }
    }
}

fn summary(ui: &Ui, outcomes: &[Outcome]) {
    let errors: Vec<(&str, &str)> = outcomes
        .iter()
        .filter_map(|outcome| {
            Some((
                outcome.build.as_str(),
                outcome.result.as_ref().err()?.as_str(),
            ))
        })
        .collect();
    if !errors.is_empty() {
        ui.machine("", "error-count", &[&errors.len().to_string()]);
        ui.error("\n==> Some builds didn't complete successfully and had errors:");
        for (build, error) in &errors {
            ui.machine(build, "error", &[error]);
            ui.error(&format!("--> {build}: {}", ui.plain(error)));
        }
    }
    let made: Vec<(&str, &[Option<Artifact>])> = outcomes
        .iter()
        .filter_map(|outcome| {
            Some((
                outcome.build.as_str(),
                outcome.result.as_ref().ok()?.as_slice(),
            ))
        })
        .filter(|(_, artifacts)| !artifacts.is_empty())
        .collect();
    if made.is_empty() {
        ui.say("\n==> Builds finished but no artifacts were created.");
    } else {
        ui.say("\n==> Builds finished. The artifacts of successful builds are:");
        for (build, artifacts) in made {
            list(ui, build, artifacts);
        }
    }
}

fn list(ui: &Ui, build: &str, artifacts: &[Option<Artifact>]) {
    ui.machine(build, "artifact-count", &[&artifacts.len().to_string()]);
    for (index, artifact) in artifacts.iter().enumerate() {
        let index = index.to_string();
        let tell = |arguments: &[&str]| {
            let mut all = vec![index.as_str()];
            all.extend_from_slice(arguments);
            ui.machine(build, "artifact", &all);
        };
        let mut text = format!("--> {build}: ");
        match artifact {
            None => {
                tell(&["nil"]);
                text.push_str("<nothing>");
            }
            Some(artifact) => {
                tell(&["builder-id", &artifact.builder_id]);
                tell(&["id", &artifact.id]);
                tell(&["string", &artifact.description]);
                tell(&["files-count", &artifact.files.len().to_string()]);
                for (number, file) in artifact.files.iter().enumerate() {
                    tell(&["file", &number.to_string(), &file.display().to_string()]);
                }
                text.push_str(&ui.plain(&artifact.description));
            }
        }
        tell(&["end"]);
        ui.say(&text);
    }
}
