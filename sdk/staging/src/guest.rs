//! A machine as the provisioners of configuration tools see it.

use std::path::Path;

use sdk_communicator::tree::{ReadOptions, Symlinks, read_local};
use sdk_communicator::{Command, Communicator, Exit, FileTarget, capture};
use sdk_component::{Failure, RunContext, run_remote};

use crate::{GuestOs, quote};

/// Whether commands that may need root's rights get them from `sudo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sudo {
    /// `sudo` goes before the command.
    Use,
    /// The command runs as it is.
    Avoid,
}

impl Sudo {
    /// What an option like `prevent_sudo` or `disable_sudo` means. Windows has no `sudo`.
    #[must_use]
    pub fn unless(prevented: bool, os: GuestOs) -> Self {
        if prevented || os == GuestOs::Windows {
            Self::Avoid
        } else {
            Self::Use
        }
    }

    /// Whether it is [`Sudo::Use`].
    #[must_use]
    pub fn is_used(self) -> bool {
        self == Self::Use
    }
}

/// A machine that a configuration tool is to run in. Everything it prints is shown.
#[derive(Clone, Copy)]
pub struct Guest<'a> {
    /// The run; a cancellation ends every operation.
    pub cx: &'a RunContext,
    /// How to talk to it.
    pub machine: &'a dyn Communicator,
    /// What it is.
    pub os: GuestOs,
    /// Whether folders are made and removed with more rights.
    pub sudo: Sudo,
}

