//! `-debug`, breakpoints and questions: builds that wait for a person.

use std::path::Path;

use anyhow::Result;
use kiln_tests::trial::Trial;

use super::nothing_is_left;

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
            "Pausing before cleanup of step 'StepLast'. Press enter to continue.",
            "",
        ),
        (
            "Pausing before cleanup of step 'StepProvision'. Press enter to continue.",
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

/// A build that asks for a secret, repeats it, and asks for something else.
fn asking() -> Trial {
    let mut trial = Trial::with(
        "",
        "  provisioner \"trial\" { actions = [\"ask_hidden:the code?\", \"ask:and the colour?\"] }",
    );
    let log = trial.kiln.root().join("log").display().to_string();
    trial.kiln.env("PACKER_LOG", "1");
    trial.kiln.env("PACKER_LOG_PATH", &log);
    trial
}

#[test]
fn a_hidden_answer_is_neither_shown_nor_logged() -> Result<()> {
    let trial = asking();
    let mut terminal = trial.terminal(&["build", "-color=false", "t.pkr.hcl"])?;
    // What was typed before the question is no answer to it.
    terminal.press("too early\r")?;
    terminal.wait_for("the code? ")?;
    assert!(!terminal.echoes()?);
    terminal.press("tulip-4711\r")?;
    terminal.wait_for("answered <sensitive>")?;
    terminal.wait_for("and the colour? ")?;
    assert!(terminal.echoes()?);
    terminal.press("greenish\r")?;
    terminal.wait_for("greenish")?;
    terminal.wait_for("answered greenish")?;
    let (code, screen) = terminal.finish()?;
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("tulip"), "{screen}");
    let files = files_with(trial.kiln.root(), b"tulip")?;
    assert_eq!(files, Vec::<String>::new());
    assert!(!files_with(trial.kiln.root(), b"the code?")?.is_empty());
    Ok(())
}

#[test]
fn an_interrupt_at_a_hidden_question_gives_the_terminal_back() -> Result<()> {
    let trial = asking();
    let mut terminal = trial.terminal(&["build", "-color=false", "t.pkr.hcl"])?;
    terminal.wait_for("the code? ")?;
    assert!(!terminal.echoes()?);
    // Keys that would end or stop the program at once do nothing here.
    terminal.press("\x1c\x1a\x03")?;
    terminal.wait_for("Cleanly cancelled builds after being interrupted.")?;
    assert!(terminal.echoes()?);
    let (code, screen) = terminal.finish()?;
    assert_eq!(code, 1, "{screen}");
    nothing_is_left(&trial);
    Ok(())
}

/// Regular files below `folder` that contain `text`.
fn files_with(folder: &Path, text: &[u8]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            found.extend(files_with(&path, text)?);
        } else if kind.is_file() {
            let content = std::fs::read(&path)?;
            if content.windows(text.len()).any(|part| part == text) {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(found)
}
