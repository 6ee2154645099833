//! What is told when all builds have ended.

use std::time::Duration;

use host_engine::{Artifact, Outcome};

use crate::duration::human_duration;
use crate::ui::Ui;

/// Prints the summary of a run that took `elapsed`; `interrupted` when it was cancelled. Returns
/// whether everything succeeded.
pub fn summarize(ui: &Ui, outcomes: &[Outcome], elapsed: Duration, interrupted: bool) -> bool {
    ui.say(&format!(
        "\n==> Wait completed after {}",
        human_duration(elapsed)
    ));
    if interrupted {
        ui.say("Cleanly cancelled builds after being interrupted.");
        return false;
    }
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
            ui.error(&format!("--> {build}: {error}"));
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
    errors.is_empty()
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
                text.push_str(&artifact.description);
            }
        }
        tell(&["end"]);
        ui.say(&text);
    }
}
