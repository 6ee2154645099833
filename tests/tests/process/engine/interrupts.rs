//! Interrupts, components that ignore them, and plugins that die.

use anyhow::Result;
use kiln_tests::trial::Trial;

use super::{LIMIT, UNDONE, nothing_is_left};

/// A build that waits in a provisioner, with a cleanup provisioner.
fn waiting() -> Trial {
    Trial::with(
        "",
        r#"
  provisioner "trial" { actions = ["say:waiting", "wait"] }
  error-cleanup-provisioner "trial" { actions = ["say:cleaning"] }
  post-processor "trial" { actions = ["say:never"] }"#,
    )
}

#[test]
fn an_interrupt_undoes_everything_without_the_cleanup_provisioner() -> Result<()> {
    for (signal, word) in [("INT", "interrupt"), ("TERM", "terminated")] {
        let trial = waiting();
        let mut running = trial.start(&["build", "-color=false", "t.pkr.hcl"])?;
        running.wait_for(": waiting", LIMIT)?;
        running.signal(signal)?;
        let finished = running.finish(LIMIT)?.failure();
        let finished = finished
            .says(&format!("Cancelling build after receiving {word}"))
            .says("Build 'trial.t' errored after ")
            .says(": context canceled")
            .says(UNDONE)
            .says("Cleanly cancelled builds after being interrupted.")
            .lacks("cleaning")
            .lacks("never");
        drop(finished.lacks("Some builds didn't complete"));
        nothing_is_left(&trial);
    }
    Ok(())
}

#[test]
fn an_interrupt_starts_no_further_build() -> Result<()> {
    let trial = Trial::new(
        r#"
source "trial" "a" {}
source "trial" "b" { actions = ["say:never"] }
build {
  sources = ["trial.a", "trial.b"]
  provisioner "trial" { actions = ["say:waiting", "wait"] }
}
"#,
    );
    let mut running = trial.start(&["build", "-color=false", "-parallel-builds=1", "t.pkr.hcl"])?;
    running.wait_for(": waiting", LIMIT)?;
    running.signal("INT")?;
    drop(running.finish(LIMIT)?.failure().lacks("trial.b"));
    Ok(())
}

#[test]
fn a_component_that_ignores_the_cancellation_is_killed() -> Result<()> {
    let trial = Trial::with("", "  provisioner \"trial\" { actions = [\"hang\"] }");
    let mut running = trial.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for(": hanging", LIMIT)?;
    running.signal("INT")?;
    let finished = running.finish(LIMIT)?.failure().says(UNDONE);
    drop(finished.says("Cleanly cancelled builds after being interrupted."));
    nothing_is_left(&trial);
    Ok(())
}

#[test]
fn a_plugin_that_dies_fails_its_build_and_no_other() -> Result<()> {
    let trial = Trial::new(
        r#"
source "trial" "a" {}
source "trial" "b" {}
build {
  sources = ["trial.a", "trial.b"]
  provisioner "trial" {
    only    = ["trial.a"]
    actions = ["panic:a bug"]
  }
}
"#,
    );
    let finished = trial.build(&[])?.failure();
    let finished = finished
        .says("a bug")
        .says("Build 'trial.b' finished after ");
    drop(finished.says("--> trial.b: A trial: trial"));
    nothing_is_left(&trial);
    Ok(())
}

#[test]
fn a_cancellation_is_not_forgiven_nor_retried() -> Result<()> {
    let trial = Trial::with(
        "",
        r#"
  provisioner "trial" {
    max_retries       = 3
    continue_on_error = true
    actions           = ["say:waiting", "wait"]
  }"#,
    );
    let mut running = trial.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for(": waiting", LIMIT)?;
    running.signal("INT")?;
    let finished = running.finish(LIMIT)?.failure();
    drop(finished.lacks("retrying").lacks("continue_on_error is set"));
    Ok(())
}
