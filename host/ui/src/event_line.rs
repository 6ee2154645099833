//! Events as lines of JSON. `events.schema.json` beside this crate's manifest describes them.

use std::time::Duration;

use host_diag::{Diagnostics, SourceMap, render_json};
use host_engine::{Artifact, Event, Progress, ProgressUnit};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::redact::Redactor;

/// Grows with every incompatible change of the lines.
pub const EVENT_FORMAT_VERSION: u32 = 1;

/// Fields whose text is kiln's own; no secret can be in them.
const FIXED: [&str; 5] = ["type", "level", "unit", "severity", "status"];

/// One event, as an object without its time.
#[derive(Clone, Debug)]
pub struct EventLine(Value);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Everything was built.
    Succeeded,
    /// Something went wrong.
    Failed,
    /// It was told to stop.
    Cancelled,
}

impl EventLine {
    /// A run begins. `versions` are kiln's own and that of the Packer it stands for.
    #[must_use]
    pub fn run_begun(versions: (&str, &str), run_uuid: &str, template: &str) -> Self {
        let (kiln, packer) = versions;
        Self(json!({
            "type": "run_begun",
            "format_version": EVENT_FORMAT_VERSION,
            "kiln_version": kiln,
            "packer_version": packer,
            "run_uuid": run_uuid,
            "template": template,
        }))
    }

    /// The template is fine, and these builds will run.
    #[must_use]
    pub fn builds_planned(builds: &[String]) -> Self {
        Self(json!({ "type": "builds_planned", "builds": builds }))
    }

    /// A run is over; nothing follows. `log` and `evidence` are paths of what was kept of it.
    #[must_use]
    pub fn run_ended(
        status: RunStatus,
        elapsed: Duration,
        log: Option<String>,
        evidence: Option<String>,
    ) -> Self {
        let status = match status {
            RunStatus::Succeeded => "succeeded",
            RunStatus::Failed => "failed",
            RunStatus::Cancelled => "cancelled",
        };
        Self(json!({
            "type": "run_ended",
            "status": status,
            "elapsed_seconds": elapsed.as_secs_f64(),
            "log": log,
            "evidence": evidence,
        }))
    }

    /// Text for people; `level` is `say` or `error`.
    pub(crate) fn message(level: &str, target: Option<&str>, text: &str) -> Self {
        Self(json!({ "type": "message", "level": level, "target": target, "text": text }))
    }

    /// A question to the person, which nobody answers.
    pub(crate) fn question(build: &str, prompt: &str) -> Self {
        Self(json!({ "type": "question", "build": build, "prompt": prompt }))
    }

    pub(crate) fn diagnostics(diagnostics: &Diagnostics, sources: &SourceMap) -> Self {
        let list = render_json(diagnostics, sources);
        let list: Value = serde_json::from_str(&list).unwrap_or_default();
        Self(json!({ "type": "diagnostics", "diagnostics": list }))
    }

    /// An artifact that stays; `index` counts those of the build from zero.
    pub(crate) fn artifact(build: &str, index: usize, artifact: &Artifact) -> Self {
        let files: Vec<String> = artifact
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        Self(json!({
            "type": "artifact",
            "build": build,
            "index": index,
            "builder_id": artifact.builder_id,
            "id": artifact.id,
            "description": artifact.description,
            "files": files,
        }))
    }

    /// What the engine tells.
    pub(crate) fn of(event: &Event, sources: &SourceMap) -> Self {
        Self(match event {
            Event::BuildBegun { build } => json!({ "type": "build_begun", "build": build }),
            Event::Say { target, text } => return Self::message("say", Some(target), text),
            Event::Error { target, text } => return Self::message("error", Some(target), text),
            Event::Progress { build, progress } => progress_value(build, progress),
            Event::StepBegun { build, step } => {
                json!({ "type": "step_begun", "build": build, "step": step })
            }
            Event::StepEnded {
                build,
                step,
                error,
                elapsed,
            } => {
                let begun = json!({ "type": "step_ended", "build": build, "step": step });
                ended(begun, error.as_deref(), *elapsed)
            }
            Event::ProvisionerBegun {
                build,
                type_name,
                index,
            } => provisioner("provisioner_begun", build, type_name, *index),
            Event::ProvisionerEnded {
                build,
                type_name,
                index,
                error,
                elapsed,
            } => {
                let begun = provisioner("provisioner_ended", build, type_name, *index);
                ended(begun, error.as_deref(), *elapsed)
            }
            Event::PostProcessorBegun {
                build,
                type_name,
                chain,
                index,
            } => post_processor("post_processor_begun", build, type_name, (*chain, *index)),
            Event::PostProcessorEnded {
                build,
                type_name,
                chain,
                index,
                error,
                elapsed,
            } => {
                let place = (*chain, *index);
                let begun = post_processor("post_processor_ended", build, type_name, place);
                ended(begun, error.as_deref(), *elapsed)
            }
            Event::BuildEnded {
                build,
                error,
                cancelled,
                elapsed,
            } => {
                let begun =
                    json!({ "type": "build_ended", "build": build, "cancelled": cancelled });
                ended(begun, error.as_deref(), *elapsed)
            }
            Event::Diagnostics(found) => return Self::diagnostics(found, sources),
        })
    }

