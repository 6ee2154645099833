//! One command: its time, its memory, when it printed what.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Time between two looks at the memory of all processes.
const LOOK: Duration = Duration::from_millis(50);

/// One measured command.
pub struct Measured {
    pub wall: Duration,
    /// Processor time of the command and all it waited for.
    pub processor: Duration,
    /// Most memory of all processes together, in KiB, and that without QEMU.
    pub peak_kib: (u64, u64),
    /// Each line of output with the time it came.
    pub lines: Vec<(Duration, String)>,
}

impl Measured {
    /// Time from the first line with `from` to the first later one with `to`.
    pub fn between(&self, from: &str, to: &str) -> Duration {
        let start = self.lines.iter().position(|line| line.1.contains(from));
        let Some(start) = start else {
            return Duration::ZERO;
        };
        let begun = self.lines[start].0;
        let ended = self.lines[start..].iter().find(|line| line.1.contains(to));
        ended.map_or(Duration::ZERO, |line| line.0.saturating_sub(begun))
    }
}

/// Runs a command in `folder`, which is its home, too.
///
/// # Errors
///
/// When it fails; with its output.
pub fn measure(program: &Path, words: &[&str], folder: &Path) -> Result<Measured> {
    let before = children_time();
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(words)
        .current_dir(folder)
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .env("CHECKPOINT_DISABLE", "1")
        .env_remove("PACKER_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let over = Arc::new(AtomicBool::new(false));
    let watch = {
        let (over, pid) = (over.clone(), child.id());
        std::thread::spawn(move || watch_memory(pid, &over))
    };
    let stdout = child.stdout.take().context("no standard output")?;
    let mut lines = Vec::new();
    for line in BufReader::new(stdout).lines() {
        lines.push((begun.elapsed(), line?));
    }
    let status = child.wait()?;
    let wall = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    let peak_kib = watch
        .join()
        .map_err(|_| anyhow::anyhow!("the watcher failed"))?;
    if !status.success() {
        let text: Vec<&str> = lines.iter().map(|line| line.1.as_str()).collect();
        bail!(
            "{} {words:?} failed with {status}:\n{}",
            program.display(),
            text.join("\n")
        );
    }
    Ok(Measured {
        wall,
        processor: children_time().saturating_sub(before),
        peak_kib,
        lines,
    })
}

/// Processor time of all children that ended, theirs included.
fn children_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks: u64 = fields
        .iter()
        .skip(13)
        .take(2)
        .filter_map(|f| f.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// Sums up what a process and all its descendants keep in memory (their share of shared pages)
/// until it is over.
fn watch_memory(root: u32, over: &AtomicBool) -> (u64, u64) {
    let (mut peak, mut peak_without) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        let (mut all, mut qemu) = (0, 0);
        for pid in family(root) {
            let rollup = format!("/proc/{pid}/smaps_rollup");
            let share = std::fs::read_to_string(rollup).unwrap_or_default();
            let kib = share
                .lines()
                .find_map(|line| line.strip_prefix("Pss:"))
                .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
                .unwrap_or(0);
            all += kib;
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.starts_with("qemu") {
                qemu += kib;
            }
        }
        peak = peak.max(all);
        peak_without = peak_without.max(all - qemu);
        std::thread::sleep(LOOK);
    }
    (peak, peak_without)
}

/// A process and all below it.
pub fn family(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        parents.push((pid, parent.unwrap_or(0_u32)));
    }
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(
            parents
                .iter()
                .filter(|pair| pair.1 == parent)
                .map(|pair| pair.0),
        );
        next += 1;
    }
    found
}

/// The programs to compare, the one to compare with first.
///
/// # Errors
///
/// When one is missing.
pub fn peers() -> Result<[(&'static str, PathBuf); 2]> {
    let packer = PathBuf::from("/usr/bin/packer");
    if !packer.exists() {
        bail!("Debian's packer is missing; run `tests/setup`");
    }
    let own = kiln_program()?;
    Ok([("packer 1.6.6", packer), ("kiln", own)])
}

/// The program beside this one.
///
/// # Errors
///
/// When it is not built.
pub fn kiln_program() -> Result<PathBuf> {
    let own = std::env::current_exe()?.with_file_name("kiln");
    if !own.exists() {
        bail!("{} is not built", own.display());
    }
    Ok(own)
}

/// Seconds with two digits.
pub fn seconds(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64())
}

/// The one in the middle.
///
/// # Panics
///
/// When there is none.
pub fn median(mut values: Vec<Duration>) -> Duration {
    values.sort();
    values[values.len() / 2]
}

#[expect(
    clippy::print_stdout,
    reason = "the tables are what this program is for"
)]
/// Prints a line of a table.
pub fn print(line: &str) {
    println!("{line}");
}
