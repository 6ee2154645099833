//! A stand-in for a Windows with WinRM: `tests/winrm/server.py` on loopback.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::kiln::project;
use crate::tools;

/// Who may log in.
pub const USER: &str = "packer";
/// With what: characters that matter in URLs, XML, PowerShell and `cmd.exe`.
pub const PASSWORD: &str = "p%\"a&<ss>$wörd";

/// A running stand-in; ended when dropped.
#[derive(Debug)]
pub struct StandIn {
    child: Child,
    folder: TempDir,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// A Python with what the stand-in needs, unless it is missing, which is said.
pub fn python() -> Option<PathBuf> {
    let folder = project().join("target/winrm");
    if folder.join("ready-1").exists() {
        return Some(folder.join("bin/python"));
    }
    tools::missing("Python with pyspnego in target/winrm; run tests/setup");
    None
}

impl StandIn {
    /// Starts one with options of `server.py`; nothing when what it needs is not installed.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start(options: &[&str]) -> Result<Option<Self>> {
        let Some(python) = python() else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("winrm-").tempdir()?;
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("root"))?;
        std::fs::write(path("journal"), "")?;
        let mut child = Command::new(python)
            .arg("-B")
            .arg(project().join("tests/winrm/server.py"))
            .args(["--user", USER, "--password", PASSWORD])
            .arg("--root")
            .arg(path("root"))
            .arg("--journal")
            .arg(path("journal"))
            .arg("--ready")
            .arg(path("ready"))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(path("log"))?)
            .spawn()
            .context("cannot start the stand-in")?;
        let begun = Instant::now();
        while !path("ready").exists() {
            if begun.elapsed() > Duration::from_secs(30) || child.try_wait()?.is_some() {
                bail!("no stand-in: {}", std::fs::read_to_string(path("log"))?);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(path("ready"))?)?;
        let port = ready["port"].as_u64().context("no port")?;
        Ok(Some(Self {
            child,
            folder,
            port: u16::try_from(port)?,
        }))
    }

    /// A file of the guest: `C/Windows/x` is `C:\Windows\x`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    /// What was asked, in order: kinds and values.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn journal(&self) -> Result<Vec<(String, serde_json::Value)>> {
        let text = std::fs::read_to_string(self.folder.path().join("journal"))?;
        let entries = text.lines().map(|line| {
            let mut entry: serde_json::Value = serde_json::from_str(line)?;
            let kind = entry["kind"].as_str().unwrap_or_default().to_owned();
            Ok((kind, entry["value"].take()))
        });
        entries.collect()
    }

    /// How often something was asked.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub fn count(&self, kind: &str) -> Result<usize> {
        let journal = self.journal()?;
        Ok(journal.iter().filter(|(found, _)| found == kind).count())
    }

    /// Waits until something was asked `times` times.
    ///
    /// # Errors
    ///
    /// When that takes long; with the journal.
    pub fn wait_for(&self, kind: &str, times: usize) -> Result<()> {
        let begun = Instant::now();
        while self.count(kind)? < times {
            if begun.elapsed() > Duration::from_secs(60) {
                bail!("no {times} {kind}: {:?}", self.journal()?);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// What it complained about.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It ends when its input ends; killing is for one that hangs.
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if begun.elapsed() > Duration::from_secs(5) {
                drop(self.child.kill());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Makes a certificate for `name` that signs itself: paths of certificate, and of both with the key.
///
/// # Errors
///
/// When openssl fails.
pub fn certificate(folder: &Path, name: &str) -> Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let show = |path: &Path| path.display().to_string();
    tools::output(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=kiln-test",
            "-addext",
            &format!("subjectAltName={name}"),
            "-keyout",
            &show(&key),
            "-out",
            &show(&certificate),
        ],
    )?;
    let both = folder.join("both.pem");
    let mut text = Vec::new();
    for path in [&certificate, &key] {
        std::fs::File::open(path)?.read_to_end(&mut text)?;
    }
    std::fs::write(&both, text)?;
    Ok((certificate, both))
}
