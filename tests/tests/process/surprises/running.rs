//! What surprises about a run as a whole: its output, its log, its interrupts.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kiln_tests::leftovers;
use kiln_tests::trial::Trial;

use super::{LIMIT, artifacts, null};

fn waiting() -> Trial {
    Trial::with(
        "",
        "provisioner \"trial\" { actions = [\"say:waiting\", \"wait\"] }",
    )
}

#[test]
fn all_text_of_a_failed_build_is_on_standard_output() -> Result<()> {
    let trial = null("provisioner \"shell-local\" { inline = [\"echo bad >&2; exit 1\"] }");
    let finished = trial.build(&[])?.failure().says("==> null.n: bad");
    assert_eq!(finished.stderr, "");
    Ok(())
}

#[test]
fn packer_log_path_alone_turns_the_log_on_and_truncates_its_file() -> Result<()> {
    let mut trial = null("");
    let log = trial.kiln.write("log", "what was there before");
    trial.kiln.env("PACKER_LOG_PATH", "log");
    let finished = trial.build(&[])?.success();
    assert_eq!(finished.stderr, "");
    let text = std::fs::read_to_string(log)?;
    assert!(text.contains("[INFO] Packer version: "), "{text}");
    assert!(!text.contains("before"), "{text}");
    Ok(())
}

#[test]
fn a_second_interrupt_ends_kiln_at_once_unlike_packer_and_nothing_is_left() -> Result<()> {
    let trial = Trial::with(
        "  undo_takes = \"5s\"",
        "provisioner \"trial\" { actions = [\"say:waiting\", \"wait\"] }",
    );
    let mut running = trial.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for(": waiting", LIMIT)?;
    running.signal("INT")?;
    running.wait_for("Cancelling build after receiving interrupt", LIMIT)?;
    // A signal right behind the first is taken for its echo; these come until one counts.
    let at_once = "Stopping at once; plugins clean up by themselves";
    while running
        .wait_for(at_once, Duration::from_millis(200))
        .is_err()
    {
        running.signal("INT").context("it ended by itself")?;
    }
    let finished = running.finish(LIMIT)?.failure();
    drop(
        finished
            .lacks("the first step is undone")
            .lacks("Wait completed"),
    );
    // The plugin undoes its step without the host, and the folders of the run go with the next one.
    let folder = |line: &String| line.starts_with("run folder ");
    let left = leftovers::of(&trial.kiln, Duration::ZERO);
    assert!(left.iter().any(folder), "{left:?}");
    let ended = Instant::now();
    while !leftovers::processes(trial.kiln.root()).is_empty() {
        assert!(ended.elapsed() < LIMIT, "the plugin does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(trial.start(&["gc"])?.finish(LIMIT)?.success());
    let left = leftovers::of(&trial.kiln, Duration::from_secs(30));
    assert_eq!(left, Vec::<String>::new());
    Ok(())
}

#[test]
fn without_a_terminal_debug_goes_on_and_ask_cleans_up_but_a_breakpoint_fails() -> Result<()> {
    let trial = Trial::with("", "provisioner \"trial\" { actions = [\"say:at work\"] }");
    let finished = trial.build(&["-debug"])?.success();
    let finished = finished.says("Debug mode enabled. Builds will not be parallelized.");
    drop(finished.says(": at work"));
    let trial = Trial::with("", "provisioner \"trial\" { actions = [\"fail:broken\"] }");
    let finished = trial.build(&["-on-error=ask"])?.failure();
    drop(finished.says("the first step is undone"));
    let finished = null("provisioner \"breakpoint\" {}").build(&[])?.failure();
    drop(finished.says("Error asking for input: "));
    Ok(())
}

#[test]
fn abort_also_skips_the_cleanup_when_interrupted() -> Result<()> {
    let trial = waiting();
    let words = ["build", "-color=false", "-on-error=abort", "t.pkr.hcl"];
    let mut running = trial.start(&words)?;
    running.wait_for(": waiting", LIMIT)?;
    running.signal("INT")?;
    let finished = running.finish(LIMIT)?.failure();
    let finished = finished
        .says("==> trial.t: Interrupted, aborting...")
        .says("aborted: skipping cleanup of step \"StepFirst\"");
    drop(finished.lacks("the first step is undone"));
    Ok(())
}

#[test]
fn every_line_of_a_message_gets_the_name_of_its_build() -> Result<()> {
    let actions = r#"  actions = ["say:one\n\n  two\n", "error:three\nfour"]"#;
    let finished = Trial::with(actions, "").build(&[])?.success();
    let text = "==> trial.t: one\n==> trial.t:\n==> trial.t:   two\n==> trial.t: three\n==> trial.t: four\n";
    drop(finished.says(text));
    Ok(())
}

#[test]
fn timestamp_ui_puts_the_time_once_before_a_message() -> Result<()> {
    let mut trial = Trial::with(r#"  actions = ["say:one\ntwo"]"#, "");
    trial.kiln.env("TZ", "XXX-05:30");
    let finished = trial.build(&["-timestamp-ui"])?.success();
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.ends_with("+05:30: ==> trial.t: one"));
    let at = at.with_context(|| finished.to_string())?;
    assert_eq!(lines[at + 1], "==> trial.t: two", "{finished}");
    let summary = lines
        .iter()
        .any(|line| line.starts_with("==> Wait completed after "));
    assert!(summary, "the summary has no time: {finished}");
    Ok(())
}

#[test]
fn the_summary_is_in_the_order_of_the_template_unlike_packers() -> Result<()> {
    let mut template = String::new();
    let names = ["d", "a", "c", "b"];
    for (number, name) in names.iter().enumerate() {
        // The first ones end last.
        let pause = 600 - 200 * number;
        template.push_str(&format!(
            "source \"trial\" \"{name}\" {{ actions = [\"pause:{pause}\"] }}\n"
        ));
    }
    let sources: Vec<String> = names
        .iter()
        .map(|name| format!("\"trial.{name}\""))
        .collect();
    template.push_str(&format!("build {{ sources = [{}] }}\n", sources.join(", ")));
    let finished = Trial::new(&template).build(&[])?.success();
    let listed: Vec<&str> = artifacts(&finished)
        .into_iter()
        .filter_map(|line| line.split_once(": ").map(|(name, _)| name))
        .collect();
    assert_eq!(
        listed,
        ["trial.d", "trial.a", "trial.c", "trial.b"],
        "{finished}"
    );
    Ok(())
}
