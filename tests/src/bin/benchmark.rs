//! Benchmarks: kiln beside Debian's `packer` in the same run. Prints a Markdown table.
//!
//! ```text
//! tests/benchmark install [RUNS]    the mini Debian build, start to finish
//! tests/benchmark startup [RUNS]    version, validate, many null builds, many provisioners
//! ```

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kiln_tests::{fixture, kiln};

/// Time between two looks at the memory of all processes.
const LOOK: Duration = Duration::from_millis(50);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runs = words
        .get(1)
        .map_or(Ok(1), |word| word.parse())
        .context("RUNS is a number")?;
    match words.first().map(String::as_str) {
        Some("install") => install(runs),
        Some("startup") => startup(runs),
        _ => bail!("usage: tests/benchmark install|startup [RUNS]"),
    }
}

/// One measured command.
struct Measured {
    wall: Duration,
    /// Processor time of the command and all it waited for.
    processor: Duration,
    /// Most memory of all processes together, in KiB, and that without QEMU.
    peak_kib: (u64, u64),
    /// Each line of output with the time it came.
    lines: Vec<(Duration, String)>,
}

impl Measured {
    /// Time from the first line with `from` to the first later one with `to`.
    fn between(&self, from: &str, to: &str) -> Duration {
        let start = self.lines.iter().position(|line| line.1.contains(from));
        let Some(start) = start else {
            return Duration::ZERO;
        };
        let begun = self.lines[start].0;
        let ended = self.lines[start..].iter().find(|line| line.1.contains(to));
        ended.map_or(Duration::ZERO, |line| line.0.saturating_sub(begun))
    }
}

fn measure(program: &Path, words: &[&str], folder: &Path) -> Result<Measured> {
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

fn family(root: u32) -> Vec<u32> {
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

fn peers() -> Result<[(&'static str, PathBuf); 2]> {
    let packer = PathBuf::from("/usr/bin/packer");
    if !packer.exists() {
        bail!("Debian's packer is missing; run `tests/setup`");
    }
    let own = kiln_program()?;
    Ok([("packer 1.6.6", packer), ("kiln", own)])
}

/// The program beside this one.
fn kiln_program() -> Result<PathBuf> {
    let own = std::env::current_exe()?.with_file_name("kiln");
    if !own.exists() {
        bail!("{} is not built", own.display());
    }
    Ok(own)
}

fn seconds(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64())
}

fn median(mut values: Vec<Duration>) -> Duration {
    values.sort();
    values[values.len() / 2]
}

#[expect(
    clippy::print_stdout,
    reason = "the tables are what this program is for"
)]
fn print(line: &str) {
    println!("{line}");
}

fn install(runs: usize) -> Result<()> {
    let Some(fixture) = fixture::mini_debian() else {
        bail!("the fixture's tools are missing")
    };
    let template = kiln::project().join("tests/examples/mini-debian/mini.json");
    let mut walls = [Vec::new(), Vec::new()];
    print(
        "| run | program | wall s | typing s | waiting for SSH s | converting s | peak MiB | without QEMU MiB |",
    );
    print("|---|---|---|---|---|---|---|---|");
    for run in 1..=runs {
        for (index, (name, program)) in peers()?.into_iter().enumerate() {
            let folder = tempfile::tempdir()?;
            let fixture = format!("fixture={}", fixture.display());
            let template = template.display().to_string();
            let words = [
                "build",
                "-color=false",
                "-var",
                &fixture,
                "-var",
                "output=out",
                &template,
            ];
            let measured = measure(&program, &words, folder.path())?;
            let typing = measured.between("Typing the boot command", "to connect: ");
            let waiting = measured.between("to connect: ", "Connected to SSH!");
            let converting = measured.between("Converting hard drive", "Running post-processor");
            print(&format!(
                "| {run} | {name} | {} | {} | {} | {} | {} | {} |",
                seconds(measured.wall),
                seconds(typing),
                seconds(waiting),
                seconds(converting),
                measured.peak_kib.0 >> 10,
                measured.peak_kib.1 >> 10
            ));
            walls[index].push(measured.wall);
        }
    }
    let [packer, own] = walls.map(median);
    print(&format!(
        "\nkiln / packer wall: {:.2}",
        own.as_secs_f64() / packer.as_secs_f64()
    ));
    Ok(())
}

fn startup(runs: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let small = r#"{"builders": [{"type": "null", "communicator": "none"}]}"#;
    std::fs::write(path("small.json"), small)?;
    let builders: Vec<String> = (0..50)
        .map(|n| format!(r#"{{"type": "null", "name": "n{n}", "communicator": "none"}}"#))
        .collect();
    let local = r#"{"type": "shell-local", "command": "true"}"#;
    let many = format!(
        r#"{{"builders": [{}], "provisioners": [{local}]}}"#,
        builders.join(",")
    );
    std::fs::write(path("many.json"), many)?;
    let blocks = vec![local; 30].join(",");
    let long = format!(
        r#"{{"builders": [{{"type": "null", "communicator": "none"}}], "provisioners": [{blocks}]}}"#
    );
    std::fs::write(path("long.json"), long)?;
    let cases: [(&str, Vec<String>); 4] = [
        ("version", vec!["version".into()]),
        (
            "validate, one source",
            vec!["validate".into(), path("small.json")],
        ),
        (
            "50 null builds, 1 shell-local each",
            vec!["build".into(), path("many.json")],
        ),
        (
            "30 shell-local blocks on one null build",
            vec!["build".into(), path("long.json")],
        ),
    ];
    print("| case | program | wall s | CPU s | peak MiB | wall ratio | CPU ratio | memory ratio |");
    print("|---|---|---|---|---|---|---|---|");
    for (case, words) in cases {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut base: Option<(f64, f64, f64)> = None;
        for (name, program) in peers()? {
            drop(measure(&program, &words, folder.path())?);
            let mut all = Vec::new();
            for _ in 0..runs.max(3) {
                all.push(measure(&program, &words, folder.path())?);
            }
            let wall = median(all.iter().map(|m| m.wall).collect()).as_secs_f64();
            let cpu = median(all.iter().map(|m| m.processor).collect()).as_secs_f64();
            let memory = all.iter().map(|m| m.peak_kib.0).max().unwrap_or(0);
            let memory = f64::from(u32::try_from(memory).unwrap_or(u32::MAX)) / 1024.0;
            let ratio = base.map_or_else(String::new, |base| {
                format!(
                    "{:.2} | {:.2} | {:.2}",
                    wall / base.0,
                    cpu / base.1,
                    memory / base.2
                )
            });
            let ratio = if ratio.is_empty() {
                "1 | 1 | 1".to_owned()
            } else {
                ratio
            };
            print(&format!(
                "| {case} | {name} | {wall:.3} | {cpu:.3} | {memory:.0} | {ratio} |"
            ));
            base.get_or_insert((wall, cpu.max(0.001), memory.max(0.001)));
        }
    }
    Ok(())
}
