//! Machines booted without kiln, to look at the images it made.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The firmware a machine starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// The PC's.
    Bios,
    /// EFI, with this file of variables.
    Efi(PathBuf),
}

/// A booted machine whose SSH port is forwarded; powered off when dropped.
#[derive(Debug)]
pub struct Machine {
    child: Child,
    port: u16,
}

impl Machine {
    /// Boots a copy-on-write view of `image`, so that the image stays as it is, and waits until sshd
    /// answers.
    ///
    /// # Errors
    ///
    /// When it does not within `limit`.
    pub fn boot(image: &Path, firmware: &Firmware, limit: Duration) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("qemu-system-x86_64");
        command
            .args([
                "-machine",
                "q35,accel=tcg",
                "-m",
                "1024",
                "-display",
                "none",
                "-snapshot",
            ])
            .args([
                "-netdev",
                &format!("user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"),
            ])
            .args(["-device", "virtio-net,netdev=n"])
            .args(["-drive", &format!("file={},if=virtio", image.display())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        if let Firmware::Efi(variables) = firmware {
            let code = [
                "/usr/share/OVMF/OVMF_CODE.fd",
                "/usr/share/OVMF/OVMF_CODE_4M.fd",
            ]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .context("no OVMF firmware")?;
            command
                .args([
                    "-drive",
                    &format!("if=pflash,format=raw,readonly=on,file={code}"),
                ])
                .args([
                    "-drive",
                    &format!("if=pflash,format=raw,file={}", variables.display()),
                ]);
        }
        let child = command.spawn().context("cannot start qemu-system-x86_64")?;
        let mut machine = Self { child, port };
        let begun = Instant::now();
        loop {
            if machine.ssh("true").is_ok() {
                return Ok(machine);
            }
            if let Some(status) = machine.child.try_wait()? {
                bail!("qemu ended with {status}");
            }
            if begun.elapsed() > limit {
                bail!(
                    "sshd of {} did not answer within {limit:?}",
                    image.display()
                );
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Runs a command as the user `packer` and gives what it prints.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub fn ssh(&self, command: &str) -> Result<String> {
        crate::tools::output(
            "sshpass",
            &[
                "-p",
                "mini-secret",
                "ssh",
                "-p",
                &self.port.to_string(),
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "ConnectTimeout=5",
                "-o",
                "LogLevel=ERROR",
                "packer@127.0.0.1",
                command,
            ],
        )
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
