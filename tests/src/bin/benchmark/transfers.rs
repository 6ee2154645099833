//! Files and trees over SSH: kiln beside OpenSSH's own tools, over links of 0, 20 and 100 ms.
//!
//! The peers' times include their connecting, which `ssh true` shows alone. kiln's time is that of
//! its provisioner, from the line that announces the transfer to the end of the build; its whole
//! build is shown, too. Every copy is compared with its source.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kiln_tests::sshd::Sshd;
use kiln_tests::tools;

use crate::delay::Delay;
use crate::measure::{kiln_program, measure, median, print, seconds};
use crate::place::{self, Place};

/// Size of the large file, in MiB, and of the one that memory is compared with.
const LARGE_MIB: u64 = 512;
const SMALLER_MIB: u64 = 64;
/// Round trips, in milliseconds.
const ROUND_TRIPS: [u64; 3] = [0, 20, 100];
/// Files of the tree, and the size of each, in bytes.
const FILES: usize = 10_000;
const FILE_BYTES: usize = 4096;
/// The best ways of kiln must be at least this fast, as a share of the peer's speed.
const LARGE_SHARE: f64 = 1.0;
const SMALL_SHARE: f64 = 0.9;

/// Measures all links, `runs` times each.
///
/// # Errors
///
/// When a tool is missing or fails, or a copy differs from its source.
pub fn transfers(runs: usize) -> Result<()> {
    let own = std::env::current_exe()?;
    let netem = has_netem();
    print(if netem {
        "Links: a network namespace whose loopback has a delay (netem)."
    } else {
        "Links: this kernel has no netem; a proxy in the benchmark delays both directions instead."
    });
    for milliseconds in ROUND_TRIPS {
        let mut command = if netem {
            let mut command = Command::new("unshare");
            command.arg("--net").arg(&own);
            command
        } else {
            Command::new(&own)
        };
        let link = if netem { "netem" } else { "proxy" };
        let status = command
            .args(["transfers-at", &runs.to_string()])
            .args([&milliseconds.to_string(), link])
            .status()?;
        if !status.success() {
            place::remove_abandoned();
            bail!("measuring a link of {milliseconds} ms failed with {status}");
        }
    }
    Ok(())
}

/// Whether a namespace of ours may delay its packets.
fn has_netem() -> bool {
    let script = "ip link set lo up && tc qdisc add dev lo root netem delay 1ms";
    Command::new("unshare")
        .args(["--net", "sh", "-c", script])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Measures one link; with `netem` this runs in a namespace of its own.
///
/// # Errors
///
/// As [`transfers`].
pub fn transfers_at(runs: usize, words: &[String]) -> Result<()> {
    let [milliseconds, link] = words else {
        bail!("transfers-at is for the benchmark itself");
    };
    let round_trip = Duration::from_millis(milliseconds.parse()?);
    if link == "netem" {
        let one_way = format!("{}us", round_trip.as_micros() / 2);
        tools::output("ip", &["link", "set", "lo", "up"])?;
        if !round_trip.is_zero() {
            let delay = ["qdisc", "add", "dev", "lo", "root", "netem", "delay"];
            let words = [&delay[..], &[&one_way, "limit", "1000000"]].concat();
            tools::output("tc", &words)?;
        }
    }
    place::end_with_parent()?;
    let folder = Place::new("transfers")?;
    let server = Sshd::start_bound(&make_folder(folder.path(), "sshd")?)?;
    let delay = match link.as_str() {
        "proxy" if !round_trip.is_zero() => Some(Delay::start(server.port, round_trip / 2)?),
        _ => None,
    };
    let port = delay.as_ref().map_or(server.port, |delay| delay.port);
    let ground = Ground::new(folder.path(), &server, port)?;
    print(&format!(
        "\nRound trip {milliseconds} ms, {runs} run(s), median; connecting (`ssh true`): {} s\n",
        seconds(ground.connecting(runs)?)
    ));
    ground.large(runs)?;
    ground.small(runs)
}

/// Everything one link is measured with.
struct Ground {
    folder: PathBuf,
    /// `ssh` and its kin are told the way by this file.
    ssh_config: String,
    source_block: String,
}

/// One way of moving something.
struct Way<'a> {
    name: &'a str,
    /// A command line, or kiln with this method.
    how: How,
}

enum How {
    Shell(String),
    Kiln { method: &'static str },
}

/// Which way it goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    fn word(self) -> &'static str {
        match self {
            Self::Up => "upload",
            Self::Down => "download",
        }
    }
}

