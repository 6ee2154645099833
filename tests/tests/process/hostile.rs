//! Templates made to break the program: each ends with an error that says where, and within a
//! memory that any machine has. `tests/benchmark hostile` measures the time.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use kiln_tests::hostile::{Case, cases};
use kiln_tests::kiln::program_folder;
use kiln_tests::peak::Peak;
use kiln_tests::{Kiln, leftovers};

/// The most a command may have in memory.
const MOST_MIB: u64 = 512;
/// The most it can have in its address space, so that a failure of this test harms no others.
const MOST_ADDRESSES: &str = "--as=4294967296";
/// The most it may print of something that is wrong.
const MOST_OUTPUT: usize = 500_000;
/// A guard against a hang; what is fast is fast, see the benchmark.
const GUARD: Duration = Duration::from_secs(300);

/// What is wrong with how the program deals with `case`; empty when nothing is.
fn check(case: &Case) -> Result<Vec<String>> {
    let kiln = Kiln::new();
    case.write(&kiln.work());
    let mut wrong = Vec::new();
    for words in &case.commands {
        let mut command = Command::new("prlimit");
        command
            .arg(MOST_ADDRESSES)
            .arg(program_folder().join("kiln"));
        command.args(words);
        let running = kiln.start_command(command)?;
        let peak = Peak::of(running.pid());
        let finished = running.finish(GUARD)?;
        let mib = peak.mib();
        let mut blame = |what: String| {
            let shown: String = finished.stdout.chars().take(600).collect();
            wrong.push(format!(
                "{}: {words:?} {what}:\n{shown}\n{}",
                case.name, finished.stderr
            ));
        };
        if mib >= MOST_MIB {
            blame(format!("took {mib} MiB"));
        }
        let expected = if case.says.is_empty() {
            &[0, 3][..]
        } else {
            &[1][..]
        };
        if !expected.contains(&finished.code()) {
            // Some commands have no need to look at what is wrong; then it must not hurt them.
            let harmless = matches!(words[0], "inspect" | "fmt" | "fix" | "hcl2_upgrade");
            if !harmless || !matches!(finished.code(), 0 | 1 | 3) {
                blame(format!("ended with {}", finished.status));
            }
        }
        if finished.code() == 1 {
            for text in &case.says {
                if !finished.stdout.contains(text.as_str()) {
                    blame(format!("does not say {text:?}"));
                }
            }
            if finished.stdout.len() > MOST_OUTPUT {
                blame(format!("says {} bytes", finished.stdout.len()));
            }
        }
    }
    wrong.extend(leftovers::of(&kiln, Duration::from_secs(5)));
    Ok(wrong)
}

#[test]
fn hostile_templates_end_with_an_error_in_little_memory() -> Result<()> {
    let mut wrong = Vec::new();
    for case in cases() {
        wrong.extend(check(&case)?);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}
