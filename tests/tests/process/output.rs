//! What builds print: event lines, terminal, log.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use kiln_tests::trial::Trial;
use kiln_tests::{Finished, Kiln, project, tools};
use serde_json::Value;

/// How long a line may take to come.
const LIMIT: Duration = Duration::from_secs(120);

fn schema() -> Result<(Value, jsonschema::Validator)> {
    let text = std::fs::read_to_string(project().join("host/ui/events.schema.json"))?;
    let schema: Value = serde_json::from_str(&text)?;
    let validator = jsonschema::validator_for(&schema)?;
    Ok((schema, validator))
}

/// The event lines of a run, each of which must follow the schema.
fn events(finished: &Finished) -> Result<Vec<Value>> {
    let (_, schema) = schema()?;
    let mut events = Vec::new();
    for line in finished.stdout.lines() {
        let event: Value = serde_json::from_str(line).with_context(|| finished.to_string())?;
        let problems: Vec<String> = schema
            .iter_errors(&event)
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{line}\n{problems:#?}");
        events.push(event);
    }
    let first = events.first().map(|event| &event["type"]);
    let last = events.last().map(|event| &event["type"]);
    assert_eq!(first, Some(&Value::from("run_begun")), "{finished}");
    assert_eq!(last, Some(&Value::from("run_ended")), "{finished}");
    Ok(events)
}

fn json(trial: &Trial, words: &[&str]) -> Result<Vec<Value>> {
    let words: Vec<&str> = ["-json"].iter().chain(words).copied().collect();
    let finished = trial.build(&words)?;
    let events = events(&finished)?;
    let status = &events[events.len() - 1]["status"];
    assert_eq!(status == "succeeded", finished.code() == 0, "{finished}");
    Ok(events)
}

fn of_type<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["type"] == name)
        .collect()
}

/// A run in which everything happens that can happen.
fn eventful() -> Trial {
    Trial::new(
        r#"
source "trial" "good" {
  actions = ["artifact:out/o", "progress:bytes:1:2:copying", "progress:end:2:2:copying", "ask:really?"]
}
source "trial" "bad" {}
build {
  sources = ["trial.good", "trial.bad"]
  provisioner "trial" {
    only    = ["trial.bad"]
    actions = ["error:look\nhere", "diagnostic:not so", "fail:broken"]
  }
  post-processor "trial" {
    actions = ["artifact:out/a"]
    keep    = true
  }
}
"#,
    )
}

#[test]
fn every_event_line_follows_the_published_schema_and_every_kind_of_it_comes() -> Result<()> {
    let trial = eventful();
    let events = json(&trial, &[])?;
    let seen: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    let (schema, _) = schema()?;
    let kinds = schema["oneOf"].as_array().into_iter().flatten();
    let known: BTreeSet<&str> = kinds
        .filter_map(|kind| kind["properties"]["type"]["const"].as_str())
        .collect();
    assert_eq!(seen, known);

    let ended = of_type(&events, "build_ended");
    assert_eq!(ended.len(), 2);
    assert!(
        ended.iter().any(|event| event["error"] == "broken"),
        "{ended:?}"
    );
    let files: Vec<&Value> = of_type(&events, "artifact")
        .iter()
        .map(|one| &one["files"][0])
        .collect();
    assert_eq!(files, ["out/o", "out/a"]);
    let steps = of_type(&events, "step_ended");
    assert!(
        steps.iter().all(|step| step["elapsed_seconds"].is_f64()),
        "{steps:?}"
    );
    let failed = of_type(&events, "provisioner_ended");
    assert_eq!((failed.len(), &failed[0]["index"]), (1, &Value::from(0)));
    let problem = &of_type(&events, "diagnostics")[0]["diagnostics"][0];
    assert_eq!(problem["range"]["filename"], "t.pkr.hcl", "{problem}");
    let log = events[events.len() - 1]["log"].as_str().context("no log")?;
    assert!(std::path::Path::new(log).is_file(), "{log}");
    Ok(())
}

