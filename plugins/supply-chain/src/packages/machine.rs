//! Databases of a running machine, over its communicator.

use kiln_sdk::communicator::{Command, Exit, Output};
use kiln_sdk::{Communicator, Failure, RunContext};
use tokio::sync::mpsc;

use super::Databases;

/// What is asked of `rpm` for every package, in this order.
pub(super) const RPM_FIELDS: [&str; 9] = [
    "NAME", "EPOCH", "VERSION", "RELEASE", "ARCH", "LICENSE", "VENDOR", "SUMMARY", "URL",
];
/// Files that are databases.
const FILES: [&str; 4] = [
    DPKG,
    "/lib/apk/db/installed",
    "/usr/lib/apk/db/installed",
    PACMAN,
];
const DPKG: &str = "/var/lib/dpkg/status";
const PACMAN: &str = "/var/lib/pacman/local";
/// The last line of the first command.
const END: &str = "kiln:end";
/// The largest database, in bytes: a machine that sends more is no machine.
const LARGEST_BYTES: usize = 256 << 20;
/// Pieces of output that may wait.
const QUEUE: usize = 64;

/// Reads every database there is below the folder `root` of the machine, usually `/`.
///
/// # Errors
///
/// A [`Failure`] when the machine has no shell, a database cannot be read, or there is none.
pub async fn read(
    cx: &RunContext,
    machine: &dyn Communicator,
    root: &str,
) -> Result<Databases, Failure> {
    let there = Shell { cx, machine, root };
    let present = there.present().await?;
    let has = |name: &str| present.iter().any(|found| found == name);
    let mut databases = Databases {
        os_release: there
            .run("cat \"$R/etc/os-release\" 2>/dev/null || cat \"$R/usr/lib/os-release\" 2>/dev/null || :")
            .await?,
        ..Databases::default()
    };
    if has(DPKG) {
        databases.dpkg = there.cat(DPKG).await?;
    }
    for path in FILES.iter().filter(|path| path.contains("/apk/")) {
        if has(path) && databases.apk.is_empty() {
            databases.apk = there.cat(path).await?;
        }
    }
    if has("rpm") {
        databases.rpm = there.run(&rpm_query()).await?;
    }
    if has(PACMAN) {
        let all = format!("for f in \"$R{PACMAN}\"/*/desc; do cat \"$f\" || exit 1; echo; done");
        databases.pacman = there.run(&all).await?;
    }
    if databases.is_empty() {
        return Err(Failure::new(format!(
            "the machine has no package database below `{root}` that can be read; dpkg, apk, rpm \
             and pacman are known"
        )));
    }
    Ok(databases)
}

/// How `rpm` is asked.
fn rpm_query() -> String {
    let fields = RPM_FIELDS.map(|field| format!("%{{{field}}}"));
    let format = fields.join("\\t");
    format!("rpm --root \"$R/\" -qa --queryformat \"{format}\\n\"")
}

struct Shell<'a> {
    cx: &'a RunContext,
    machine: &'a dyn Communicator,
    root: &'a str,
}

impl Shell<'_> {
    /// Names of the databases that are there.
    async fn present(&self) -> Result<Vec<String>, Failure> {
        let script = format!(
            "for f in {}; do if [ -e \"$R$f\" ]; then echo \"$f\"; fi; done; if command -v rpm \
             >/dev/null 2>&1; then echo rpm; fi; echo {END}",
            FILES.join(" ")
        );
        let printed = self.run(&script).await?;
        let mut lines: Vec<String> = printed.lines().map(|line| line.trim().to_owned()).collect();
        if lines.pop().is_none_or(|last| last != END) {
            return Err(Failure::new(
                "the machine did not run a POSIX shell command; package databases are read with \
                 `sh`, so this works on Linux guests only",
            ));
        }
        Ok(lines)
    }

    async fn cat(&self, path: &str) -> Result<String, Failure> {
        self.run(&format!("cat \"$R{path}\"")).await
    }

    /// What `script` prints. It has no single quotes, and `$R` is the root without its last slash.
    async fn run(&self, script: &str) -> Result<String, Failure> {
        let root = self.root.trim_end_matches('/').replace('\'', "'\\''");
        // Whatever shell the user has, this is understood.
        let command = Command::new(format!("env R='{root}' LC_ALL=C sh -c '{script}'"));
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        let collect = async {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            while let Some(output) = receiver.recv().await {
                let (kept, bytes) = match &output {
                    Output::Stdout(bytes) => (&mut stdout, bytes),
                    Output::Stderr(bytes) => (&mut stderr, bytes),
                };
                if kept.len() + bytes.len() <= LARGEST_BYTES {
                    kept.extend_from_slice(bytes);
                } else {
                    return Err(Failure::new(format!(
                        "the machine printed more than {} MiB for `{script}`",
                        LARGEST_BYTES >> 20
                    )));
                }
            }
            Ok((stdout, stderr))
        };
        let exec = async {
            let exit = self.machine.exec(command, sender).await;
            exit.map_err(|error| Failure::from_error(&error))
        };
        let both = async { tokio::try_join!(exec, collect) };
        let (exit, (stdout, stderr)) = self.cx.until_cancelled(both).await??;
        if exit != Exit::Code(0) {
            let seen = String::from_utf8_lossy(&stderr).trim().to_owned();
            return Err(Failure::new(format!(
                "reading a package database with `{script}` failed in the machine ({}): {seen}",
                shown(&exit)
            )));
        }
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }
}

fn shown(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("status {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::Disconnected(seen) => format!("the connection broke: {seen}"),
    }
}
