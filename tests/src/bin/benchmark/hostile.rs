//! Templates made to break the program: how long it takes to say no.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Result;
use kiln_tests::hostile::cases;
use kiln_tests::peak::Peak;

use crate::measure::{kiln_program, print, seconds};

/// Measures every case once.
///
/// # Errors
///
/// When the program cannot be started.
pub fn hostile() -> Result<()> {
    print("| case | command | wall s | peak MiB | exit status |");
    print("|---|---|---|---|---|");
    for case in cases() {
        let folder = tempfile::tempdir()?;
        let home = tempfile::tempdir()?;
        case.write(folder.path());
        for words in &case.commands {
            let begun = Instant::now();
            let mut child = Command::new(kiln_program()?)
                .args(words)
                .current_dir(folder.path())
                .env("HOME", home.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            let peak = Peak::of(child.id());
            let status = child.wait()?.code().unwrap_or(-1);
            let (wall, peak) = (seconds(begun.elapsed()), peak.mib());
            let (name, command) = (&case.name, words.first().unwrap_or(&""));
            print(&format!(
                "| {name} | {command} | {wall} | {peak} | {status} |"
            ));
        }
    }
    Ok(())
}