#[test]
fn runs_that_never_get_to_a_build_are_events_too() -> Result<()> {
    let events = json(&Trial::new("build {"), &[])?;
    assert_eq!(of_type(&events, "diagnostics").len(), 1);
    let events = json(&Trial::with("  actions = [\"refuse:no\"]", ""), &[])?;
    assert_eq!(
        of_type(&events, "diagnostics")[0]["diagnostics"][0]["detail"],
        "no"
    );
    let events = json(&eventful(), &["-var=nobody=1"])?;
    assert_eq!(of_type(&events, "build_begun").len(), 0);
    let trial = eventful();
    let finished = trial.start(&["build", "-json"])?.finish(LIMIT)?.failure();
    let found = events_of_usage(&finished)?;
    assert!(found.starts_with("The template is missing."), "{finished}");
    for words in ["-json -on-error=foo", "-forse -json"] {
        let words: Vec<&str> = words.split(' ').collect();
        let finished = trial.build(&words)?.failure();
        assert!(events_of_usage(&finished)?.contains("Usage: kiln build"));
    }
    let finished = trial.build(&["-json", "-machine-readable"])?.failure();
    assert!(finished.stdout.contains("exclude each other"), "{finished}");
    Ok(())
}

fn events_of_usage(finished: &Finished) -> Result<String> {
    let events = events(finished)?;
    let messages = of_type(&events, "message");
    Ok(messages[0]["text"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_cancelled_run_says_so_in_its_last_line() -> Result<()> {
    let trial = Trial::with(
        "",
        "provisioner \"trial\" { actions = [\"say:waiting\", \"wait\"] }",
    );
    let mut running = trial.start(&["build", "-json", "t.pkr.hcl"])?;
    running.wait_for("waiting", LIMIT)?;
    running.signal("INT")?;
    let finished = running.finish(LIMIT)?.failure();
    let events = events(&finished)?;
    assert_eq!(events[events.len() - 1]["status"], "cancelled");
    let ended = of_type(&events, "build_ended");
    assert_eq!(
        (&ended[0]["cancelled"], &ended[0]["error"]),
        (&true.into(), &"context canceled".into())
    );
    Ok(())
}

#[test]
fn a_terminal_gets_timings_and_a_pipe_does_not() -> Result<()> {
    let trial = eventful();
    drop(trial.build(&[])?.failure().lacks("Timings"));
    let mut terminal = trial.terminal(&["build", "-color=false", "t.pkr.hcl"])?;
    terminal.wait_for("really?")?;
    terminal.press("yes\r")?;
    let (code, text) = terminal.finish()?;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("answered yes"), "{text}");
    let at = text.find("==> Timings:").with_context(|| text.clone())?;
    let table = &text[at..];
    let row = |name: &str| {
        let line = table
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        line.map(str::trim_end).unwrap_or_default().to_owned()
    };
    assert!(row("trial.good ").ends_with(" s"), "{table}");
    assert!(row("step StepProvision ").contains(" s"), "{table}");
    assert!(row("provisioner trial ").ends_with("failed"), "{table}");
    assert!(row("post-processor trial ").ends_with(" s"), "{table}");
    Ok(())
}

#[test]
fn a_terminal_shows_what_parallel_builds_do_and_how_long_it_will_take() -> Result<()> {
    let trial = Trial::new(
        r#"
source "trial" "a" {
  actions = [
    "progress:bytes:0:104857600:downloading debian.iso", "pause:400",
    "progress:bytes:10485760:104857600:downloading debian.iso", "pause:400",
    "progress:bytes:20971520:104857600:downloading debian.iso", "wait",
  ]
}
source "trial" "b" {
  actions = [
    "progress:percent:0:100:converting disk.qcow2", "pause:400",
    "progress:percent:10:100:converting disk.qcow2", "pause:400",
    "progress:percent:20:100:converting disk.qcow2", "wait",
  ]
}
build { sources = ["trial.a", "trial.b"] }
"#,
    );
    let mut terminal = trial.terminal(&["build", "-color=false", "t.pkr.hcl"])?;
    // The last picture of both has everything in it, in either order of their lines.
    terminal.wait_for("20.00 MiB/100.00 MiB")?;
    terminal.wait_for(" left")?;
    terminal.wait_for("20%")?;
    terminal.press("\u{3}")?;
    let (code, text) = terminal.finish()?;
    assert_eq!(code, 1);
    let line = |part: &str| {
        let mut pieces = text.split(['\r', '\n']);
        pieces
            .rfind(|piece| piece.contains(part))
            .unwrap_or_default()
            .to_owned()
    };
    let download = line("20.00 MiB/100.00 MiB");
    assert!(
        download.contains("trial.a: downloading debian.iso ["),
        "{download:?}"
    );
    assert!(
        download.contains("/s, ") && download.contains(" left"),
        "{download:?}"
    );
    let convert = line("20%");
    assert!(
        convert.contains("trial.b: converting disk.qcow2 ["),
        "{convert:?}"
    );
    assert!(convert.contains(" left"), "{convert:?}");
    Ok(())
}

#[test]
fn real_work_shows_its_progress() -> Result<()> {
    let trial = Trial::new(
        r#"
source "file" "big" {
  source = "big"
  target = "out/big"
}
build {
  sources = ["file.big"]
  provisioner "file" {
    source      = "big"
    destination = "/anywhere"
  }
  post-processor "compress" { output = "out/big.tar.gz" }
}
"#,
    );
    let big = std::fs::File::create(trial.kiln.work().join("big"))?;
    big.set_len(64 << 20)?;
    let events = json(&trial, &[])?;
    let reports = of_type(&events, "progress");
    let labels: BTreeSet<&str> = reports
        .iter()
        .filter_map(|one| one["label"].as_str())
        .collect();
    assert!(labels.contains("uploading big"), "{labels:?}");
    assert!(labels.len() >= 2, "compressing shows as well: {labels:?}");
    for label in labels {
        let mine = || reports.iter().filter(|one| one["label"] == label);
        assert_eq!(
            mine().filter(|one| one["ended"] == true).count(),
            1,
            "{label}"
        );
        let done: Vec<u64> = mine().filter_map(|one| one["done"].as_u64()).collect();
        assert!(done.is_sorted(), "{label} goes back: {done:?}");
    }
    Ok(())
}

fn run_folders(trial: &Trial) -> Vec<std::path::PathBuf> {
    let runs = trial.kiln.root().join("home/.local/state/kiln/runs");
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[test]
fn every_run_has_a_log_and_a_failure_says_where() -> Result<()> {
    let trial = Trial::with(
        "",
        "provisioner \"trial\" { actions = [\"log:from inside\", \"say:for people\", \"fail:broken\"] }",
    );
    let finished = trial.build(&[])?.failure();
    let line = finished.stdout.lines().last().unwrap_or_default();
    let path = line
        .strip_prefix("The log of this run is kept in ")
        .with_context(|| finished.to_string())?;
    let log = std::fs::read_to_string(path)?;
    for text in [
        "[INFO] Packer version: 1.16.0",
        "from inside",
        "ui: ==> trial.t: for people",
        "provisioner ended",
        "error=\"broken\"",
    ] {
        assert!(log.contains(text), "no {text:?} in\n{log}");
    }
    let mode = tools::output("stat", &["-c", "%a", path])?;
    assert_eq!(mode.trim(), "600");
    assert_eq!(finished.stderr, "");
    Ok(())
}

#[test]
fn a_success_keeps_its_log_without_a_word_and_wrong_input_keeps_none() -> Result<()> {
    let trial = Trial::with("", "");
    drop(trial.build(&[])?.success().lacks("log of this run"));
    assert_eq!(run_folders(&trial).len(), 1);
    assert!(run_folders(&trial)[0].join("kiln.log").is_file());
    let trial = Trial::with("  actions = [\"refuse:no\"]", "");
    drop(trial.build(&[])?.failure().lacks("log of this run"));
    assert_eq!(run_folders(&trial).len(), 0);
    Ok(())
}

#[test]
fn logs_are_removed_after_two_weeks() -> Result<()> {
    let trial = Trial::with("", "");
    drop(trial.build(&[])?.success());
    drop(trial.build(&[])?.success());
    let old = &run_folders(&trial)[0];
    let kept = old.join("kept").display().to_string();
    tools::output("touch", &["-d", "13 days ago", &kept])?;
    drop(trial.start(&["gc"])?.finish(LIMIT)?.success());
    assert_eq!(run_folders(&trial).len(), 2);
    tools::output("touch", &["-d", "15 days ago", &kept])?;
    drop(trial.start(&["gc"])?.finish(LIMIT)?.success());
    assert!(!old.exists());
    assert_eq!(run_folders(&trial).len(), 1);
    Ok(())
}

#[test]
fn the_environment_says_where_the_log_goes() -> Result<()> {
    let failing = || Trial::with("", "provisioner \"trial\" { actions = [\"fail:broken\"] }");
    let mut trial = failing();
    trial.kiln.env("PACKER_LOG_PATH", "my.log");
    let finished = trial.build(&[])?.failure();
    let finished = finished.says("The log of this run is kept in my.log");
    assert_eq!(finished.stderr, "");
    assert_eq!(run_folders(&trial).len(), 0, "there is one log, not two");
    let log = std::fs::read_to_string(trial.kiln.work().join("my.log"))?;
    assert!(log.contains("broken"), "{log}");

    let mut trial = failing();
    trial.kiln.env("PACKER_LOG", "1");
    let finished = trial
        .build(&[])?
        .failure()
        .says("The log of this run is kept in /");
    assert!(finished.stderr.contains("[DEBUG]"), "{finished}");

    let mut trial = failing();
    trial.kiln.env("PACKER_LOG_PATH", "no/such/folder/my.log");
    let finished = trial.build(&[])?.failure();
    assert!(
        finished.stderr.contains("no/such/folder/my.log"),
        "{finished}"
    );
    Ok(())
}

#[test]
fn colours_stay_away_when_they_are_not_wanted() -> Result<()> {
    let trial = |name: &str, value: &str| {
        let mut trial = Trial::with("", "provisioner \"trial\" { actions = [\"say:hello\"] }");
        trial.kiln.env(name, value);
        trial
    };
    let plain = "trial.t: output will be in this color.";
    for name in ["NO_COLOR", "PACKER_NO_COLOR"] {
        let words = ["build", "t.pkr.hcl"];
        let (_, text) = trial(name, "1").terminal(&words)?.finish()?;
        assert!(!text.contains("\u{1b}[1;3"), "{name}: {text}");
        assert!(
            text.contains(plain),
            "it is announced without colour: {text}"
        );
        let (_, text) = trial(name, "").terminal(&words)?.finish()?;
        assert!(
            text.contains("\u{1b}[1;32m==> trial.t: hello\u{1b}[0m"),
            "{text}"
        );
    }
    let words = ["build", "-color=false", "t.pkr.hcl"];
    let (_, text) = trial("X", "").terminal(&words)?.finish()?;
    assert!(
        !text.contains(plain) && !text.contains("\u{1b}[1;3"),
        "{text}"
    );
    Ok(())
}

#[test]
fn machine_readable_lines_name_every_artifact() -> Result<()> {
    let trial = eventful();
    let words = ["build", "-machine-readable", "t.pkr.hcl"];
    let finished = trial.start(&words)?.finish(LIMIT)?.failure();
    let lines: Vec<&str> = finished
        .stdout
        .lines()
        .filter_map(|line| line.split_once(',').map(|(_, rest)| rest))
        .collect();
    for line in [
        "trial.good,artifact-count,2",
        "trial.good,artifact,0,builder-id,trial",
        "trial.good,artifact,0,id,out/o",
        "trial.good,artifact,0,string,A trial: out/o",
        "trial.good,artifact,0,files-count,1",
        "trial.good,artifact,0,file,0,out/o",
        "trial.good,artifact,0,end",
        "trial.good,artifact,1,id,out/a",
        ",error-count,1",
        "trial.bad,error,broken",
        ",ui,error,==> trial.bad: look\\n==> trial.bad: here",
    ] {
        assert!(lines.contains(&line), "no {line:?}:\n{finished}");
    }
    Ok(())
}

#[test]
fn output_that_cannot_be_written_is_a_failure() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.json", "{\"builders\": [{\"type\": \"null\"}]}");
    let program = kiln_tests::kiln::program_folder().join("kiln");
    for words in ["version", "fix -validate=false t.json", "plan -json t.json"] {
        let mut command = std::process::Command::new("sh");
        let script = format!("'{}' {words} > /dev/full", program.display());
        command.args(["-c", &script]);
        let finished = kiln.start_command(command)?.finish(LIMIT)?;
        assert_eq!(finished.code(), 1, "{words}: {finished}");
        assert!(
            finished.stderr.contains("its output could not be written"),
            "{words}: {finished}"
        );
    }
    Ok(())
}
