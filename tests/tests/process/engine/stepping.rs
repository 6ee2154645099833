//! `-debug` and breakpoints: builds that wait for a person.

use anyhow::Result;
use kiln_tests::trial::Trial;

#[test]
fn debug_stops_between_steps_and_before_provisioners() -> Result<()> {
    let trial = Trial::with(
        "",
        "  provisioner \"trial\" { actions = [\"say:at work\"] }",
    );
    let words = ["build", "-color=false", "-debug", "t.pkr.hcl"];
    let mut terminal = trial.terminal(&words)?;
    for (prompt, before) in [
        (
            "Pausing after run of step 'StepFirst'. Press enter to continue.",
            "Debug mode enabled.",
        ),
        (
            "Pausing before the next provisioner . Press enter to continue.",
            "",
        ),
        (
            "Pausing after run of step 'StepProvision'. Press enter to continue.",
            ": at work",
        ),
        (
            "Pausing after run of step 'StepLast'. Press enter to continue.",
            "",
        ),
        (
            "Pausing before cleanup of step 'StepFirst'. Press enter to continue.",
            "",
        ),
    ] {
        terminal.wait_for(before)?;
        terminal.wait_for(prompt)?;
        terminal.press("\r")?;
    }
    let (code, text) = terminal.finish()?;
    assert_eq!(code, 0, "{text}");
    Ok(())
}

#[test]
fn a_breakpoint_waits_for_the_person() -> Result<()> {
    let trial = Trial::with(
        "",
        "  provisioner \"breakpoint\" { note = \"look\" }\n  provisioner \"trial\" { actions = [\"say:on\"] }",
    );
    let mut terminal = trial.terminal(&["build", "-color=false", "t.pkr.hcl"])?;
    terminal.wait_for("==> trial.t: Pausing at breakpoint provisioner with note \"look\".")?;
    terminal.wait_for("Press enter to continue.")?;
    terminal.press("\r")?;
    terminal.wait_for(": on")?;
    assert_eq!(terminal.finish()?.0, 0);
    Ok(())
}