/// What one way took.
struct Taken {
    transfer: Vec<Duration>,
    whole: Vec<Duration>,
    processor: Vec<Duration>,
    peak_kib: u64,
}

impl Ground {
    fn new(folder: &Path, server: &Sshd, port: u16) -> Result<Self> {
        let key = server.key.display();
        let user = &server.user;
        let config = format!(
            "Host machine\n HostName 127.0.0.1\n Port {port}\n User {user}\n IdentityFile {key}\n \
             IdentitiesOnly yes\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n \
             LogLevel ERROR\n"
        );
        let file = folder.join("ssh_config");
        std::fs::write(&file, config)?;
        let source_block = format!(
            "source \"null\" \"n\" {{\n ssh_host = \"127.0.0.1\"\n ssh_port = {port}\n \
             ssh_username = \"{user}\"\n ssh_private_key_file = \"{key}\"\n"
        );
        Ok(Self {
            folder: folder.to_owned(),
            ssh_config: file.display().to_string(),
            source_block,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The time a peer needs before anything is transferred.
    fn connecting(&self, runs: usize) -> Result<Duration> {
        let line = format!("ssh -F {} machine true", self.ssh_config);
        let times = (0..runs.max(3)).map(|_| {
            let measured = measure(Path::new("/bin/sh"), &["-c", &line], &self.folder)?;
            Ok(measured.wall)
        });
        Ok(median(times.collect::<Result<_>>()?))
    }

    /// The large file, both ways.
    fn large(&self, runs: usize) -> Result<()> {
        for (name, mib) in [("large", LARGE_MIB), ("smaller", SMALLER_MIB)] {
            random_file(&self.path(name), mib << 20)?;
        }
        let (config, at) = (&self.ssh_config, self.folder.display());
        for direction in [Direction::Up, Direction::Down] {
            let (from, to) = match direction {
                Direction::Up => (format!("{at}/large"), format!("machine:{at}/copy")),
                Direction::Down => (format!("machine:{at}/large"), format!("{at}/copy")),
            };
            let batch = match direction {
                Direction::Up => format!("put {at}/large {at}/copy"),
                Direction::Down => format!("get {at}/large {at}/copy"),
            };
            let ways = [
                shell("scp", format!("scp -q -F {config} {from} {to}")),
                shell("scp -O", format!("scp -O -q -F {config} {from} {to}")),
                shell(
                    "sftp",
                    format!("echo '{batch}' | sftp -q -b - -F {config} machine"),
                ),
                kiln("kiln, scp", "scp"),
                kiln("kiln, sftp", "sftp"),
            ];
            let title = format!("{LARGE_MIB} MiB {}", direction.word());
            let taken = self.rounds(&ways, runs, direction, "large")?;
            report(&title, &ways, &taken, LARGE_SHARE);
            for (way, taken) in ways.iter().zip(&taken) {
                if let How::Kiln { .. } = way.how {
                    let smaller = self.once(way, direction, "smaller")?;
                    print(&format!(
                        "{}: peak memory of all its processes {} MiB, with {SMALLER_MIB} MiB {} MiB",
                        way.name,
                        taken.peak_kib >> 10,
                        smaller.peak_kib >> 10
                    ));
                }
            }
        }
        for name in ["large", "smaller"] {
            std::fs::remove_file(self.path(name))?;
        }
        Ok(())
    }

    /// The tree of small files, both ways.
    fn small(&self, runs: usize) -> Result<()> {
        let tree = self.path("tree");
        for number in 0..FILES {
            let folder = tree.join(format!("d{}", number % 100));
            std::fs::create_dir_all(&folder)?;
            let mut content = format!("file {number}\n").into_bytes();
            content.resize(FILE_BYTES, b'.');
            std::fs::write(folder.join(format!("f{number}")), content)?;
        }
        let (config, at) = (&self.ssh_config, self.folder.display());
        let target = format!("mkdir -p {at}/copy && tar -xf - -C {at}/copy");
        for direction in [Direction::Up, Direction::Down] {
            let line = match direction {
                Direction::Up => {
                    format!("tar -cf - -C {at}/tree . | ssh -F {config} machine '{target}'")
                }
                Direction::Down => {
                    format!("ssh -F {config} machine 'tar -cf - -C {at}/tree .' | ({target})")
                }
            };
            let ways = [shell("tar | ssh tar", line), kiln("kiln", "scp")];
            let title = format!("{FILES} x {FILE_BYTES} bytes {}", direction.word());
            let taken = self.rounds(&ways, runs, direction, "tree/")?;
            report(&title, &ways, &taken, SMALL_SHARE);
        }
        Ok(std::fs::remove_dir_all(tree)?)
    }

    /// Every way `runs` times, one after the other, so that what else the machine does hits all.
    fn rounds(
        &self,
        ways: &[Way<'_>],
        runs: usize,
        direction: Direction,
        source: &str,
    ) -> Result<Vec<Taken>> {
        let mut all: Vec<Taken> = Vec::new();
        for _ in 0..runs {
            for (index, way) in ways.iter().enumerate() {
                let mut one = self.once(way, direction, source)?;
                match all.get_mut(index) {
                    None => all.push(one),
                    Some(taken) => {
                        taken.transfer.append(&mut one.transfer);
                        taken.whole.append(&mut one.whole);
                        taken.processor.append(&mut one.processor);
                        taken.peak_kib = taken.peak_kib.max(one.peak_kib);
                    }
                }
            }
        }
        Ok(all)
    }

    /// One way, once; the copy is compared and removed.
    fn once(&self, way: &Way<'_>, direction: Direction, source: &str) -> Result<Taken> {
        let copy = self.path("copy");
        let measured = match &way.how {
            How::Shell(line) => measure(Path::new("/bin/sh"), &["-c", line], &self.folder)?,
            How::Kiln { method } => {
                let template = format!(
                    "{} ssh_file_transfer_method = \"{method}\"\n}}\nbuild {{\n sources = \
                     [\"null.n\"]\n provisioner \"file\" {{\n  direction = \"{}\"\n  source = \
                     \"{}\"\n  destination = \"{}\"\n }}\n}}\n",
                    self.source_block,
                    direction.word(),
                    self.path(source).display(),
                    copy.display()
                );
                std::fs::write(self.path("t.pkr.hcl"), template)?;
                let words = ["build", "-color=false", "t.pkr.hcl"];
                measure(&kiln_program()?, &words, &self.folder)?
            }
        };
        let transfer = match way.how {
            How::Shell(_) => measured.wall,
            How::Kiln { .. } => measured.between("loading ", "finished after"),
        };
        let [original, copied] = [self.path(source), copy.clone()].map(|path| {
            let text = path.display().to_string();
            text.trim_end_matches('/').to_owned()
        });
        tools::output("diff", &["-rq", &original, &copied])
            .with_context(|| format!("{}: the copy differs", way.name))?;
        if copy.is_dir() {
            std::fs::remove_dir_all(copy)?;
        } else {
            std::fs::remove_file(copy)?;
        }
        Ok(Taken {
            transfer: vec![transfer],
            whole: vec![measured.wall],
            processor: vec![measured.processor],
            peak_kib: measured.peak_kib.0,
        })
    }
}

fn shell(name: &str, line: String) -> Way<'_> {
    let how = How::Shell(line);
    Way { name, how }
}

fn kiln(name: &'static str, method: &'static str) -> Way<'static> {
    let how = How::Kiln { method };
    Way { name, how }
}

/// Prints the table; a way of kiln's that is slower than `share` of the best peer is marked.
fn report(title: &str, ways: &[Way<'_>], taken: &[Taken], share: f64) {
    let best = ways
        .iter()
        .zip(taken)
        .filter(|(way, _)| matches!(way.how, How::Shell(_)))
        .map(|(_, taken)| median(taken.transfer.clone()))
        .min()
        .unwrap_or_default();
    print(&format!(
        "\n| {title} | transfer s | whole s | CPU s of the client | speed / best peer |"
    ));
    print("|---|---|---|---|---|");
    for (way, taken) in ways.iter().zip(taken) {
        let transfer = median(taken.transfer.clone());
        let ratio = best.as_secs_f64() / transfer.as_secs_f64().max(0.001);
        let mark = match way.how {
            How::Kiln { .. } if ratio < share => " (too slow)",
            _ => "",
        };
        print(&format!(
            "| {} | {} | {} | {} | {ratio:.2}{mark} |",
            way.name,
            seconds(transfer),
            seconds(median(taken.whole.clone())),
            seconds(median(taken.processor.clone())),
        ));
    }
}

fn make_folder(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    std::fs::create_dir(&path)?;
    Ok(path)
}

/// A file whose content cannot be compressed.
fn random_file(path: &Path, bytes: u64) -> Result<()> {
    let mut random = std::io::Read::take(std::fs::File::open("/dev/urandom")?, bytes);
    std::io::copy(&mut random, &mut std::fs::File::create(path)?)?;
    Ok(())
}
