//! Tools that tests need: found, or said loudly to be missing.

use std::process::Command;

/// Whether every program is installed. When one is not, says so; in CI that is a failure.
///
/// # Panics
///
/// With `CI` set, when a program is missing: there nothing may be skipped.
pub fn installed(programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|program| !is_installed(program))
        .collect();
    if missing.is_empty() {
        return true;
    }
    self::missing(&format!("{}; run tests/setup", missing.join(", ")));
    false
}

/// Says that a test cannot run without `what`; in CI that is a failure.
///
/// # Panics
///
/// With `CI` set: there nothing may be skipped.
pub fn missing(what: &str) {
    let text = format!("SKIPPED: this test needs {what}");
    assert!(std::env::var_os("CI").is_none(), "{text}");
    eprintln_loud(&text);
}

/// Prints what a person who repeats the test needs to know.
pub fn note(text: &str) {
    eprintln_loud(text);
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .any(|folder| std::path::Path::new(folder).join(program).is_file())
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn eprintln_loud(text: &str) {
    eprintln!("\n*** {text} ***\n");
}

/// Runs a program to its end and gives what it printed on standard output.
///
/// # Errors
///
/// When it cannot be started or fails; with what it printed.
pub fn output(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    anyhow::ensure!(
        output.status.success(),
        "{program} {arguments:?} failed with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
