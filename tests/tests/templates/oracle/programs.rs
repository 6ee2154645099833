//! Running both programs alike.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use kiln_tests::kiln::program_folder;

/// Which of the two.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    /// The program under test.
    Kiln,
    /// The one to compare with.
    Packer,
}

/// What a program printed, and its exit status.
#[derive(Debug, PartialEq)]
pub struct Ran {
    /// The exit status; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub text: String,
}

/// Packer without the second process that it starts of itself to catch panics: that takes half of
/// its time. It expects its streams at 3, 4 and 5 then.
fn packer() -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "exec packer \"$@\" 3<&0 4>&1 5>&2", "packer"])
        .env("PACKER_WRAP_COOKIE", "49C22B1A-3A93-4C98-97FA-E07D18C787B5");
    shell
}

/// A folder that both programs work in, and an own home.
#[derive(Debug)]
pub struct World {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
}

impl World {
    /// An empty folder.
    pub fn new() -> Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            home: tempfile::tempdir()?,
        })
    }

    /// Where both work.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file there.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// Runs a program to its end, there.
    pub fn run(&self, program: Program, words: &[&str]) -> Result<Ran> {
        self.run_with(program, words, "")
    }

    /// The same, with a text for standard input, which is a pipe.
    pub fn run_with(&self, program: Program, words: &[&str], input: &str) -> Result<Ran> {
        self.run_in(self.folder.path(), program, words, input)
    }

    /// The same, in another folder.
    pub fn run_in(
        &self,
        folder: &Path,
        program: Program,
        words: &[&str],
        input: &str,
    ) -> Result<Ran> {
        let mut child = match program {
            Program::Kiln => Command::new(program_folder().join("kiln")),
            Program::Packer => packer(),
        };
        let mut child = child
            .args(words)
            .current_dir(folder)
            .env("HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path().join("state"))
            .env("PACKER_NO_COLOR", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{program:?}"))?;
        let mut pipe = child.stdin.take().context("standard input is a pipe")?;
        let text = input.to_owned();
        let writer = std::thread::spawn(move || pipe.write_all(text.as_bytes()));
        let output = child.wait_with_output()?;
        // A program that ends before it has read everything is judged by what it said.
        drop(writer.join());
        Ok(Ran {
            code: output.status.code().unwrap_or(-1),
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
        })
    }
}
