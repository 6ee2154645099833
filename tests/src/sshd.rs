//! A private OpenSSH server on loopback, for the current user with a key.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::tools;

/// A running server; ended when dropped.
#[derive(Debug)]
pub struct Sshd {
    child: Child,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Private key that it accepts.
    pub key: PathBuf,
    /// Name of the user it is for.
    pub user: String,
}

impl Sshd {
    /// Starts a server with its files in `folder`.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start(folder: &Path) -> Result<Self> {
        let path = |name: &str| folder.join(name);
        for (name, kind) in [("host", "ed25519"), ("user", "ed25519")] {
            let file = path(name).display().to_string();
            tools::output("ssh-keygen", &["-q", "-t", kind, "-N", "", "-f", &file])?;
        }
        std::fs::copy(path("user.pub"), path("authorized_keys"))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let sftp = "/usr/lib/openssh/sftp-server";
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPidFile none\nSubsystem sftp {sftp}\nMaxStartups 100\n\
             MaxSessions 100\nPermitRootLogin yes\n",
            path("host").display(),
            path("authorized_keys").display(),
        );
        std::fs::write(path("config"), config)?;
        if rustix::process::getuid().is_root() {
            std::fs::create_dir_all("/run/sshd")?;
        }
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(path("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(path("log"))?)
            .spawn()
            .context("cannot start sshd")?;
        let user = tools::output("id", &["-un"])?.trim().to_owned();
        let server = Self {
            child,
            port,
            key: path("user"),
            user,
        };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > Duration::from_secs(10) {
                bail!(
                    "sshd does not listen: {}",
                    std::fs::read_to_string(path("log"))?
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
