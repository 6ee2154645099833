//! The program under test, in a world of its own.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// The longest any command may take before the test gives up on it.
const LIMIT: Duration = Duration::from_secs(1500);

/// The built program with an own home, cache, temporary folder and working folder.
#[derive(Debug)]
pub struct Kiln {
    root: TempDir,
    environment: Vec<(String, String)>,
}

/// What a command left.
#[derive(Debug)]
#[must_use]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output, where all text is.
    pub stdout: String,
    /// Standard error: the log, when there is one.
    pub stderr: String,
}

impl Finished {
    /// The exit code; `-1` after a signal.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// This, when the command succeeded.
    ///
    /// # Panics
    ///
    /// With everything it printed, when it did not.
    pub fn success(self) -> Self {
        assert!(
            self.status.success(),
            "kiln failed with {}:\n{self}",
            self.status
        );
        self
    }

    /// This, when the command failed with exit code 1.
    ///
    /// # Panics
    ///
    /// With everything it printed, when it did not.
    pub fn failure(self) -> Self {
        assert_eq!(self.code(), 1, "kiln was expected to fail:\n{self}");
        self
    }

    /// This, when its output has `text`.
    ///
    /// # Panics
    ///
    /// With everything it printed, when it has not.
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "the output lacks {text:?}:\n{self}"
        );
        self
    }

    /// This, when its output has not `text`.
    ///
    /// # Panics
    ///
    /// With everything it printed, when it has.
    pub fn lacks(self, text: &str) -> Self {
        assert!(
            !self.stdout.contains(text),
            "the output has {text:?}:\n{self}"
        );
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "--- stdout\n{}\n--- stderr\n{}\n---",
            self.stdout, self.stderr
        )
    }
}

/// Folder of the built programs.
///
/// # Panics
///
/// When the test does not run from a target folder.
pub fn program_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("tests lie in target/PROFILE/deps");
    assert!(
        folder.join("kiln").is_file(),
        "{} is not built: run `cargo build --workspace --bins` first",
        folder.join("kiln").display()
    );
    folder.to_owned()
}

/// The project's root folder.
///
/// # Panics
///
/// Never: this crate lies one folder below it.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests lies in the project's root")
}

impl Default for Kiln {
    fn default() -> Self {
        Self::new()
    }
}

impl Kiln {
    /// A world with nothing in it.
    ///
    /// # Panics
    ///
    /// When no temporary folder can be made.
    pub fn new() -> Self {
        let root = tempfile::Builder::new()
            .prefix("kt-")
            .tempdir()
            .expect("a temporary folder");
        for folder in ["home", "tmp", "work"] {
            std::fs::create_dir(root.path().join(folder)).expect("a folder in a new folder");
        }
        Self {
            root,
            environment: Vec::new(),
        }
    }

    /// Everything of this world.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The working folder.
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Sets a variable of the environment for all commands from now on.
    pub fn env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file into the working folder.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        let parent = path.parent().expect("a file has a folder");
        std::fs::create_dir_all(parent).expect("a folder in the working folder");
        std::fs::write(&path, text).expect("a file in the working folder");
        path
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be started or does not end.
    pub fn run(&self, words: &[&str]) -> Result<Finished> {
        self.start(words)?.finish(LIMIT)
    }

    /// Starts a command.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(&self, words: &[&str]) -> Result<Running> {
        let mut command = Command::new(program_folder().join("kiln"));
        command.args(words);
        self.start_command(command)
    }

    /// Starts a program of the test's choice in this world.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_command(&self, mut command: Command) -> Result<Running> {
        self.surround(&mut command);
        command.stdin(Stdio::null());
        let mut child = command.spawn().context("cannot start kiln")?;
        let (sender, chunks) = mpsc::channel();
        let stdout = child.stdout.take().context("no standard output")?;
        let stderr = child.stderr.take().context("no standard error")?;
        pump(stdout, Stream::Stdout, sender.clone());
        pump(stderr, Stream::Stderr, sender);
        Ok(Running {
            child,
            chunks,
            stdout: String::new(),
            stderr: String::new(),
        })
    }

    /// Gives a command the folders and the environment of this world, with its outputs in pipes.
    pub fn surround(&self, command: &mut Command) {
        let folder = |name: &str| self.root.path().join(name);
        command
            .current_dir(self.work())
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", folder("home"))
            .env("TMPDIR", folder("tmp"))
            .env("LANG", "C.UTF-8")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

fn pump(
    mut pipe: impl Read + Send + 'static,
    stream: Stream,
    sender: mpsc::Sender<(Stream, String)>,
) {
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if sender.send((stream, text)).is_err() {
                break;
            }
        }
    });
}

/// A command that runs.
#[derive(Debug)]
pub struct Running {
    child: Child,
    chunks: mpsc::Receiver<(Stream, String)>,
    stdout: String,
    stderr: String,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        })
    }
}

impl Running {
    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed on standard output so far.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// Waits until standard output has `text`.
    ///
    /// # Errors
    ///
    /// When it ends or `limit` passes before that.
    pub fn wait_for(&mut self, text: &str, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        while !self.stdout.contains(text) {
            let Some(left) = limit.checked_sub(begun.elapsed()) else {
                bail!("{text:?} did not come within {limit:?}:\n{}", self.stdout);
            };
            match self.chunks.recv_timeout(left) {
                Ok(chunk) => self.keep(chunk),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    bail!(
                        "it ended before {text:?} came:\n{}{}",
                        self.stdout,
                        self.stderr
                    );
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, (stream, text): (Stream, String)) {
        match stream {
            Stream::Stdout => self.stdout.push_str(&text),
            Stream::Stderr => self.stderr.push_str(&text),
        }
    }

    /// Sends it a signal by name: `INT`, `TERM`, `KILL`.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn signal(&self, name: &str) -> Result<()> {
        crate::tools::output("kill", &[&format!("-{name}"), &self.pid().to_string()]).map(drop)
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// When `limit` passes before that; it is killed then.
    pub fn finish(mut self, limit: Duration) -> Result<Finished> {
        let begun = Instant::now();
        let status = loop {
            while let Ok(chunk) = self.chunks.try_recv() {
                self.keep(chunk);
            }
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if begun.elapsed() > limit {
                self.child.kill()?;
                self.child.wait()?;
                bail!(
                    "it did not end within {limit:?}:\n{}{}",
                    self.stdout,
                    self.stderr
                );
            }
            if let Ok(chunk) = self.chunks.recv_timeout(Duration::from_millis(20)) {
                self.keep(chunk);
            }
        };
        // The pipes may be held by a process that outlived it; their rest is not waited for long.
        while let Ok(chunk) = self.chunks.recv_timeout(Duration::from_millis(500)) {
            self.keep(chunk);
        }
        let (stdout, stderr) = (
            std::mem::take(&mut self.stdout),
            std::mem::take(&mut self.stderr),
        );
        Ok(Finished {
            status,
            stdout,
            stderr,
        })
    }
}