    /// The line, without its end and without secrets.
    pub(crate) fn line(&self, redactor: &Redactor) -> String {
        let time = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S.%3fZ", Timestamp::now());
        let mut object = Map::new();
        object.insert("time".to_owned(), time.unwrap_or_default().into());
        if let Value::Object(fields) = &self.0 {
            for (name, value) in fields {
                object.insert(name.clone(), clean(name, value, redactor));
            }
        }
        let line = Value::Object(object).to_string();
        match line.contains(is_raw) {
            true => line.chars().map(escaped).collect(),
            false => line,
        }
    }
}

/// Control characters that JSON allows as they are, and terminals obey.
fn is_raw(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}')
}

/// Such a character as JSON spells it: outside of strings there is none.
fn escaped(character: char) -> String {
    match is_raw(character) {
        true => format!("\\u{:04x}", u32::from(character)),
        false => character.to_string(),
    }
}

fn clean(name: &str, value: &Value, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) if !FIXED.contains(&name) => Value::String(redactor.clean(text)),
        Value::Array(items) => items
            .iter()
            .map(|item| clean(name, item, redactor))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), clean(name, value, redactor)))
            .collect(),
        other => other.clone(),
    }
}

fn ended(mut begun: Value, error: Option<&str>, elapsed: Duration) -> Value {
    begun["error"] = json!(error);
    begun["elapsed_seconds"] = json!(elapsed.as_secs_f64());
    begun
}

fn provisioner(kind: &str, build: &str, type_name: &str, index: Option<usize>) -> Value {
    json!({ "type": kind, "build": build, "provisioner": type_name, "index": index })
}

fn post_processor(kind: &str, build: &str, type_name: &str, place: (usize, usize)) -> Value {
    let (chain, index) = place;
    json!({
        "type": kind,
        "build": build,
        "post_processor": type_name,
        "chain": chain,
        "index": index,
    })
}

fn progress_value(build: &str, progress: &Progress) -> Value {
    let unit = match progress.unit {
        ProgressUnit::Bytes => "bytes",
        ProgressUnit::Items => "items",
        ProgressUnit::Percent => "percent",
    };
    json!({
        "type": "progress",
        "build": build,
        "number": progress.number,
        "label": progress.label,
        "done": progress.done,
        "total": progress.total,
        "unit": unit,
        "ended": progress.ended,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, event: &EventLine, expected: &str) {
        let redactor = Redactor::default();
        redactor.add(secret);
        let line = event.line(&redactor);
        let mut value: Value = serde_json::from_str(&line).unwrap();
        let time = value["time"].take();
        assert!(
            time.as_str().unwrap().parse::<Timestamp>().is_ok(),
            "{line}"
        );
        value.as_object_mut().unwrap().remove("time");
        assert_eq!(value, serde_json::from_str::<Value>(expected).unwrap());
    }

    #[test]
    fn texts_are_cleaned_before_they_are_quoted() {
        let event = EventLine::message("say", Some("null.a"), "it is \"a\\b\"");
        check(
            "\"a\\b\"",
            &event,
            r#"{"type":"message","level":"say","target":"null.a","text":"it is <sensitive>"}"#,
        );
    }

    #[test]
    fn kilns_own_words_are_never_taken_for_secrets() {
        let event = EventLine::message("error", None, "message");
        check(
            "message",
            &event,
            r#"{"type":"message","level":"error","target":null,"text":"<sensitive>"}"#,
        );
    }

    #[test]
    fn the_end_of_a_part_has_its_error_and_its_time() {
        let event = Event::ProvisionerEnded {
            build: "null.a".into(),
            type_name: "shell".into(),
            index: None,
            error: Some("no".into()),
            elapsed: Duration::from_millis(1500),
        };
        check(
            "x",
            &EventLine::of(&event, &SourceMap::default()),
            r#"{"type":"provisioner_ended","build":"null.a","provisioner":"shell","index":null,
                "error":"no","elapsed_seconds":1.5}"#,
        );
    }
}