impl Guest<'_> {
    /// Runs `command`; how it ended is the caller's to judge.
    ///
    /// # Errors
    ///
    /// When it could not be started, or the run was cancelled.
    pub async fn run(&self, command: &str) -> Result<Exit, Failure> {
        tracing::debug!(command, "command in the guest");
        run_remote(self.cx, self.machine, Command::new(command)).await
    }

    /// Runs `command`, which has to end with 0; `what` begins the message when it does not.
    ///
    /// # Errors
    ///
    /// As [`Guest::run`], and when it ends in another way.
    pub async fn must(&self, what: &str, command: &str) -> Result<(), Failure> {
        match self.run(command).await? {
            Exit::Code(0) => Ok(()),
            exit => Err(Failure::new(format!("{what}: {}", ended(&exit)))),
        }
    }

    /// Runs `command` without showing what it prints; whether it ended with 0.
    ///
    /// # Errors
    ///
    /// As [`Guest::run`], and when the connection broke.
    pub async fn succeeds(&self, command: &str) -> Result<bool, Failure> {
        let run = capture(self.machine, Command::new(command));
        let captured = self.cx.until_cancelled(run).await?;
        match captured.map_err(|error| Failure::from_error(&error))?.exit {
            Exit::Disconnected(seen) => Err(Failure::new(format!(
                "the connection broke during `{command}`: {seen}"
            ))),
            exit => Ok(exit == Exit::Code(0)),
        }
    }

    /// `command`, with more rights where they are used.
    #[must_use]
    pub fn privileged(&self, command: &str) -> String {
        if self.sudo.is_used() {
            format!("sudo {command}")
        } else {
            command.to_owned()
        }
    }

    /// Whether a Unix machine finds `program`, with more rights where they are used: `sudo` ends with
    /// 1 when it does not, which could mean anything.
    ///
    /// # Errors
    ///
    /// As [`Guest::succeeds`].
    pub async fn has_program(&self, program: &str) -> Result<bool, Failure> {
        let look = format!(
            "command -v {} >/dev/null",
            quote::posix_when_needed(program)
        );
        let look = format!("sh -c {}", quote::posix(&look));
        self.succeeds(&self.privileged(&look)).await
    }

    /// Makes the folder `path` and those above it, and lets everybody write into it: it may belong
    /// to root, and files are put there by the user of the connection.
    ///
    /// # Errors
    ///
    /// As [`Guest::must`].
    pub async fn make_open_folder(&self, path: &str) -> Result<(), Failure> {
        self.cx.say(format!("Creating directory: {path}")).await;
        let what = format!("cannot create folder `{path}` in the machine");
        self.must(&what, &self.privileged(&self.make_command(path)))
            .await?;
        if self.os == GuestOs::Unix {
            let open = format!("chmod 0777 {}", quote::posix(path));
            let what = format!("cannot open folder `{path}` of the machine to its users");
            self.must(&what, &self.privileged(&open)).await?;
        }
        Ok(())
    }

    /// Makes the folder `path` and those above it as the user of the connection.
    ///
    /// # Errors
    ///
    /// As [`Guest::must`].
    pub async fn make_own_folder(&self, path: &str) -> Result<(), Failure> {
        self.cx.say(format!("Creating directory: {path}")).await;
        let what = format!("cannot create folder `{path}` in the machine");
        self.must(&what, &self.make_command(path)).await
    }

    /// The command that makes the folder `path` and those above it.
    #[must_use]
    pub fn make_command(&self, path: &str) -> String {
        match self.os {
            GuestOs::Unix => format!("mkdir -p {}", quote::posix(path)),
            GuestOs::Windows => powershell(&format!(
                "New-Item -ItemType directory -Force -ErrorAction Stop -Path {} | Out-Null",
                quote::powershell(path)
            )),
        }
    }

    /// Removes `path` with everything in it; nothing happens when it is not there.
    ///
    /// # Errors
    ///
    /// As [`Guest::must`].
    pub async fn remove(&self, path: &str) -> Result<(), Failure> {
        let command = match self.os {
            GuestOs::Unix => self.privileged(&format!("rm -rf {}", quote::posix(path))),
            GuestOs::Windows => {
                let path = quote::powershell(path);
                powershell(&format!(
                    "if (Test-Path -LiteralPath {path}) {{ Remove-Item -LiteralPath {path} \
                     -Recurse -Force -ErrorAction Stop }}"
                ))
            }
        };
        self.must(
            &format!("cannot remove `{path}` from the machine"),
            &command,
        )
        .await
    }

    /// Moves `from` to `to`, in whose place nothing may be.
    ///
    /// # Errors
    ///
    /// As [`Guest::must`].
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), Failure> {
        let command = match self.os {
            GuestOs::Unix => {
                self.privileged(&format!("mv {} {}", quote::posix(from), quote::posix(to)))
            }
            GuestOs::Windows => powershell(&format!(
                "Move-Item -LiteralPath {} -Destination {} -Force -ErrorAction Stop",
                quote::powershell(from),
                quote::powershell(to)
            )),
        };
        self.must(
            &format!("cannot move `{from}` to `{to}` in the machine"),
            &command,
        )
        .await
    }

    /// Whether there is something at `path`.
    ///
    /// # Errors
    ///
    /// As [`Guest::succeeds`].
    pub async fn exists(&self, path: &str) -> Result<bool, Failure> {
        let command = match self.os {
            GuestOs::Unix => self.privileged(&format!("test -e {}", quote::posix(path))),
            GuestOs::Windows => powershell(&format!(
                "if (Test-Path -LiteralPath {}) {{ exit 0 }} else {{ exit 1 }}",
                quote::powershell(path)
            )),
        };
        self.succeeds(&command).await
    }

    /// Puts the file `local` at `remote`, with its own permissions.
    ///
    /// # Errors
    ///
    /// When it cannot be read, not be written, or the run was cancelled.
    pub async fn upload_file(&self, local: &Path, remote: &str) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot read `{}`: {error}", local.display()))
        };
        let file = tokio::fs::File::open(local).await.map_err(failed)?;
        let metadata = file.metadata().await.map_err(failed)?;
        let target = FileTarget {
            path: remote.to_owned(),
            mode: std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777,
            size: Some(metadata.len()),
        };
        let upload = self.machine.upload(target, Box::new(file));
        let uploaded = self.cx.until_cancelled(upload).await?;
        uploaded.map(drop).map_err(|error| {
            let failure = Failure::from_error(&error);
            Failure::new(format!("cannot upload `{}`: {failure}", local.display()))
        })
    }

    /// Writes `text` into the file `remote` with permissions `mode`.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or the run was cancelled.
    pub async fn upload_text(&self, text: &str, remote: &str, mode: u32) -> Result<(), Failure> {
        self.upload_bytes(text.as_bytes().to_vec(), remote, mode)
            .await
    }

    /// The same for bytes that need be no text.
    ///
    /// # Errors
    ///
    /// As [`Guest::upload_text`].
    pub async fn upload_bytes(
        &self,
        bytes: Vec<u8>,
        remote: &str,
        mode: u32,
    ) -> Result<(), Failure> {
        let target = FileTarget {
            path: remote.to_owned(),
            mode,
            size: Some(bytes.len() as u64),
        };
        let source = std::io::Cursor::new(bytes);
        let upload = self.machine.upload(target, Box::new(source));
        let uploaded = self.cx.until_cancelled(upload).await?;
        uploaded.map(drop).map_err(|error| {
            let failure = Failure::from_error(&error);
            Failure::new(format!("cannot write `{remote}` in the machine: {failure}"))
        })
    }

    /// Puts what is in the folder `local` into the folder `remote`. Symbolic links are followed: what
    /// they point to here may not be there.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written, or the run was cancelled.
    pub async fn upload_folder(&self, local: &Path, remote: &str) -> Result<(), Failure> {
        self.upload_folder_without(local, remote, &[]).await
    }

    /// The same without what has one of the names in `exclude`, wherever it is.
    ///
    /// # Errors
    ///
    /// As [`Guest::upload_folder`].
    pub async fn upload_folder_without(
        &self,
        local: &Path,
        remote: &str,
        exclude: &[&str],
    ) -> Result<(), Failure> {
        let options = ReadOptions {
            exclude: exclude.iter().map(|&name| name.to_owned()).collect(),
            symlinks: Symlinks::Follow,
        };
        let entries = read_local(local, options);
        let upload = self.machine.upload_tree(remote, entries);
        let uploaded = self.cx.until_cancelled(upload).await?;
        uploaded.map(drop).map_err(|error| {
            let failure = Failure::from_error(&error);
            Failure::new(format!(
                "cannot upload folder `{}`: {failure}",
                local.display()
            ))
        })
    }
}

/// A command for `cmd.exe` or PowerShell that runs `script`, which must have no double quote.
fn powershell(script: &str) -> String {
    format!("powershell.exe -NoProfile -NonInteractive -Command \"{script}\"")
}

/// How a command ended that should have ended with 0, for people.
#[must_use]
pub fn ended(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit status {code}"),
        Exit::Signal(signal) => format!("ended by signal {signal}"),
        Exit::Disconnected(seen) => format!("the connection broke: {seen}"),
    }
}
