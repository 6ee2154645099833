//! `-on-error` in all its forms, and the cleanup provisioner.

use anyhow::Result;
use kiln_tests::trial::Trial;

use super::{UNDONE, nothing_is_left, order};

/// A build that fails in its second provisioner.
fn failing() -> Trial {
    Trial::with(
        "",
        r#"
  provisioner "trial" { actions = ["say:at work"] }
  provisioner "trial" { actions = ["fail:broken"] }
  provisioner "trial" { actions = ["say:never"] }
  error-cleanup-provisioner "trial" { actions = ["say:cleaning"] }
  post-processor "trial" { actions = ["say:never"] }"#,
    )
}

const CLEANUP_LINE: &str =
    "Provisioning step had errors: Running the cleanup provisioner, if present...";

#[test]
fn on_error_cleanup_undoes_everything() -> Result<()> {
    for words in [&[] as &[&str], &["-on-error=cleanup"], &["-on-error="]] {
        let trial = failing();
        let finished = trial.build(words)?.failure().lacks("never");
        let wanted = ["at work", CLEANUP_LINE, ": cleaning", UNDONE];
        assert_eq!(order(&finished, &wanted), wanted, "{finished}");
        drop(
            finished
                .says("Build 'trial.t' errored after ")
                .says("--> trial.t: broken"),
        );
        nothing_is_left(&trial);
    }
    Ok(())
}

#[test]
fn on_error_abort_undoes_nothing_and_says_so() -> Result<()> {
    let trial = failing();
    let finished = trial.build(&["-on-error=abort"])?.failure();
    let wanted = [
        "==> trial.t: broken",
        "==> trial.t: Step \"StepProvision\" failed, aborting...",
        "==> trial.t: aborted: skipping cleanup of step \"StepProvision\"",
        "==> trial.t: aborted: skipping cleanup of step \"StepFirst\"",
        "Build 'trial.t' errored after ",
    ];
    assert_eq!(order(&finished, &wanted), wanted, "{finished}");
    drop(finished.lacks(UNDONE).lacks("cleaning"));
    Ok(())
}

#[test]
fn on_error_run_cleanup_provisioner_runs_that_and_nothing_else() -> Result<()> {
    let finished = failing().build(&["-on-error=run-cleanup-provisioner"])?;
    drop(finished.failure().says(": cleaning").lacks(UNDONE));
    Ok(())
}

#[test]
fn on_error_ask_cleans_up_where_nobody_can_answer() -> Result<()> {
    let finished = failing().build(&["-on-error=ask"])?.failure();
    drop(
        finished
            .says("Step \"StepProvision\" failed")
            .says(UNDONE)
            .says(": cleaning"),
    );
    Ok(())
}

const QUESTION: &str = "[r] retry step (build may fail even if retry succeeds)?";

/// Answers the question of `-on-error=ask`; gives the exit code and everything printed after it.
fn answer(trial: &Trial, answers: &[&str]) -> Result<(i32, String)> {
    let words = ["build", "-color=false", "-on-error=ask", "t.pkr.hcl"];
    let mut terminal = trial.terminal(&words)?;
    for answer in answers {
        terminal.wait_for(QUESTION)?;
        terminal.press(&format!("{answer}\r"))?;
    }
    terminal.finish()
}

#[test]
fn on_error_ask_does_what_the_person_says() -> Result<()> {
    let (code, text) = answer(&failing(), &["what", "c"])?;
    assert_eq!(code, 1);
    assert!(
        text.contains("Incorrect input: \"what\"") && text.contains(UNDONE),
        "{text}"
    );
    let (code, text) = answer(&failing(), &["a"])?;
    assert_eq!(code, 1);
    assert!(
        text.contains("aborted: skipping cleanup of step \"StepFirst\""),
        "{text}"
    );
    assert!(!text.contains(UNDONE), "{text}");
    let trial = Trial::with(
        "",
        "provisioner \"trial\" { actions = [\"say:try\", \"fail_once:marker\"] }",
    );
    let (code, text) = answer(&trial, &["r"])?;
    assert_eq!(code, 0, "{text}");
    assert_eq!(text.matches("==> trial.t: try").count(), 2, "{text}");
    assert!(!text.contains(CLEANUP_LINE), "{text}");
    Ok(())
}

#[test]
fn ctrl_c_at_a_question_cancels_the_build() -> Result<()> {
    let trial = failing();
    let words = ["build", "-color=false", "-on-error=ask", "t.pkr.hcl"];
    let mut terminal = trial.terminal(&words)?;
    terminal.wait_for(QUESTION)?;
    terminal.press("\u{3}")?;
    let (code, text) = terminal.finish()?;
    assert_eq!(code, 1);
    assert!(
        text.contains("Cleanly cancelled builds after being interrupted."),
        "{text}"
    );
    assert!(text.contains(UNDONE), "{text}");
    nothing_is_left(&trial);
    Ok(())
}

#[test]
fn the_cleanup_provisioner_also_runs_when_a_later_step_fails_and_may_fail_itself() -> Result<()> {
    let trial = Trial::with(
        "  after = [\"fail:no snapshot\"]",
        "  error-cleanup-provisioner \"trial\" { actions = [\"fail:no broom\"] }",
    );
    let finished =
        trial.build(&[])?.failure().says(CLEANUP_LINE).says(
            "==> trial.t: Cleanup failed: no broom. Original Provisioning error: no snapshot",
        );
    let both = "--> trial.t: Cleanup failed: no broom. Original Provisioning error: no snapshot";
    drop(finished.says(UNDONE).says(both));
    Ok(())
}
