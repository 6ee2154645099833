//! The benchmarks when they are stopped.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kiln_tests::kiln::program_folder;
use kiln_tests::{Kiln, tools};

/// How long a line may take to come, and the end to be over.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_stopped_benchmark_leaves_neither_servers_nor_files() -> Result<()> {
    if !tools::installed(&["sshd", "ssh", "setpriv", "unshare"]) {
        return Ok(());
    }
    for signal in ["INT", "TERM", "KILL"] {
        let kiln = Kiln::new();
        let mut command = Command::new(program_folder().join("benchmark"));
        command.args(["transfers", "1"]);
        let mut running = kiln.start_command(command)?;
        running.wait_for("connecting (`ssh true`)", LIMIT)?;
        let started = below(running.pid());
        let folder = folder_of(&started)?;
        ensure!(folder.is_dir(), "{} is not there", folder.display());
        running.signal(signal)?;
        drop(running.finish(LIMIT)?);
        let begun = Instant::now();
        loop {
            let processes: Vec<_> = started.iter().filter(|(id, _)| runs(*id)).collect();
            if processes.is_empty() && !folder.exists() {
                break;
            }
            ensure!(
                begun.elapsed() < LIMIT,
                "after {signal}: {processes:#?}, {} is there: {}",
                folder.display(),
                folder.exists()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

/// The processes below one, with their command lines.
fn below(root: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let folder = format!("/proc/{root}/task/{root}/children");
    let children = std::fs::read_to_string(folder).unwrap_or_default();
    for id in children.split_whitespace().filter_map(|id| id.parse().ok()) {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        found.push((id, line));
        found.extend(below(id));
    }
    found
}

/// Whether a process has not ended; one that was not waited for has.
fn runs(id: u32) -> bool {
    std::fs::read_link(format!("/proc/{id}/exe")).is_ok()
}

/// The folder that the benchmark's SSH server has its files in.
fn folder_of(processes: &[(u32, String)]) -> Result<PathBuf> {
    let words = processes.iter().flat_map(|(_, line)| line.split(' '));
    let folder = words.filter_map(|word| word.strip_suffix("/sshd/config"));
    let folder = folder.map(PathBuf::from).next();
    folder.with_context(|| format!("no SSH server runs: {processes:#?}"))
}
