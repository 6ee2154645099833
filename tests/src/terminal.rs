//! A terminal with a program in it and a person at the keys.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::Kiln;

/// The longest a program may take to print what is waited for, or to end.
const LIMIT: Duration = Duration::from_secs(60);
/// The longest the last text of a program that ended may take to arrive.
const REST: Duration = Duration::from_secs(2);
/// Columns and lines.
const SIZE: Winsize = Winsize {
    ws_col: 200,
    ws_row: 50,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

/// A terminal.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keys: File,
    chunks: mpsc::Receiver<String>,
    screen: String,
    /// Bytes of the screen that have been waited for.
    seen: usize,
}

impl Terminal {
    /// Starts a program on a terminal of its own, in the world of `kiln`.
    ///
    /// # Errors
    ///
    /// When there is no terminal or the program cannot be started.
    pub fn start(kiln: &Kiln, mut command: Command) -> Result<Self> {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).context("no terminal")?;
        unlockpt(&keys)?;
        tcsetwinsize(&keys, SIZE)?;
        let name = ptsname(&keys, Vec::new())?;
        let screen: OwnedFd = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str()?)?
            .into();
        kiln.surround(&mut command);
        command
            .env("TERM", "xterm")
            .stdin(Stdio::from(screen.try_clone()?))
            .stdout(Stdio::from(screen.try_clone()?))
            .stderr(Stdio::from(screen));
        let child = command.spawn().context("cannot start the program")?;
        // The command keeps this side of the terminal open, which would hide the program's end.
        drop(command);
        let keys = File::from(keys);
        let chunks = pump(keys.try_clone()?);
        Ok(Self {
            child,
            keys,
            chunks,
            screen: String::new(),
            seen: 0,
        })
    }

    /// Presses keys.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        Ok(())
    }

    /// Whether the terminal shows what is typed.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn echoes(&self) -> Result<bool> {
        let modes = tcgetattr(&self.keys)?.local_modes;
        Ok(modes.contains(LocalModes::ECHO))
    }

    /// Waits until `text` is printed, behind everything that was waited for before.
    ///
    /// # Errors
    ///
    /// When it does not come in time.
    pub fn wait_for(&mut self, text: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.screen[self.seen..].find(text) {
                self.seen += at + text.len();
                return Ok(());
            }
            let left = LIMIT.saturating_sub(begun.elapsed());
            match self.chunks.recv_timeout(left) {
                Ok(chunk) => self.screen.push_str(&chunk),
                Err(_) => bail!("{text:?} did not come:\n{:?}", self.screen),
            }
        }
    }

    /// Waits for the program's end; its exit code and everything printed.
    ///
    /// # Errors
    ///
    /// When it does not end in time; it is killed then.
    pub fn finish(mut self) -> Result<(i32, String)> {
        let begun = Instant::now();
        loop {
            let chunk = self.chunks.recv_timeout(Duration::from_millis(20));
            self.screen.extend(chunk);
            if let Some(status) = self.child.try_wait()? {
                // What it printed last may still be on its way; the end of the terminal follows it,
                // unless another program holds it open.
                while let Ok(chunk) = self.chunks.recv_timeout(REST) {
                    self.screen.push_str(&chunk);
                }
                return Ok((status.code().unwrap_or(-1), self.screen.clone()));
            }
            if begun.elapsed() > LIMIT {
                bail!("it did not end:\n{:?}", self.screen);
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn pump(mut screen: File) -> mpsc::Receiver<String> {
    let (sender, chunks) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // Reading fails when the last program on the terminal has ended.
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if sender.send(text).is_err() {
                break;
            }
        }
    });
    chunks
}
